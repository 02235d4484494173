/**
 * A track for its reader: groups, one after another.
 *
 * @module
 */
import { QumoError } from "../base/errors.ts";
import type { Subgroup } from "../relay/group/group.ts";
import type { Watch } from "../relay/origin.ts";
import type { TrackEnd, TrackInfo, TrackReader, TrackRequest } from "../relay/ports.ts";
import type { Track } from "../relay/track.ts";
import { Bell, type WaitOptions } from "../base/bell.ts";
import { GroupReader } from "./frames.ts";
import { givenNumber } from "../base/given_number.ts";
import { Ordering } from "./ordering.ts";
import type { SoughtTrack } from "./remote.ts";

/** The options of a subscription that can be changed later. */
export interface SubscriptionUpdate {
  /** 0–255, higher goes first. Default 128. */
  readonly priority?: number;
  /**
   * How old a group may get before it is skipped, in milliseconds since a newer one came. At 0 a stuck group is skipped for a
   * newer one. From moq-lite-06 on, more than 0 also requests older groups at the start. Default 0.
   */
  readonly maxLatencyMs?: number;
  /** The first group; the newest when absent. */
  readonly startGroup?: number;
  /** The last group; until the track ends when absent. */
  readonly endGroup?: number;
}

/** The options of a subscription. */
export interface SubscribeOptions extends SubscriptionUpdate {
  /**
   * Groups come in order of sequence. A missing one is awaited for `maxLatencyMs` (if that is 0, for the track's own age limit),
   * then skipped. Default: in order of arrival.
   */
  readonly ordered?: boolean;
  /**
   * How long to wait for a broadcast that nobody publishes yet, in milliseconds, over all sessions of a client that
   * reconnects; 0: not at all. Default: for as long as it takes, until `signal` aborts or the client is over.
   */
  readonly waitMs?: number;
  /** Leaves the track when aborted; whoever waits for a group then gets the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The track could not be subscribed to, or was lost. */
export class TrackFailed extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_TRACK_FAILED";
  /**
   * Names the track and says why.
   * @param track Its name.
   * @param why "unannounced" (nobody publishes the broadcast yet), "not-found", "unroutable", "lost" or "refused".
   * @param reason As the end of a sentence.
   */
  constructor(readonly track: string, readonly why: string, reason: string) {
    super(`Cannot read track ${track}: ${reason}`);
  }
}

/** A datagram: a group of a single frame, which may get lost. */
export interface DatagramGroup {
  /** Its place among the groups of the track. */
  readonly sequence: number;
  /** In the track's timescale. */
  readonly timestamp: number;
  /** The receiver's own bytes. */
  readonly payload: Uint8Array;
}

/** Most groups that wait for the reader; older ones are dropped. */
const MAX_WAITING = 256;

/** One subscription. Iterate over it, and close it (or leave the loop) in the end. */
export class Subscription implements Disposable {
  /** Called for each datagram of the track. Datagrams do not come as groups. */
  ondatagram: ((datagram: DatagramGroup) => void) | undefined;
  readonly #sought: SoughtTrack;
  readonly #waitMs: number;
  readonly #reader: { request: TrackRequest } & TrackReader;
  readonly #waiting: GroupReader[] = [];
  readonly #ordering: Ordering | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #bell = new Bell();
  #track: Track;
  /** Whether the broadcast was announced when the track was asked for last, and whether anything came of it. */
  #asked = false;
  #begun = false;
  /** Waits for the announcement. */
  #watch: Watch | undefined;
  #cancelWait: (() => void) | undefined;
  #end: TrackEnd | undefined;
  #failure: TrackFailed | undefined;
  #dropped = 0;

