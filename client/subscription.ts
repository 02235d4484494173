/**
 * A track as its reader sees it: groups, one after another.
 *
 * @module
 */
import { QumoError } from "../base/errors.ts";
import type { Group } from "../relay/group.ts";
import type { TrackEnd, TrackInfo, TrackReader, TrackRequest } from "../relay/ports.ts";
import type { Track } from "../relay/track.ts";
import { Bell, type WaitOptions } from "./bell.ts";
import { GroupReader } from "./frames.ts";
import { Ordering } from "./ordering.ts";

/** What is asked of a track, and can be changed later. */
export interface SubscriptionUpdate {
  /** 0–255, higher goes first. Default 128. */
  readonly priority?: number;
  /** How old a group may get before it is skipped, in milliseconds; 0 leaves it to the track. Default 0. */
  readonly maxLatencyMs?: number;
  /** First group wanted; the newest when absent. */
  readonly startGroup?: number;
  /** Last group wanted; until the track ends when absent. */
  readonly endGroup?: number;
}

/** What is asked of a track. */
export interface SubscribeOptions extends SubscriptionUpdate {
  /**
   * Groups come in order of sequence: a missing one is waited for up to `maxLatencyMs` (the track's own age limit when
   * that is 0), then skipped. Default: in order of arrival.
   */
  readonly ordered?: boolean;
  /** Leaves the track when aborted; whoever waits for a group then gets the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The track could not be had, or was lost on the way. */
export class TrackFailed extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_TRACK_FAILED";
  /**
   * Names the track and says why.
   * @param track Its name.
   * @param why "not-found", "unroutable", "lost" or "refused".
   * @param reason As the end of a sentence.
   */
  constructor(readonly track: string, readonly why: string, reason: string) {
    super(`Cannot read track ${track}: ${reason}`);
  }
}

/** A datagram: a group of a single frame, sent without any promise. */
export interface DatagramGroup {
  /** Its place among the groups of the track. */
  readonly sequence: number;
  /** In the track's timescale. */
  readonly timestamp: number;
  /** The receiver's own bytes. */
  readonly payload: Uint8Array;
}

/** Groups that wait for a reader who does not come; older ones are let go. */
const MAX_WAITING = 256;

/** One subscription. Iterate over it, and close it (or leave the loop) in the end. */
export class Subscription implements Disposable {
  /** Called for each datagram of the track; they do not appear among the groups. */
  ondatagram: ((datagram: DatagramGroup) => void) | undefined;
  readonly #track: Track;
  readonly #reader: { request: TrackRequest } & TrackReader;
  readonly #waiting: GroupReader[] = [];
  readonly #ordering: Ordering | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #bell = new Bell();
  #end: TrackEnd | undefined;
  #dropped = 0;

  /** @internal */
  constructor(track: Track, options: SubscribeOptions = {}) {
    this.#track = track;
    this.#reader = {
      request: requestOf(options),
      onGroup: (group, start) => this.#arrived(group, start),
      onDatagram: (sequence, timestamp, payload) =>
        this.ondatagram?.({ sequence, timestamp, payload }),
      onEnd: (end) => this.#ended(end),
    };
    this.#signal = options.signal;
    if (options.ordered === true) {
      this.#ordering = new Ordering({
        clock: track.context.clock,
        waitMs: () => this.#reader.request.maxLatencyMs || this.#track.info.maxAgeMs,
        deliver: (group) => this.#deliver(group),
      });
    }
    if (options.signal?.aborted) return;
    options.signal?.addEventListener("abort", this.#aborted, { once: true });
    track.add(this.#reader);
  }

  /** Name of the track. */
  get name(): string {
    return this.#track.name;
  }

  /** Properties of the track, as far as the publisher has told them: complete with the first group. */
  get info(): TrackInfo {
    return this.#track.info;
  }

  /** The first sequence that will never come, once the publisher has ended the track and said so. */
  get endGroup(): number | undefined {
    return this.#end?.kind === "ended" ? this.#end.nextGroup : undefined;
  }

  /** Groups that were let go: missing ones that were not waited for any longer, and those nobody came to read. */
  get skipped(): number {
    return this.#dropped + (this.#ordering?.skipped ?? 0);
  }

  /** Asks for something else from now on. */
  update(update: SubscriptionUpdate): void {
    const before = this.#reader.request as SubscriptionUpdate;
    this.#reader.request = requestOf({ ...before, ...update });
    if (update.startGroup !== undefined) this.#ordering?.skipTo(update.startGroup);
    this.#track.change(this.#reader, this.#reader.request);
  }

  /**
   * The next group, or `undefined` when the track has ended.
   * @throws {TrackFailed} @throws The reason of either signal.
   */
  async group(options: WaitOptions = {}): Promise<GroupReader | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted();
      options.signal?.throwIfAborted();
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      if (this.#end?.kind === "failed") {
        throw new TrackFailed(this.name, this.#end.why, this.#end.reason);
      }
      if (this.#end !== undefined) return undefined;
      await this.#bell.wait(options.signal);
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
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#track.remove(this.#reader);
    this.#ordering?.close();
    for (const group of this.#waiting.splice(0)) group.close();
    this.#bell.ring();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #arrived(group: Group, start: number): void {
    const reader = new GroupReader(group);
    if (this.#ordering === undefined) this.#deliver(reader);
    else this.#ordering.push(reader, start);
  }

  #ended(end: TrackEnd): void {
    this.#ordering?.flush();
    this.#end ??= end;
    this.#bell.ring();
  }

  #deliver(group: GroupReader): void {
    this.#waiting.push(group);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()!.close();
      this.#dropped++;
    }
    this.#bell.ring();
  }

  readonly #aborted = (): void => this.close();
}

function requestOf(options: SubscriptionUpdate): TrackRequest {
  return {
    priority: options.priority ?? 128,
    maxLatencyMs: options.maxLatencyMs ?? 0,
    startGroup: options.startGroup,
    endGroup: options.endGroup,
  };
}
