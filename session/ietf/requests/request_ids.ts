/**
 * The numbers of requests. A client's are even, a server's odd, and each new one is two more. Up to draft 16 the other side
 * says how far they may go. Spec: draft-ietf-moq-transport-16, "Request ID", "MAX_REQUEST_ID"; -18, "Request ID".
 *
 * @module
 */
import { ProtocolViolation } from "../../../wire/errors.ts";
import { Fault } from "../fault.ts";

/** Requests that a peer may have open at once where it needs our leave (up to 16). */
export const MAX_OPEN_REQUESTS = 1024;
/** The first MAX_REQUEST_ID, which no number may reach. */
export const FIRST_MAX_REQUEST_ID = 2 * MAX_OPEN_REQUESTS;
/** Numbers that came before a lower one, and are remembered for that. */
const MAX_REMEMBERED = 1024;

export type Side = "client" | "server";

/** The numbers that we give. */
export class OurIds {
  #next: number;
  #max: number;
  #granted = Promise.withResolvers<void>();

  /** @param max The first one that we may not use; Infinity where nobody says. */
  constructor(side: Side, max: number) {
    this.#next = side === "client" ? 0 : 1;
    this.#max = max;
  }

  /** Whether the next one may be used. */
  get free(): boolean {
    return this.#next < this.#max;
  }

  /** The first that we may not use. */
  get max(): number {
    return this.#max;
  }

  /** Fulfils when the peer allows more. */
  get granted(): Promise<void> {
    return this.#granted.promise;
  }

  /** The next one, which is not taken yet. */
  get next(): number {
    return this.#next;
  }

  /** Takes the next one. */
  take(): number {
    const id = this.#next;
    this.#next += 2;
    return id;
  }

  /** Whether it was ever taken. */
  was(id: number): boolean {
    return id < this.#next && id % 2 === this.#next % 2;
  }

  /** Nobody is going to allow more. */
  stop(): void {
    this.#granted.resolve();
  }

  /** MAX_REQUEST_ID. @throws {ProtocolViolation} It does not allow more. */
  raise(max: number): void {
    if (max <= this.#max) {
      throw new ProtocolViolation("MAX_REQUEST_ID", `${max} after ${this.#max}`);
    }
    this.#max = max;
    this.#granted.resolve();
    this.#granted = Promise.withResolvers();
  }
}

/** The numbers that the peer gives where it needs our leave: each is the next one. */
export class CountedIds {
  #next: number;
  #max = FIRST_MAX_REQUEST_ID;
  #over = 0;
  readonly #anyOrder: FreeIds | undefined;

  /** @param anyOrder Whether requests come on several streams, which may overtake each other. */
  constructor(peer: Side, anyOrder = false) {
    this.#next = peer === "client" ? 0 : 1;
    if (anyOrder) this.#anyOrder = new FreeIds(peer);
  }

  /** @throws {Fault} */
  take(id: number): void {
    if (this.#anyOrder === undefined && id !== this.#next) {
      throw new Fault("invalidRequestId", "request", `id ${id}, expected ${this.#next}`);
    }
    if (id >= this.#max) {
      throw new Fault(
        "tooManyRequests",
        "request",
        `id ${id}, allowed are those below ${this.#max}`,
      );
    }
    this.#anyOrder?.take(id);
    this.#next = Math.max(this.#next, id + 2);
  }

  /** Whether it was ever taken. Where the order is free, it may be on its way. */
  was(id: number): boolean {
    return id < this.#next && id % 2 === this.#next % 2;
  }

  /** One request is over. @returns What to send as MAX_REQUEST_ID now, if anything. */
  over(): number | undefined {
    this.#over++;
    const max = FIRST_MAX_REQUEST_ID + 2 * this.#over;
    if (max - this.#max < FIRST_MAX_REQUEST_ID / 2) return undefined;
    return this.#max = max;
  }
}

/** The numbers that the peer gives where requests have streams of their own: they come in any order, each once. */
export class FreeIds {
  readonly #parity: number;
  /** All below were used, or will not be. */
  #floor: number;
  readonly #above = new Set<number>();

  constructor(peer: Side) {
    this.#floor = this.#parity = peer === "client" ? 0 : 1;
  }

  /** The first that was not used. */
  get floor(): number {
    return this.#floor;
  }

  /** @throws {Fault} */
  take(id: number): void {
    if (id % 2 !== this.#parity || id < this.#floor || this.#above.has(id)) {
      const why = id % 2 === this.#parity ? "was used before" : "is not the peer's to give";
      throw new Fault("invalidRequestId", "request", `id ${id} ${why}`);
    }
    this.#above.add(id);
    if (this.#above.size > MAX_REMEMBERED) this.#floor = Math.min(...this.#above);
    while (this.#above.delete(this.#floor)) this.#floor += 2;
  }
}
