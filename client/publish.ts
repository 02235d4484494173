/**
 * Broadcasts published by this process. A track is written whether anybody reads it or not. Its newest groups are kept for
 * subscribers that join late.
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
  OWN_TRACK_INFO,
  type TrackEnd,
  type TrackFailure,
  type TrackInfo,
  type TrackRequest,
  type TrackSink,
  type UpstreamSubscription,
} from "../relay/ports.ts";
import { Track, type TrackContext } from "../relay/track.ts";
import { givenName, givenPath } from "../wire/path.ts";
import { givenNumber } from "../base/given_number.ts";
import { type SubscribeOptions, Subscription } from "./subscription.ts";

/** A group being written. Close it in the end. Nobody gets an aborted group as a whole. */
export class GroupProducer implements Disposable {
  readonly #writer: GroupWriter;
  readonly #now: () => number;

  /** @internal */
  constructor(writer: GroupWriter, now: () => number) {
    this.#writer = writer;
    this.#now = now;
  }

  /** The group's number. */
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
   * @throws {GroupTooLarge} @throws {RangeError} The timestamp is not a whole number in [0, 2^53-1].
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

  /** Cuts the group off in the middle. */
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

  /** The name that subscribers ask for. */
  get name(): string {
    return this.#track.name;
  }

  /**
   * The track itself, for whoever writes it in another way; absent once nobody gets what is written here.
   * @internal
   */
  get written(): Track | undefined {
    return this.#ended || this.#superseded ? undefined : this.#track;
  }

  /** Its properties, fixed for its life. */
  get info(): TrackInfo {
    return this.#track.info;
  }

  /** Subscriptions served now. */
  get subscribers(): number {
    return this.#superseded ? 0 : this.#track.readers;
  }

  /** Called when the first subscriber comes, and when the last one has left. */
  set onsubscribed(listener: ((any: boolean) => void) | undefined) {
    this.#track.onReaders = listener;
  }

  /** Reads what is written here, in this process. The subscription counts among {@link subscribers}. */
  subscribe(options: SubscribeOptions = {}): Subscription {
    const track = this.#track;
    return new Subscription({
      path: track.broadcast,
      name: track.name,
      find: () => track,
      announced: true,
      over: false,
      watch: () => ({ close() {} }),
    }, options);
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

  /** Forgets the groups that are kept for those who join late; their numbers can be written again. Readers lose them. */
  forget(): void {
    this.written?.clear();
  }

  /**
   * Opens a group: by default the one after the last.
   * @throws {RangeError} It was opened before or is too old, its number is not whole or below 0, or the track has ended.
   */
  group(sequence: number = this.#next): GroupProducer {
    givenNumber("the number of a group", sequence);
    const { clock, limits, stats, pool } = this.#track.context;
    if (this.#superseded) {
      // The owner may go on writing. Nobody gets these groups.
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

  /** Writes a group of one frame. */
  write(payload: Uint8Array | string, timestamp?: number): void {
    // Not `using`: the minifier of `deno bundle` inlines the variable, and then it is not disposed of.
    const group = this.group();
    try {
      group.write(payload, timestamp);
    } finally {
      group.close();
    }
  }

  /** Sends a group of one frame, which may get lost, to subscribers whose version (05+) and transport have datagrams. */
  datagram(payload: Uint8Array, timestamp?: number): void {
    const stamp = timestamp ?? this.#track.context.clock.wallMs();
    const sequence = this.#next++;
    if (!this.#ended && !this.#superseded) this.#track.deliverDatagram(sequence, stamp, payload);
  }

  /** Ends the track. Subscribers get the groups that are there, and then the end. */
  close(): void {
    this.#end({ kind: "ended", nextGroup: this.#next });
  }

  /** Gives the track up. Subscribers are told that it was lost, or refused. */
  abort(reason: string, why: TrackFailure = "lost"): void {
    this.#end({ kind: "failed", why, reason });
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Another producer writes the track from now on. Nobody gets what is written here.
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

/** Holds groups that nobody gets until they end. */
const NOBODY: GroupKeeper = { owner: "", forget() {}, ended: (group) => group.release() };

/** How a broadcast is published. */
export interface PublishOptions {
  /**
   * Called when somebody asks for a track that does not exist yet. Make it with `broadcast.track(name)`, at once or before the
   * promise fulfils. If it is not made by then, or the call throws, the track is refused.
   */
  readonly ontrack?: (name: string, broadcast: BroadcastProducer) => void | Promise<void>;
}

interface Made {
  readonly track: Track;
  readonly producer: TrackProducer;
  /** Set while somebody waits for the track to be made. Fulfils with false if it was not. */
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

  /** A track of this broadcast. The first call makes it, with `info`; later calls ignore `info`. @throws {RangeError} Its name is too long. */
  track(name: string, info: Partial<TrackInfo> = {}): TrackProducer {
    const known = this.#tracks.get(name);
    if (known !== undefined) {
      if (known.pending !== undefined) known.track.info = { ...OWN_TRACK_INFO, ...info };
      known.pending = undefined;
      return known.producer;
    }
    return this.#make(givenName(name), info).producer;
  }

  /** Withdraws the announcement and ends the tracks. */
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
      // Only called for tracks and groups that do not exist.
      subscribe: (broadcast, track, _, sink) => refuse(broadcast, track, sink),
      fetch: (broadcast, track, { group }) =>
        Promise.reject(new NotFound(`group ${group} of track ${track} of ${broadcast}`, "group")),
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
    track.info = { ...OWN_TRACK_INFO, ...info };
    const made = { track, producer: new TrackProducer(track), pending: undefined };
    this.#tracks.set(name, made);
    return made;
  }

  /** Asks the application to make a track that somebody wants. */
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

/** The answer of a source that does not have the track. */
export function refuse(broadcast: string, track: string, sink: TrackSink): UpstreamSubscription {
  const reason = `there is no track ${track} in ${broadcast}`;
  queueMicrotask(() => sink.ended({ kind: "failed", why: "not-found", reason }));
  return { update() {}, close() {} };
}
