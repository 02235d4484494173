import { Histogram, type HistogramData } from "./histogram.ts";
import type { GroupCounts } from "./ledger.ts";

/** What a group of viewers has seen, as plain data. */
export interface TallyData {
  /** Viewers that are connected now. */
  readonly up: number;
  /** Sessions that began, including those of returning viewers. */
  readonly connected: number;
  readonly failed: number;
  /** Sessions that we did not end. */
  readonly lost: number;
  /** Subscriptions that the relay ended while there was more to come. */
  readonly refused: number;
  /** Sessions that lasted their whole time and got no group. */
  readonly silent: number;
  readonly frames: number;
  readonly bytes: number;
  readonly groups: GroupCounts;
  /** The same of viewers that are slow on purpose. */
  readonly slowGroups: GroupCounts;
  /** Microseconds. */
  readonly connectUs: HistogramData;
  readonly firstFrameUs: HistogramData;
  readonly latencyUs: HistogramData;
  /** Why sessions failed or were lost, and how often; the first few. */
  readonly reasons: Readonly<Record<string, number>>;
}

const MAX_REASONS = 8;
const COUNTERS = [
  ...["up", "connected", "failed", "lost", "refused", "silent", "frames", "bytes"] as const,
];
const TIMES = ["connectUs", "firstFrameUs", "latencyUs"] as const;
const NO_GROUPS: GroupCounts = { seen: 0, lost: 0, repeated: 0, cut: 0 };

/** The counters that all viewers of a process write into. */
export class Tally {
  up = 0;
  connected = 0;
  failed = 0;
  lost = 0;
  refused = 0;
  silent = 0;
  frames = 0;
  bytes = 0;
  /** Streams that have ended, in order or not. Stays in the process. */
  streamsEnded = 0;
  /** Latency counts only while this is set. */
  measuring = false;
  readonly groups = { ...NO_GROUPS };
  readonly slowGroups = { ...NO_GROUPS };
  readonly connectUs = new Histogram();
  readonly firstFrameUs = new Histogram();
  readonly latencyUs = new Histogram();
  readonly reasons: Record<string, number> = {};

  /** Remembers why something failed. */
  reason(why: string): void {
    const known = Object.hasOwn(this.reasons, why);
    if (!known && Object.keys(this.reasons).length >= MAX_REASONS) return;
    this.reasons[why] = (this.reasons[why] ?? 0) + 1;
  }

  /** Adds a judged subscription. */
  judged(counts: GroupCounts, slow: boolean): void {
    addCounts(slow ? this.slowGroups : this.groups, counts);
  }

  toJSON(): TallyData {
    const { up, connected, failed, lost, refused, silent, frames, bytes } = this;
    return {
      ...{ up, connected, failed, lost, refused, silent, frames, bytes },
      groups: { ...this.groups },
      slowGroups: { ...this.slowGroups },
      connectUs: this.connectUs.toJSON(),
      firstFrameUs: this.firstFrameUs.toJSON(),
      latencyUs: this.latencyUs.toJSON(),
      reasons: { ...this.reasons },
    };
  }

  /** Adds what another process has counted. */
  add(data: TallyData): void {
    for (const key of COUNTERS) this[key] += data[key];
    addCounts(this.groups, data.groups);
    addCounts(this.slowGroups, data.slowGroups);
    for (const key of TIMES) this[key].add(data[key]);
    for (const [why, times] of Object.entries(data.reasons)) {
      this.reasons[why] = (this.reasons[why] ?? 0) + times;
    }
  }
}

function addCounts(to: GroupCounts, from: GroupCounts): void {
  to.seen += from.seen;
  to.lost += from.lost;
  to.repeated += from.repeated;
  to.cut += from.cut;
}
