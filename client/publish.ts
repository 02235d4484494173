/**
 * Broadcasts published from this process: tracks that are written whether anybody reads or not, the newest groups kept for
 * those who join late.
 *
 * @module
 */
import { NotFound } from "../relay/errors.ts";
import { GroupWriter } from "../relay/group_writer.ts";
import type { Announced, Origin } from "../relay/origin.ts";
import {
  type BroadcastSource,
  DEFAULT_TRACK_INFO,
  type TrackInfo,
  type UpstreamSubscription,
} from "../relay/ports.ts";
import { Track, type TrackContext } from "../relay/track.ts";

/** A group being written. Close it; an aborted one reaches nobody as a whole. */
export class GroupProducer implements Disposable {
  readonly #writer: GroupWriter;
  readonly #now: () => number;

  constructor(writer: GroupWriter, now: () => number) {
    this.#writer = writer;
    this.#now = now;
  }

  get sequence(): number {
    return this.#writer.group.sequence;
  }

  /**
   * Adds a frame.
   * @param timestamp In the track's timescale. Default: now, in milliseconds since 1970.
   * @throws {GroupTooLarge} @throws {RangeError} The timestamp is no whole number within ±2^52.
   */
  write(payload: Uint8Array | string, timestamp: number = this.#now()): void {
    if (!Number.isInteger(timestamp) || Math.abs(timestamp) > 2 ** 52) {
      throw new RangeError(`Cannot write a frame at timestamp ${timestamp}: it is no whole number`);
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

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A track being written. */
export class TrackProducer implements Disposable {
  readonly #track: Track;
  #next = 0;
  #ended = false;

  constructor(track: Track) {
    this.#track = track;
  }

  get name(): string {
    return this.#track.name;
  }

  /** Subscriptions served now. */
  get subscribers(): number {
    return this.#track.readers;
  }

  /** Opens a group: by default the one after the last. @throws {RangeError} It was opened before. */
  group(sequence: number = this.#next): GroupProducer {
    const { clock, limits } = this.#track.context;
    const group = this.#ended ? undefined : this.#track.ring.add(sequence, clock.now());
    if (group === undefined) {
      throw new RangeError(
        `Cannot open group ${sequence} of track ${this.name}: ` +
          (this.#ended ? "the track has ended" : "it was opened before, or is too old"),
      );
    }
    this.#next = Math.max(this.#next, sequence + 1);
    this.#track.deliver(group);
    const counters = [this.#track, this.#track.context.stats];
    return new GroupProducer(new GroupWriter(group, limits, counters), () => clock.wallMs());
  }

  /** A whole group of one frame. */
  write(payload: Uint8Array | string, timestamp?: number): void {
    using group = this.group();
    group.write(payload, timestamp);
  }

  /** A group of one frame that may get lost, to those whose version and transport have datagrams (05+). */
  datagram(payload: Uint8Array, timestamp?: number): void {
    const stamp = timestamp ?? this.#track.context.clock.wallMs();
    this.#track.deliverDatagram(this.#next++, stamp, payload);
  }

  /** Ends the track: subscribers get what is there, and the news that it is all. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#track.end({ kind: "ended", nextGroup: this.#next });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface PublishOptions {
  /** Called when somebody asks for a track that was not made before: make it, or leave it. */
  readonly ontrack?: (name: string, broadcast: BroadcastProducer) => void;
}

/** A broadcast being published. */
export class BroadcastProducer implements BroadcastSource, Disposable {
  readonly label = "here";
  readonly path: string;
  readonly #context: TrackContext;
  readonly #options: PublishOptions;
  readonly #tracks = new Map<string, { track: Track; producer: TrackProducer }>();
  readonly #announced: Announced | undefined;

  constructor(origin: Origin, path: string, options: PublishOptions = {}) {
    this.#context = origin.context;
    this.#options = options;
    this.path = path;
    this.#announced = origin.announce(path, this, { hops: [], warm: 0, cold: 0 });
  }

  /** A track of this broadcast, made at the first call. `info` counts then only. */
  track(name: string, info: Partial<TrackInfo> = {}): TrackProducer {
    const known = this.#tracks.get(name);
    if (known !== undefined) return known.producer;
    const track = new Track(this.path, name, this.#context);
    track.info = { ...DEFAULT_TRACK_INFO, ...info };
    const producer = new TrackProducer(track);
    this.#tracks.set(name, { track, producer });
    return producer;
  }

  /** Takes the broadcast back and ends its tracks. */
  close(): void {
    this.#announced?.end();
    for (const { producer } of this.#tracks.values()) producer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ownTrack(broadcast: string, track: string): Track | undefined {
    if (broadcast !== this.#announced?.path) return undefined;
    if (!this.#tracks.has(track)) this.#options.ontrack?.(track, this);
    return this.#tracks.get(track)?.track;
  }

  trackInfo(broadcast: string, track: string): Promise<TrackInfo> {
    const own = this.ownTrack(broadcast, track);
    if (own === undefined) {
      return Promise.reject(new NotFound(`track ${track} of ${broadcast}`));
    }
    return Promise.resolve(own.info);
  }

  /** Only ever asked for tracks there are not. */
  subscribe(...[broadcast, track, , sink]: Parameters<BroadcastSource["subscribe"]>) {
    const reason = `there is no track ${track} in ${broadcast}`;
    queueMicrotask(() => sink.ended({ kind: "failed", why: "not-found", reason }));
    return NOTHING;
  }

  fetch(broadcast: string, track: string): Promise<void> {
    return Promise.reject(new NotFound(`track ${track} of ${broadcast}`));
  }
}

const NOTHING: UpstreamSubscription = { update() {}, close() {} };
