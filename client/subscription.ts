/**
 * A track as its reader sees it: groups, one after another.
 *
 * @module
 */
import { QumoError } from "../base/errors.ts";
import type { Group } from "../relay/group.ts";
import type { TrackEnd, TrackReader, TrackRequest } from "../relay/ports.ts";
import type { Track } from "../relay/track.ts";
import { GroupReader } from "./frames.ts";

/** What is asked of a track. */
export interface SubscribeOptions {
  /** 0–255, higher goes first. Default 128. */
  readonly priority?: number;
  /** How old a group may get before it is skipped, in milliseconds; 0 leaves it to the track. Default 0. */
  readonly maxLatencyMs?: number;
  /** First group wanted; the newest when absent. */
  readonly startGroup?: number;
  /** Last group wanted; until the track ends when absent. */
  readonly endGroup?: number;
}

/** The track could not be had, or was lost on the way. */
export class TrackFailed extends QumoError {
  readonly code = "QUMO_TRACK_FAILED";
  constructor(readonly track: string, readonly why: string, reason: string) {
    super(`Cannot read track ${track}: ${reason}`);
  }
}

/** A datagram: a group of a single frame, sent without any promise. */
export interface DatagramGroup {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** Groups that wait for a reader who does not come; older ones are let go. */
const MAX_WAITING = 256;

/** One subscription. Iterate over it, and close it (or leave the loop) in the end. */
export class Subscription implements TrackReader, Disposable {
  request: TrackRequest;
  /** Called for each datagram of the track; they do not appear among the groups. */
  ondatagram: ((datagram: DatagramGroup) => void) | undefined;
  readonly #track: Track;
  readonly #waiting: GroupReader[] = [];
  #end: TrackEnd | undefined;
  #wake: (() => void) | undefined;

  constructor(track: Track, options: SubscribeOptions = {}) {
    this.#track = track;
    this.request = requestOf(options);
    track.add(this);
  }

  get name(): string {
    return this.#track.name;
  }

  /** The first sequence that will never come, once the publisher has ended the track and said so. */
  get endGroup(): number | undefined {
    return this.#end?.kind === "ended" ? this.#end.nextGroup : undefined;
  }

  /** Asks for something else from now on. */
  update(options: SubscribeOptions): void {
    this.request = requestOf({ ...this.request as SubscribeOptions, ...options });
    this.#track.change(this, this.request);
  }

  /** The next group in order of arrival, or `undefined` when the track has ended. @throws {TrackFailed} */
  async group(): Promise<GroupReader | undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      if (this.#end?.kind === "failed") {
        throw new TrackFailed(this.name, this.#end.why, this.#end.reason);
      }
      if (this.#end !== undefined) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }

  /** Every group, until the track ends. @throws {TrackFailed} */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<GroupReader> {
    try {
      for (;;) {
        const group = await this.group();
        if (group === undefined) return;
        yield group;
      }
    } finally {
      this.close();
    }
  }

  /** Leaves the track. */
  close(): void {
    this.#end ??= { kind: "ended" };
    this.#track.remove(this);
    for (const group of this.#waiting.splice(0)) group.close();
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  onGroup(group: Group): void {
    this.#waiting.push(new GroupReader(group));
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()!.close();
    this.#wake?.();
  }

  onDatagram(sequence: number, timestamp: number, payload: Uint8Array): void {
    this.ondatagram?.({ sequence, timestamp, payload });
  }

  onEnd(end: TrackEnd): void {
    this.#end ??= end;
    this.#wake?.();
  }
}

function requestOf(options: SubscribeOptions): TrackRequest {
  return {
    priority: options.priority ?? 128,
    maxLatencyMs: options.maxLatencyMs ?? 0,
    startGroup: options.startGroup,
    endGroup: options.endGroup,
  };
}
