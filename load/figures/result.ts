import type { Histogram } from "./histogram.ts";
import type { GroupCounts } from "./ledger.ts";
import type { ProcessSnapshot } from "./process_stats.ts";

/** Milliseconds. */
export interface Times {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What the relay's process used in the measured time. */
export interface RelayFigures {
  /** Of one core. */
  readonly cpuPercent: number;
  readonly userMs: number;
  readonly systemMs: number;
  /** Microseconds of user and system time together; absent when nothing was delivered. */
  readonly cpuUsPerFrame?: number;
  /** At the end of the time measured. */
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  /** Before the first viewer came. */
  readonly rssBeforeBytes: number;
  /** What each viewer added. */
  readonly rssPerViewerBytes?: number;
  readonly threads: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** Both kinds. */
  readonly switchesPerFrame?: number;
}

/** How busy the generator and the machine were. */
export interface GeneratorFigures {
  /** Each worker: the one with the publishers first. */
  readonly workers: readonly {
    readonly role: "publishers" | "viewers";
    readonly cpuPercent?: number;
    readonly loopDelayP99Ms: number;
  }[];
  /** Of all cores together, everything that ran on the machine. */
  readonly machineBusyPercent?: number;
  /** Why the figures may show the generator's limit instead of the relay's. */
  readonly bottleneck?: string;
}

/** The result of one run. */
export interface BenchResult {
  /** Of the time measured. */
  readonly seconds: number;
  readonly viewers: {
    readonly planned: number;
    /** How many were connected when measuring ended. */
    readonly up: number;
    /** Sessions, including those of viewers that came back. */
    readonly sessions: number;
    readonly failed: number;
    readonly lostSessions: number;
    readonly endedSubscriptions: number;
    /** Subscribed and got nothing. */
    readonly silent: number;
  };
  readonly connectMs: Times;
  readonly firstFrameMs: Times;
  readonly frames: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  /** What would have come with every viewer connected and nothing late; 0 if that is unknown. */
  readonly expectedFramesPerSecond: number;
  /** Frames a second that the publishers wrote, on all tracks. */
  readonly publishedPerSecond: number;
  readonly latencyMs: Times;
  /** Over the whole run, of all viewers but the slow ones. */
  readonly groups: GroupCounts;
  /** Of viewers that are slow on purpose. */
  readonly slowGroups?: GroupCounts;
  readonly relay?: RelayFigures;
  readonly generator: GeneratorFigures;
  /** Why sessions failed or were lost, and how often. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** @param histogram Of microseconds. */
export function timesOf(histogram: Histogram): Times {
  const ms = (us: number) => Math.round(us / 10) / 100;
  return {
    count: histogram.count,
    p50: ms(histogram.quantile(0.5)),
    p95: ms(histogram.quantile(0.95)),
    p99: ms(histogram.quantile(0.99)),
    max: ms(histogram.max),
  };
}

export interface RelayMoments {
  /** Before the first viewer came. */
  readonly before: ProcessSnapshot;
  /** When measuring began and ended. */
  readonly from: ProcessSnapshot;
  readonly to: ProcessSnapshot;
}

/** The figures of the relay's process, from three readings. */
export function relayFigures(
  { before, from, to }: RelayMoments,
  seconds: number,
  frames: number,
  viewers: number,
): RelayFigures {
  const userMs = to.userMs - from.userMs;
  const systemMs = to.systemMs - from.systemMs;
  const voluntarySwitches = to.voluntarySwitches - from.voluntarySwitches;
  const involuntarySwitches = to.involuntarySwitches - from.involuntarySwitches;
  const perFrame = frames === 0 ? {} : {
    cpuUsPerFrame: round((userMs + systemMs) * 1000 / frames, 2),
    switchesPerFrame: round((voluntarySwitches + involuntarySwitches) / frames, 3),
  };
  return {
    cpuPercent: round((userMs + systemMs) / seconds / 10, 1),
    userMs,
    systemMs,
    ...perFrame,
    rssBytes: to.rssBytes,
    peakRssBytes: to.peakRssBytes,
    rssBeforeBytes: before.rssBytes,
    ...(viewers === 0
      ? {}
      : { rssPerViewerBytes: Math.round((to.rssBytes - before.rssBytes) / viewers) }),
    threads: to.threads,
    voluntarySwitches,
    involuntarySwitches,
  };
}

export function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
