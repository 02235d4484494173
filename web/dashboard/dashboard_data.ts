/** What the dashboard makes of the admin interface's answers: rates between two looks, and a short history. */
import type {
  BroadcastJson,
  ClusterJson,
  PluginJson,
  SessionDetailJson,
  SessionJson,
  TrackJson,
} from "../../admin/shapes.ts";
import { parseSamples, type Sample, total } from "./prometheus_text.ts";

export interface TrackRow extends TrackJson {
  /** Bits per second that came in since the look before; `undefined` at the first. */
  readonly bitRate: number | undefined;
}

/** The answers of one look. */
export interface Answers {
  /** When they came, in milliseconds since 1970. */
  readonly atMs: number;
  readonly sessions: readonly SessionJson[];
  readonly broadcasts: readonly BroadcastJson[];
  readonly tracks: readonly TrackJson[];
  readonly plugins: readonly PluginJson[];
  readonly cluster: ClusterJson;
  /** The sessions of links, with what is served over them. */
  readonly linked: readonly SessionDetailJson[];
  /** The text of `/metrics`. */
  readonly metrics: string;
}

/** Figures of one look, and one point of each graph. */
export interface Figures {
  readonly atSeconds: number;
  readonly sessions: number;
  readonly bitsIn: number | null;
  readonly bitsOut: number | null;
  readonly groupsIn: number | null;
  readonly groupsOut: number | null;
  readonly groupsKept: number;
  readonly poolUsedBytes: number;
  readonly poolBytes: number;
  readonly cpu: number | null;
  readonly memoryBytes: number;
  readonly loopDelayMs: number;
  readonly uptimeMs: number;
  readonly skipped: number;
  readonly draining: boolean;
  /** `undefined` when no upstream is configured. */
  readonly upstream: { readonly connected: boolean; readonly attempts: number } | undefined;
}

export interface Look {
  readonly answers: Answers;
  readonly samples: readonly Sample[];
  readonly tracks: readonly TrackRow[];
  readonly figures: Figures;
}

/** How many points a graph keeps. */
const HISTORY = 120;

/** Turns answers into what is shown, with rates since the look before. */
export function lookFrom(answers: Answers, before: Look | undefined): Look {
  const samples = parseSamples(answers.metrics);
  const seconds = before && (answers.atMs - before.answers.atMs) / 1000;
  const value = (name: string, labels?: Readonly<Record<string, string>>) =>
    total(samples, name, labels) ?? 0;
  const rate = (name: string): number | null => {
    if (before === undefined || seconds === undefined || seconds <= 0) return null;
    // A counter that went back was that of another process.
    return Math.max(0, value(name) - (total(before.samples, name) ?? 0)) / seconds;
  };
  const eightfold = (rate: number | null) => rate === null ? null : 8 * rate;
  const connected = total(samples, "qumo_upstream_connected");
  const figures: Figures = {
    atSeconds: answers.atMs / 1000,
    sessions: answers.sessions.length,
    bitsIn: eightfold(rate("qumo_ingress_bytes_total")),
    bitsOut: eightfold(rate("qumo_egress_bytes_total")),
    groupsIn: rate("qumo_ingress_groups_total"),
    groupsOut: rate("qumo_egress_groups_total"),
    groupsKept: value("qumo_cached_groups"),
    poolUsedBytes: value("qumo_frame_pool_used_bytes"),
    poolBytes: value("qumo_frame_pool_arena_bytes"),
    cpu: rate("qumo_process_cpu_seconds_total"),
    memoryBytes: value("qumo_process_resident_memory_bytes"),
    loopDelayMs: 1000 * value("qumo_event_loop_delay_seconds"),
    uptimeMs: 1000 * value("qumo_uptime_seconds"),
    skipped: value("qumo_egress_groups_skipped_total"),
    draining: value("qumo_draining") > 0,
    upstream: connected === undefined
      ? undefined
      : { connected: connected > 0, attempts: value("qumo_upstream_attempts_total") },
  };
  return { answers, samples, tracks: withRates(answers.tracks, before, seconds), figures };
}

/** A history with one more look in it. */
export function recorded(history: readonly Figures[], figures: Figures): Figures[] {
  return [...history.slice(1 - HISTORY), figures];
}

function withRates(
  tracks: readonly TrackJson[],
  before: Look | undefined,
  seconds: number | undefined,
): TrackRow[] {
  const known = new Map(before?.tracks.map((track) => [keyOf(track), track.bytesIn]));
  return tracks.map((track) => {
    const bytes = known.get(keyOf(track));
    const grown = bytes !== undefined && track.bytesIn >= bytes && seconds !== undefined &&
      seconds > 0;
    return { ...track, bitRate: grown ? 8 * (track.bytesIn - bytes) / seconds : undefined };
  });
}

/** Neither a path nor a track's name is alone in the world; together they are. */
export const keyOf = ({ broadcast, track }: { broadcast: string; track: string }) =>
  JSON.stringify([broadcast, track]);
