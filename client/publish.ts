/**
 * Broadcasts published from this process: tracks that are written whether anybody reads or not, the newest groups kept for
 * those who join late.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { NotFound } from "../relay/errors.ts";
import { Group, type GroupKeeper } from "../relay/group/group.ts";
import { GroupWriter } from "../relay/group/group_writer.ts";
import type { Announced, Origin } from "../relay/origin.ts";
import {
  type BroadcastSource,
  DEFAULT_TRACK_INFO,
  type TrackEnd,
  type TrackFailure,
  type TrackInfo,
  type TrackRequest,
  type TrackSink,
  type UpstreamSubscription,
} from "../relay/ports.ts";
import { Track, type TrackContext } from "../relay/track.ts";
import { givenName, givenPath } from "../wire/path.ts";

/** A group being written. Close it; an aborted one reaches nobody as a whole. */
export class GroupProducer implements Disposable {
  readonly #writer: GroupWriter;
  readonly #now: () => number;

  /** @internal */
  constructor(writer: GroupWriter, now: () => number) {
    this.#writer = writer;
    this.#now = now;
  }

  /** Its number. */
  get sequence(): number {
    return this.#writer.subgroup.sequence;
  }

  /** Frames written so far. */
  get frames(): number {
    return this.#writer.subgroup.frames;
  }