  /**
   * @internal
   * @param as Reads another layout: its groups and datagrams go there, and none come here.
   */
  constructor(
    sought: SoughtTrack,
    options: SubscribeOptions = {},
    as?: Required<Pick<TrackReader, "layout" | "onGroup" | "onDatagram">>,
  ) {
    const { waitMs = Infinity, signal } = options;
    if (!(waitMs >= 0)) throw new RangeError(`Cannot wait ${waitMs} ms: waitMs is 0 or more`);
    this.#sought = sought;
    this.#waitMs = waitMs;
    this.#track = sought.find();
    this.#reader = {
      request: requestOf(options),
      layout: as?.layout ?? "frames",
      onGroup: (group, start) => {
        this.#begin();
        if (as === undefined) this.#arrived(group, start);
        else as.onGroup(group, start);
      },
      onDatagram: (sequence, timestamp, payload, object) => {
        this.#begin();
        this.ondatagram?.({ sequence, timestamp, payload });
        as?.onDatagram(sequence, timestamp, payload, object);
      },
      onEnd: (end) => this.#ended(end),
    };
    this.#signal = signal;
    const { clock } = this.#track.context;
    if (options.ordered === true) {
      this.#ordering = new Ordering({
        clock,
        waitMs: () => this.#reader.request.maxLatencyMs || this.#track.info.maxAgeMs,
        deliver: (group) => this.#deliver(group),
      });
    }
    if (signal?.aborted) return;
    signal?.addEventListener("abort", this.#aborted, { once: true });
    if (waitMs > 0 && waitMs < Infinity) {
      this.#cancelWait = clock.after(waitMs, () => this.#waitedLongEnough());
    }
    this.#ask();
  }

  /** Name of the track. */
  get name(): string {
    return this.#track.name;
  }

  /** Properties of the track, as far as known. They are complete once the first group has come. */
  get info(): TrackInfo {
    return this.#track.info;
  }

  /** The first sequence that will never come, once the publisher has ended the track and said so. */
  get endGroup(): number | undefined {
    return this.#end?.kind === "ended" ? this.#end.nextGroup : undefined;
  }

  /** Groups that were skipped: missing ones that were given up, and those that were not read in time. */
  get skipped(): number {
    return this.#dropped + (this.#ordering?.skipped ?? 0);
  }

  /** Changes the options from now on. @throws {RangeError} A number is out of its range. */
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
      if (this.#failure !== undefined) throw this.#failure;
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
    this.#stopWaiting();
    this.#track.remove(this.#reader);
    this.#ordering?.close();
    for (const group of this.#waiting.splice(0)) group.close();
    this.#bell.ring();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Asks the peer, also before it has announced the broadcast: the announcement may be on its way, or the broadcast one
   * that is served without any.
   */
  #ask(): void {
    this.#asked = this.#sought.announced;
    this.#track = this.#sought.find();
    this.#track.add(this.#reader);
  }

  /** It was refused before it was announced: that is waited for, and then it is asked for again. */
  #waitForIt(): void {
    if (this.#sought.announced) return this.#ask();
    this.#watch = this.#sought.watch(() => {
      this.#unwatch();
      if (this.#sought.over) {
        this.#ended({ kind: "failed", why: "lost", reason: "the session is over" });
      } else this.#ask();
    });
  }

  #waitedLongEnough(): void {
    if (this.#begun || this.#end !== undefined || this.#sought.announced) return;
    this.#unwatch();
    this.#track.remove(this.#reader);
    this.#fail({ kind: "failed", why: "not-found", reason: "it was not announced in time" });
  }

  #unwatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  #stopWaiting(): void {
    this.#unwatch();
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  /** Something has come: from here on there is nothing to wait for. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#stopWaiting();
  }

  #arrived(group: Subgroup, start: number): void {
    const reader = new GroupReader(group);
    if (this.#ordering === undefined) this.#deliver(reader);
    else this.#ordering.push(reader, start);
  }

  #ended(end: TrackEnd): void {
    if (this.#end !== undefined) return;
    if (end.kind === "failed") {
      const early = !this.#begun && !this.#asked && this.#waitMs > 0;
      return early && !this.#sought.over ? this.#waitForIt() : this.#fail(end);
    }
    this.#finish(end);
  }

  #fail(end: TrackEnd & { kind: "failed" }): void {
    const { path, announced, over } = this.#sought;
    const early = !this.#begun && !this.#asked && !announced;
    const [why, reason] = early && over
      ? ["lost", `${end.reason}, and nobody has published ${path} until then`]
      : early
      ? ["unannounced", `nobody publishes ${path} yet`]
      : [end.why, `${end.why === "lost" ? `${path} was cut off: ` : ""}${end.reason}`];
    this.#failure = new TrackFailed(this.name, why, reason);
    this.#finish(end);
  }

  #finish(end: TrackEnd): void {
    this.#stopWaiting();
    this.#end = end;
    this.#ordering?.flush();
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

/** @throws {RangeError} */
function requestOf(options: SubscriptionUpdate): TrackRequest {
  const { startGroup, endGroup } = options;
  if (startGroup !== undefined) givenNumber("startGroup", startGroup);
  if (endGroup !== undefined) givenNumber("endGroup", endGroup);
  return {
    priority: givenNumber("a priority", options.priority ?? 128, 255),
    maxLatencyMs: options.maxLatencyMs ?? 0,
    startGroup,
    endGroup,
  };
}
