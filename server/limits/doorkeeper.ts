/**
 * Counts who is here and who is on the way in, and says when it is too many. Every connection passes here, whatever it came by.
 *
 * @module
 */
import type { LimitHits } from "../../session/limits.ts";
import { addressKey } from "./address_key.ts";
import type { Census } from "./census.ts";
import type { NodeLimits } from "./limits.ts";

/** Which limit a newcomer would exceed. */
export type Full = "sessions" | "address";

/** How much of the room for handshakes one address may take. */
const SHARE = 4;

export class Doorkeeper {
  readonly #limits: Readonly<NodeLimits>;
  readonly #hits: LimitHits;
  readonly #census: Census;
  /** Connections in their handshake: of each address, and in all. */
  readonly #shaking = new Map<string, number>();
  #handshakes = 0;

  constructor(limits: Readonly<NodeLimits>, hits: LimitHits, census: Census) {
    this.#limits = limits;
    this.#hits = hits;
    this.#census = census;
  }

  /** Connections whose handshake is under way. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Whether one more session of this address is too many. Counts those it turns away. */
  full(remoteAddress: string): Full | undefined {
    const { maxSessions, maxSessionsPerAddress } = this.#limits;
    const full = maxSessions > 0 && this.#census.sessions >= maxSessions
      ? "sessions"
      : maxSessionsPerAddress > 0 && remoteAddress !== "" &&
          this.#census.sessionsOf(remoteAddress) >= maxSessionsPerAddress
      ? "address"
      : undefined;
    if (full !== undefined) this.#hits[full]++;
    return full;
  }

  /** A session begins. @returns Call it once when that is over. */
  enter(remoteAddress: string): () => void {
    return this.#census.enter(remoteAddress);
  }

  /**
   * A connection begins its handshake. One address has a quarter of the room: the others still get in.
   * @returns Call it when the handshake is over; `undefined` when there are too many.
   */
  shake(remoteAddress: string): (() => void) | undefined {
    const most = this.#limits.maxHandshakes;
    const key = addressKey(remoteAddress);
    const here = this.#shaking.get(key) ?? 0;
    if (most > 0 && (this.#handshakes >= most || here >= Math.ceil(most / SHARE))) {
      this.#hits.handshakes++;
      return undefined;
    }
    this.#handshakes++;
    this.#shaking.set(key, here + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#handshakes--;
      const left = this.#shaking.get(key)! - 1;
      if (left > 0) this.#shaking.set(key, left);
      else this.#shaking.delete(key);
    };
  }
}
