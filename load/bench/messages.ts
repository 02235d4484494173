/**
 * The messages between the coordinator and its workers, which are child processes of the same program: one JSON object per
 * line. Each request gets one answer, in order.
 *
 * @module
 */
import type { LightTarget } from "../light_session.ts";
import type { HistogramData } from "../figures/histogram.ts";
import type { Plan } from "./plan.ts";
import type { TallyData } from "../figures/tally.ts";
import type { LastGroups } from "./viewer.ts";

/** Requests in the order they come. */
export type Request =
  /** The worker's share of the plan. Publishers connect; the answer comes when they have. */
  | {
    readonly type: "plan";
    readonly target: LightTarget;
    /** Viewers take turns on so many ports, the target's first. */
    readonly ports: number;
    readonly kind: "media" | "announce";
    readonly plan: Plan;
  }
  /** Publishers begin to write. */
  | { readonly type: "publish" }
  /** Viewers connect as planned. Answered at once. */
  | { readonly type: "come" }
  /** Asks for progress. Answered with a report without histograms. */
  | { readonly type: "progress" }
  /** Starts counting. */
  | { readonly type: "measure" }
  /** Stops counting. Answered with the counts. */
  | { readonly type: "measured" }
  /** Publishers end their groups. */
  | { readonly type: "stop" }
  /** Waits for frames in flight, judges what came, and ends. */
  | { readonly type: "settle"; readonly last: LastGroups };

/** What a worker counts in the measured time. */
export interface Window {
  readonly frames: number;
  readonly bytes: number;
  /** Frames that publishers wrote. */
  readonly sent: number;
  readonly load: WorkerLoad;
}

/** How busy a worker was itself. */
export interface WorkerLoad {
  /** Of one core. Absent if the system does not tell. */
  readonly cpuPercent?: number;
  /** How late its event loop was, in microseconds. */
  readonly loopUs: HistogramData;
}

export interface Progress {
  /** Viewers that have connected or failed for the first time. */
  readonly arrived: number;
  readonly up: number;
  readonly failed: number;
  readonly frames: number;
  readonly bytes: number;
}

/** The answer to each request. */
export interface Answers {
  readonly plan: Record<string, never>;
  readonly publish: Record<string, never>;
  readonly come: Record<string, never>;
  readonly progress: Progress;
  readonly measure: Record<string, never>;
  readonly measured: Window;
  readonly stop: { readonly last: LastGroups };
  readonly settle: { readonly tally: TallyData };
}

export type AnswerTo<R extends Request> = Answers[R["type"]];

/** An answer as it is sent, or why there is none. */
export type Reply = { readonly answer: unknown } | { readonly error: string };