  /**
   * Adds a frame.
   * @param timestamp In the track's timescale. Default: now, in milliseconds since 1970.
   * @throws {GroupTooLarge} @throws {RangeError} The timestamp is no whole number in [0, 2^53-1].
   */
  write(payload: Uint8Array | string, timestamp: number = this.#now()): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      throw new RangeError(
        `Cannot write a frame at timestamp ${timestamp}: must be a whole number in [0, 2^53-1]`,
      );
    }
    this.#writer.frame(
      timestamp,
      typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
    );
  }

  /** Ends the group. */
  close(): void {
    this.#writer.finish();
  }

  /** Gives the group up in the middle. */
  abort(): void {
    this.#writer.cut();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A track being written. */
export class TrackProducer implements Disposable {
  readonly #track: Track;
  readonly #onclose: (() => void) | undefined;
  #next = 0;
  #ended = false;
  #superseded = false;

  /**
   * @internal
   * @param onclose Called when its owner has ended it.
   */
  constructor(track: Track, onclose?: () => void) {
    this.#track = track;
    this.#onclose = onclose;
  }

  /** The name it is asked for by. */
  get name(): string {
    return this.#track.name;
  }

  /** Its properties, fixed for its life. */
  get info(): TrackInfo {
    return this.#track.info;
  }

  /** Subscriptions served now. */
  get subscribers(): number {
    return this.#superseded ? 0 : this.#track.readers;
  }

  /** What its subscribers want together: the highest priority, the longest latency, the widest range of groups. */
  get wanted(): TrackRequest {
    return this.#track.request();
  }

  /** The sequence of the next group. */
  get nextGroup(): number {
    return this.#next;
  }

  /** Leaves numbers out: subscribers that want groups in order do not get these. */
  skip(groups = 1): void {
    this.#next += groups;
  }

  /** Opens a group: by default the one after the last. @throws {RangeError} It was opened before. */
  group(sequence: number = this.#next): GroupProducer {
    const { clock, limits, stats, pool } = this.#track.context;
    if (this.#superseded) {
      // Whoever goes on writing although nobody has been reading for long is not disturbed.
      const nowhere = Group.alone(pool, sequence, clock.now());
      nowhere.group.keeper = NOBODY;
      this.#next = Math.max(this.#next, sequence + 1);
      return new GroupProducer(new GroupWriter(nowhere, limits), () => clock.wallMs());
    }
    const group = this.#ended ? undefined : this.#track.ring.add(sequence, clock.now());
    if (group === undefined) {
      throw new RangeError(
        `Cannot open group ${sequence} of track ${this.name}: ` +
          (this.#ended ? "the track has ended" : "it was opened before, or is too old"),
      );
    }
    this.#next = Math.max(this.#next, sequence + 1);
    this.#track.deliver(group);
    const counters = [this.#track, stats];
    return new GroupProducer(new GroupWriter(group, limits, counters), () => clock.wallMs());
  }

  /** A whole group of one frame. */
  write(payload: Uint8Array | string, timestamp?: number): void {
    // Not `using`: the minifier of `deno bundle` puts the one use in its place, and nobody disposes of it.
    const group = this.group();
    try {
      group.write(payload, timestamp);
    } finally {
      group.close();
    }
  }

  /** A group of one frame that may get lost, to those whose version and transport have datagrams (05+). */
  datagram(payload: Uint8Array, timestamp?: number): void {
    const stamp = timestamp ?? this.#track.context.clock.wallMs();
    const sequence = this.#next++;
    if (!this.#ended && !this.#superseded) this.#track.deliverDatagram(sequence, stamp, payload);
  }

  /** Ends the track: subscribers get what is there, and the news that it is all. */
  close(): void {
    this.#end({ kind: "ended", nextGroup: this.#next });
  }

  /** Gives the track up: subscribers are told that it was lost, or refused. */
  abort(reason: string, why: TrackFailure = "lost"): void {
    this.#end({ kind: "failed", why, reason });
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Another producer writes the track from now on: what is written here reaches nobody.
   * @internal
   */
  supersede(): void {
    this.#superseded = true;
  }

  #end(end: TrackEnd): void {
    if (this.#ended || this.#superseded) return;
    this.#ended = true;
    this.#track.end(end);
    this.#onclose?.();
  }
}

/** Keeps groups that nobody gets until they end. */
const NOBODY: GroupKeeper = { owner: "", forget() {}, ended: (group) => group.release() };

/** How a broadcast is published. */
export interface PublishOptions {
  /**
   * Called when somebody asks for a track that was not made before: make it with `broadcast.track(name)`, now or before
   * the promise fulfils, or leave it. A track that was not made by then, or a call that throws, refuses it.
   */
  readonly ontrack?: (name: string, broadcast: BroadcastProducer) => void | Promise<void>;
}

interface Made {
  readonly track: Track;
  readonly producer: TrackProducer;
  /** Somebody waits for it to be made; fulfils with false when it was not. */
  pending: Promise<boolean> | undefined;
}

/** A broadcast being published. */
export class BroadcastProducer implements Disposable {
  /** As it was given to `publish`. */
  readonly path: string;
  readonly #context: TrackContext;
  readonly #options: PublishOptions;
  readonly #tracks = new Map<string, Made>();
  readonly #announced: Announced | undefined;

  /**
   * Announces it in an origin.
   * @internal
   */
  constructor(origin: Origin, path: string, options: PublishOptions = {}) {
    this.#context = origin.context;
    this.#options = options;
    this.path = path;
    this.#announced = origin.announce(givenPath(path), this.#source(), {
      hops: [],
      warm: 0,
      cold: 0,
    });
  }

  /** A track of this broadcast, made at the first call. `info` counts then only. @throws {RangeError} Its name is too long. */
  track(name: string, info: Partial<TrackInfo> = {}): TrackProducer {
    const known = this.#tracks.get(name);
    if (known !== undefined) {
      if (known.pending !== undefined) known.track.info = { ...DEFAULT_TRACK_INFO, ...info };
      known.pending = undefined;
      return known.producer;
    }
    return this.#make(givenName(name), info).producer;
  }

  /** Takes the broadcast back and ends its tracks. */
  close(): void {
    this.#announced?.end();
    for (const { producer } of this.#tracks.values()) producer.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The broadcast as the relay core sees it. */
  #source(): BroadcastSource {
    return {
      label: "here",
      ownTrack: (broadcast, track) => this.#ownTrack(broadcast, track),
      trackInfo: (broadcast, track) => this.#trackInfo(broadcast, track),
      // Only ever asked for tracks there are not.
      subscribe: (broadcast, track, _, sink) => refuse(broadcast, track, sink),
      fetch: (broadcast, track) => Promise.reject(new NotFound(`track ${track} of ${broadcast}`)),
    };
  }

  #ownTrack(broadcast: string, track: string): Track | undefined {
    if (broadcast !== this.#announced?.path) return undefined;
    if (!this.#tracks.has(track)) this.#ask(track);
    return this.#tracks.get(track)?.track;
  }

  async #trackInfo(broadcast: string, track: string): Promise<TrackInfo> {
    const own = this.#ownTrack(broadcast, track);
    await this.#tracks.get(track)?.pending;
    if (own === undefined || this.#tracks.get(track)?.track !== own) {
      throw new NotFound(`track ${track} of ${broadcast}`);
    }
    return own.info;
  }

  #make(name: string, info: Partial<TrackInfo> = {}): Made {
    const track = new Track(this.path, name, this.#context);
    track.info = { ...DEFAULT_TRACK_INFO, ...info };
    const made = { track, producer: new TrackProducer(track), pending: undefined };
    this.#tracks.set(name, made);
    return made;
  }

  /** Lets the owner make a track that somebody wants. */
  #ask(name: string): void {
    let asked: void | Promise<void>;
    try {
      asked = this.#options.ontrack?.(name, this);
    } catch { // It refuses.
      return;
    }
    if (!(asked instanceof Promise) || this.#tracks.has(name)) return;
    const made = this.#make(name);
    const settle = (reason: string) => {
      if (made.pending === undefined) return true;
      made.pending = undefined;
      this.#tracks.delete(name);
      made.producer.abort(reason, "not-found");
      return false;
    };
    made.pending = asked.then(
      () => settle(`there is no track ${name} in ${this.path}`),
      (error) => settle(reasonOf(error)),
    );
  }
}

/** What a source answers that has no such track. */
export function refuse(broadcast: string, track: string, sink: TrackSink): UpstreamSubscription {
  const reason = `there is no track ${track} in ${broadcast}`;
  queueMicrotask(() => sink.ended({ kind: "failed", why: "not-found", reason }));
  return { update() {}, close() {} };
}
