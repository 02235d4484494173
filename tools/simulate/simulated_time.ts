/**
 * Time that goes by only in the simulation. It jumps from one timer to the next, as soon as everything has happened that can
 * happen without time going by.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";

interface Timer {
  readonly atMs: number;
  /** Timers of one moment go off in the order in which they were set. */
  readonly order: number;
  callback: (() => void) | undefined;
}

/** A clock in whole milliseconds. Dispose of it: it follows the timers of the machine that are set for "at once". */
export class SimulatedTime implements Clock, Disposable {
  #now = 0;
  #set = 0;
  /** A binary heap: the next timer is the first. */
  readonly #timers: Timer[] = [];
  readonly #turns = new MachineTurns();

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return 1_800_000_000_000 + this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const atMs = this.#now + Math.max(0, Math.ceil(delayMs));
    const timer: Timer = { atMs, order: this.#set++, callback };
    this.#push(timer);
    return () => timer.callback = undefined;
  }

  /** Fulfils after so many milliseconds of simulated time. Somebody else has to let them go by. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets time go by. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#now + ms;
    while (await this.#next(endMs));
    this.#now = endMs;
  }

  /** Lets time go by until it is so, for at most `mostMs`. @returns Whether it is so. */
  async until(done: () => boolean, mostMs: number): Promise<boolean> {
    const endMs = this.#now + mostMs;
    while (!done()) if (!await this.#next(endMs)) break;
    return done();
  }

  /** Waits until nothing more can happen without time going by. */
  settle(): Promise<void> {
    return this.#turns.settle();
  }

  [Symbol.dispose](): void {
    this.#turns[Symbol.dispose]();
    this.#timers.length = 0;
  }

  /** Goes to the next moment with a timer. @returns False when there is none until then. */
  async #next(endMs: number): Promise<boolean> {
    await this.settle();
    while (this.#timers[0] !== undefined && this.#timers[0].callback === undefined) this.#pop();
    const next = this.#timers[0];
    if (next === undefined || next.atMs > endMs) return false;
    this.#now = next.atMs;
    while (this.#timers[0] !== undefined && this.#timers[0].atMs <= this.#now) {
      this.#pop().callback?.();
    }
    return true;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above]!, timer)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): Timer {
    const heap = this.#timers;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (isBefore(last, heap[below]!)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Follows the timers of the machine that are set for "at once": code that gives others their turn. */
class MachineTurns implements Disposable {
  readonly #original = globalThis.setTimeout;
  #pending = 0;

  constructor() {
    const original = this.#original;
    const counted = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) => {
      if (delayMs > 0) return original(callback, delayMs, ...args);
      this.#pending++;
      return original(() => {
        this.#pending--;
        callback(...args);
      }, 0);
    };
    globalThis.setTimeout = counted as typeof setTimeout;
  }

  async settle(): Promise<void> {
    do await setImmediate(); while (this.#pending > 0);
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#original;
  }
}
