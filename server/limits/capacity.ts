/**
 * Whether a node is full: it has as much to do as it is meant to. Newcomers are sent elsewhere then; who is inside stays.
 * A node that was full takes newcomers again once there is some room, so that it does not change its mind with each session.
 *
 * @module
 */
import type { Census } from "./census.ts";

/** The most that a node is meant to do. 0 is no bound. */
export interface CapacityLimits {
  readonly capacitySessions: number;
  /** Megabits of media that it sends per second. */
  readonly capacityMbps: number;
  /** Percent of the machine's CPU. */
  readonly capacityCpu: number;
}

/** What is measured for it, in the units of `NodeLoad`. */
export interface Measured {
  readonly mbps: number;
  /** 0 to 1. */
  readonly cpu: number;
}

/** A full node takes newcomers again below these shares of its capacity. */
const ROOM = { sessions: 0.95, measured: 0.9 };
/** So many measurements in a row say the same before a node is full, or is not: a peak of one second is none. */
const IN_A_ROW = 3;

/** One thread's view of it. All threads share the {@link Census}. */
export class Capacity {
  readonly #limits: CapacityLimits;
  readonly #census: Census;
  #crowded = false;
  #differ = 0;

  constructor(limits: CapacityLimits, census: Census) {
    this.#limits = limits;
    this.#census = census;
  }

  /**
   * Whether newcomers are sent elsewhere.
   * @param counted Whether the census has the newcomer already.
   */
  full(counted = false): boolean {
    return this.#isCrowded(this.#census.sessions - (counted ? 1 : 0)) || this.#census.busy;
  }

  #isCrowded(sessions: number): boolean {
    const { capacitySessions: most } = this.#limits;
    if (most === 0) return this.#crowded = false;
    const enough = this.#crowded ? Math.min(most - 1, Math.floor(most * ROOM.sessions)) : most - 1;
    return this.#crowded = sessions > enough;
  }

  /** Takes a measurement of the whole server, for all threads. The first thread calls it once a second. */
  measured({ mbps, cpu }: Measured): void {
    const { capacityMbps, capacityCpu } = this.#limits;
    const share = Math.max(
      capacityMbps === 0 ? 0 : mbps / capacityMbps,
      capacityCpu === 0 ? 0 : cpu * 100 / capacityCpu,
    );
    const { busy } = this.#census;
    const other = busy ? share < ROOM.measured : share >= 1;
    this.#differ = other ? this.#differ + 1 : 0;
    if (this.#differ < IN_A_ROW) return;
    this.#differ = 0;
    this.#census.setBusy(!busy);
  }
}
