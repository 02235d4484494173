/**
 * Requests for tracks that nobody serves yet. Each waits for a route, for some time (RENDEZVOUS_TIMEOUT of moq-transport).
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Broadcast } from "../broadcast.ts";
import { PathIndex } from "../path_index.ts";
import { type Route, serves } from "../route.ts";

/** Most requests that wait at one time. */
export const MAX_WAITING = 4096;

/** Most of them for one asker. */
export const MAX_WAITING_EACH = 512;

/** The longest that a request may wait. */
export const MAX_WAIT_MS = 60_000;

/** A request that waits for a route. */
export interface AwaitedRoute {
  /** The broadcast that serves the track; `undefined` when none came in time, and after `cancel`. Never rejects. */
  readonly promise: Promise<Broadcast | undefined>;
  /** Waits no longer. Harmless when it is over. */
  cancel(): void;
}

/** What a request waits for. */
export interface AwaitedTrack {
  /** Normalised. */
  readonly path: string;
  readonly track: string;
  readonly timeoutMs: number;
  /** Who asks: one who asks for much takes the places of no other. */
  readonly asker: object;
}

interface Waiter {
  readonly find: () => Broadcast | undefined;
  readonly settle: (found: Broadcast | undefined) => void;
}

export class Waiting {
  readonly #clock: Clock;
  readonly #index = new PathIndex();
  readonly #paths = new Map<string, Map<string, Set<Waiter>>>();
  readonly #askers = new Map<object, number>();
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many requests wait. */
  get size(): number {
    return this.#size;
  }

  /** Waits until `find` finds something. @returns `undefined` when too many wait. */
  add(awaited: AwaitedTrack, find: () => Broadcast | undefined): AwaitedRoute | undefined {
    const { path, track, timeoutMs, asker } = awaited;
    const running = this.#askers.get(asker) ?? 0;
    if (this.#size >= MAX_WAITING || running >= MAX_WAITING_EACH) return undefined;
    const { promise, resolve } = Promise.withResolvers<Broadcast | undefined>();
    const settle = (found: Broadcast | undefined) => {
      if (!this.#remove(path, track, waiter)) return;
      const left = this.#askers.get(asker)! - 1;
      if (left === 0) this.#askers.delete(asker);
      else this.#askers.set(asker, left);
      stop();
      resolve(found);
    };
    const waiter: Waiter = { find, settle };
    let tracks = this.#paths.get(path);
    if (tracks === undefined) {
      this.#paths.set(path, tracks = new Map());
      this.#index.add(path);
    }
    let waiters = tracks.get(track);
    if (waiters === undefined) tracks.set(track, waiters = new Set());
    waiters.add(waiter);
    this.#askers.set(asker, running + 1);
    this.#size++;
    const cancel = () => settle(undefined);
    const stop = this.#clock.after(Math.min(timeoutMs, MAX_WAIT_MS), cancel);
    return { promise, cancel };
  }

  /** A track is offered at a path. */
  offered(path: string, track: string): void {
    if (this.#size > 0) look(this.#paths.get(path)?.get(track));
  }

  /** A route to a path has come or changed. It may serve the paths below too. */
  routed(path: string, route: Route): void {
    if (this.#size === 0 || route.onlyTracks === true) return;
    for (const at of this.#index.below(path, true)) {
      if (!serves(route, path, at)) continue;
      for (const waiters of [...this.#paths.get(at)!.values()]) look(waiters);
    }
  }

  #remove(path: string, track: string, waiter: Waiter): boolean {
    const tracks = this.#paths.get(path);
    const waiters = tracks?.get(track);
    if (tracks === undefined || waiters?.delete(waiter) !== true) return false;
    this.#size--;
    if (waiters.size > 0) return true;
    tracks.delete(track);
    if (tracks.size > 0) return true;
    this.#paths.delete(path);
    this.#index.delete(path);
    return true;
  }
}

function look(waiters: ReadonlySet<Waiter> = new Set()): void {
  for (const { find, settle } of waiters) {
    const found = find();
    if (found !== undefined) settle(found);
  }
}
