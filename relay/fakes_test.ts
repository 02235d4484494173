/**
 * What the tests of the core share: a context with a clock that stands still, readers that write down what they get,
 * and a source that does as it is told.
 *
 * @module
 */
import { ManualClock } from "../tests/support/manual_clock.ts";
import { NotFound } from "./errors.ts";
import { type Convert, copiesBy } from "./group/copies.ts";
import { FramePool } from "./group/frame_pool.ts";
import type { GroupCursor, Subgroup } from "./group/group.ts";
import type { GroupWriter } from "./group/group_writer.ts";
import type { Layout } from "./group/subgroup_head.ts";
import {
  type BroadcastSource,
  DEFAULT_TRACK_INFO,
  type FetchRequest,
  type TrackEnd,
  type TrackInfo,
  type TrackReader,
  type TrackRequest,
  type TrackSink,
  type UpstreamSubscription,
} from "./ports.ts";
import { newRelayStats } from "./stats.ts";
import type { TrackContext, TrackLimits } from "./track.ts";

export interface TestContext extends TrackContext {
  readonly clock: ManualClock;
}

export function testContext(limits: Partial<TrackLimits> = {}, convert?: Convert): TestContext {
  return {
    pool: new FramePool({ frameCapacity: 64, arenaBytes: 4096 }),
    clock: new ManualClock(),
    limits: { groupCacheSize: 8, maxAgeMs: 60_000, maxGroupBytes: 1 << 20, ...limits },
    stats: newRelayStats(),
    ...(convert !== undefined && { copyOf: copiesBy(convert) }),
  };
}

export const LIVE: TrackRequest = { priority: 100, maxLatencyMs: 0 };

/** Keeps every group it was given, and its end. */
export class FakeReader implements TrackReader {
  readonly groups: Subgroup[] = [];
  readonly datagrams: number[] = [];
  end: TrackEnd | undefined;
  /** Done with each group as it comes. */
  then: ((group: Subgroup) => void) | undefined;

  constructor(readonly request: TrackRequest = LIVE, readonly layout: Layout | "kept" = "frames") {}

  get sequences(): number[] {
    return this.groups.map((group) => group.sequence);
  }
  onGroup(group: Subgroup): void {
    this.groups.push(group);
    this.then?.(group);
  }
  onDatagram(sequence: number): void {
    this.datagrams.push(sequence);
  }
  onEnd(end: TrackEnd): void {
    this.end = end;
  }
}

/** Follows a group and copies every byte it is shown, once. */
export class Copier implements GroupCursor {
  slot = -1;
  position = 0;
  pumps = 0;
  readonly copied: number[] = [];

  constructor(readonly group: Subgroup) {
    group.attach(this);
    this.pump();
  }
  pump(): void {
    this.pumps++;
    while (this.position < this.group.bytes) {
      const slice = this.group.slice(this.position);
      this.position += slice.length;
      this.copied.push(...slice);
    }
  }
}

/** All bytes of a group that readers may see. */
export function bytesOf(group: Subgroup): Uint8Array {
  const out = new Uint8Array(group.bytes);
  for (let at = 0; at < group.bytes;) {
    const slice = group.slice(at);
    out.set(slice, at);
    at += slice.length;
  }
  return out;
}

/** `count` bytes that begin with `first` and count up. */
export function counting(count: number, first = 0): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (first + i) & 0xff);
}

/** One subscription at a {@link FakeSource}. */
export class FakeSubscription implements UpstreamSubscription {
  closed = false;
  readonly updates: TrackRequest[] = [];
  constructor(
    readonly broadcast: string,
    readonly track: string,
    readonly request: TrackRequest,
    readonly sink: TrackSink,
  ) {}

  update(request: TrackRequest): void {
    this.updates.push(request);
  }
  close(): void {
    this.closed = true;
  }
  /** A whole group of one frame. */
  group(sequence: number, payload = counting(10, sequence)): boolean {
    const writer = this.sink.openGroup(sequence);
    writer?.frame(0, payload);
    writer?.finish();
    return writer !== undefined;
  }
  refuse(reason = "refused"): void {
    this.sink.ended({ kind: "failed", why: "not-found", reason });
  }
  lost(): void {
    this.sink.ended({ kind: "failed", why: "lost", reason: "lost" });
  }
}

export class FakeSource implements BroadcastSource {
  readonly subscriptions: FakeSubscription[] = [];
  readonly fetches: { request: FetchRequest; writer: GroupWriter }[] = [];
  info: TrackInfo = DEFAULT_TRACK_INFO;
  /** Whether `fetch` finds anything; it waits for `answer` first. */
  hasGroups = true;
  answer: Promise<void> = Promise.resolve();

  constructor(readonly label: string) {}

  get last(): FakeSubscription {
    const last = this.subscriptions.at(-1);
    if (last === undefined) throw new Error(`${this.label} was not asked`);
    return last;
  }
  /** Subscriptions that nobody closed. */
  get open(): number {
    return this.subscriptions.filter((s) => !s.closed).length;
  }
  trackInfo(): Promise<TrackInfo> {
    return Promise.resolve(this.info);
  }
  subscribe(broadcast: string, track: string, request: TrackRequest, sink: TrackSink) {
    const subscription = new FakeSubscription(broadcast, track, request, sink);
    this.subscriptions.push(subscription);
    return subscription;
  }
  async fetch(_broadcast: string, track: string, request: FetchRequest, writer: GroupWriter) {
    this.fetches.push({ request, writer });
    await this.answer;
    if (!this.hasGroups) throw new NotFound(`group ${request.group} of ${track}`, "group");
    writer.frame(0, counting(10, request.group));
    writer.finish();
  }
}
