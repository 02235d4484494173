/**
 * Counts sessions, handshakes and TCP connections, and says when there are too many. Every connection passes here.
 *
 * @module
 */
import type { LimitHits } from "../../metrics/limit_keys.ts";
import { Capacity } from "./capacity.ts";
import type { Census } from "./census.ts";
import { Headcount } from "./headcount.ts";
import type { NodeLimits } from "./limits.ts";

/** One address may have this fraction of the handshakes: a quarter. */
const SHARE = 4;

export class Doorkeeper {
  readonly #limits: Readonly<NodeLimits>;
  readonly #hits: LimitHits;
  readonly #census: Census;
  readonly capacity: Capacity;
  /** Connections in their handshake. */
  readonly #shaking = new Headcount();
  /** TCP connections that are not sessions. */
  readonly #connected = new Headcount();

  constructor(limits: Readonly<NodeLimits>, hits: LimitHits, census: Census) {
    this.#limits = limits;
    this.#hits = hits;
    this.#census = census;
    this.capacity = new Capacity(limits, census);
  }

  /** Handshakes under way. */
  get handshakes(): number {
    return this.#shaking.total;
  }

  /** Why one more session of this address is refused; `undefined` when it is not. Counts the refusal. */
  full(remoteAddress: string): "full" | "address_full" | undefined {
    const { maxSessions, maxSessionsPerAddress } = this.#limits;
    if (maxSessions > 0 && this.#census.sessions >= maxSessions) {
      this.#hits.sessions++;
      return "full";
    }
    if (
      maxSessionsPerAddress > 0 && remoteAddress !== "" &&
      this.#census.sessionsOf(remoteAddress) >= maxSessionsPerAddress
    ) {
      this.#hits.address++;
      return "address_full";
    }
    return undefined;
  }

  /**
   * Whether the node has as much to do as it is meant to. Counts the refusal.
   * @param counted Whether the session was counted already.
   */
  atCapacity(counted: boolean): boolean {
    const full = this.capacity.full(counted);
    if (full) this.#hits.capacity++;
    return full;
  }

  /** Counts a session. @returns Call it once at its end. */
  enter(remoteAddress: string): () => void {
    return this.#census.enter(remoteAddress);
  }

  /**
   * Counts a handshake. One address can have a quarter of all, so that others still get in.
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
   * Counts a TCP connection that is not a session.
   * @returns Call it when the connection is over or has become a session; `undefined` when there are too many.
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
