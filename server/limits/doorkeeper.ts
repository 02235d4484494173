/**
 * Counts who is here and who is on the way in, and says when it is too many. Every connection passes here, whatever it came by.
 *
 * @module
 */
import type { LimitHits } from "../../session/limits.ts";
import type { Census } from "./census.ts";
import { Headcount } from "./headcount.ts";
import type { NodeLimits } from "./limits.ts";

/** Which limit a newcomer would exceed. */
export type Full = "sessions" | "address";

/** How much of the room for handshakes one address may take. */
const SHARE = 4;

export class Doorkeeper {
  readonly #limits: Readonly<NodeLimits>;
  readonly #hits: LimitHits;
  readonly #census: Census;
  /** Connections in their handshake. */
  readonly #shaking = new Headcount();
  /** TCP connections that are no sessions. */
  readonly #connected = new Headcount();

  constructor(limits: Readonly<NodeLimits>, hits: LimitHits, census: Census) {
    this.#limits = limits;
    this.#hits = hits;
    this.#census = census;
  }

  /** Connections whose handshake is under way. */
  get handshakes(): number {
    return this.#shaking.total;
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
    const { total } = this.#shaking;
    if (
      most > 0 && (total >= most || this.#shaking.of(remoteAddress) >= Math.ceil(most / SHARE))
    ) {
      this.#hits.handshakes++;
      return undefined;
    }
    return this.#shaking.enter(remoteAddress);
  }

  /**
   * A TCP connection comes in. Those that have become sessions are counted as such and no more here.
   * @returns Call it when it is over or has become a session; `undefined` when there are too many.
   */
  connect(remoteAddress: string): (() => void) | undefined {
    const { maxHttpConnections, maxHttpConnectionsPerAddress } = this.#limits;
    const full = maxHttpConnections > 0 && this.#connected.total >= maxHttpConnections
      ? "httpConnections"
      : maxHttpConnectionsPerAddress > 0 &&
          this.#connected.of(remoteAddress) >= maxHttpConnectionsPerAddress
      ? "httpAddress"
      : undefined;
    if (full === undefined) return this.#connected.enter(remoteAddress);
    this.#hits[full]++;
    return undefined;
  }
}
