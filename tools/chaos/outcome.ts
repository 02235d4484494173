/** What one connection cost while many were held, in megabytes of the relay's resident memory. */
export interface Cost {
  /** How many were held at once. */
  readonly peers: number;
  readonly mbEach: number;
  /** What it may cost. */
  readonly boundMb: number;
}

/** Memory of the relay's process in MB. Each value is the median of a few readings. */
export interface Memory {
  readonly before: number;
  readonly peak: number;
  /** After each round of the fault. */
  readonly after: readonly number[];
}

/** The outcome of one fault: a row of the table. */
export interface Outcome {
  readonly name: string;
  readonly what: string;
  /** What was done, in numbers. */
  readonly done: string;
  readonly seconds: number;
  readonly groups: {
    readonly seen: number;
    readonly lost: number;
    readonly cut: number;
  };
  /** Absent if it is unknown. */
  readonly p99Ms?: number;
  readonly maxMs?: number;
  readonly memory?: Memory;
  /** The highest of all rounds, if single connections were measured. */
  readonly cost?: Cost;
  readonly counters: Readonly<Record<string, number>>;
  /** Empty when the relay held. */
  readonly problems: readonly string[];
}

/** How much memory a later round of a fault may add. */
const LEVEL = { factor: 1.1, mb: 5 } as const;

/** Whether memory is stable: the last round added almost nothing. */
export function isLevel(after: readonly number[]): boolean {
  const [last, before] = [after.at(-1)!, after.at(-2)!];
  return last <= before * LEVEL.factor + LEVEL.mb;
}

export function problemsOf(
  figures: {
    readonly lost: number;
    readonly cut: number;
    readonly lostSessions: number;
    readonly memory: Memory;
    readonly cost?: Cost | undefined;
  },
): string[] {
  const { lost, cut, lostSessions, memory: { after }, cost } = figures;
  return [
    ...(lost > 0 ? [`${lost} groups of honest viewers were lost`] : []),
    ...(cut > 0 ? [`${cut} groups of honest viewers were cut off`] : []),
    ...(lostSessions > 0 ? [`${lostSessions} honest sessions ended`] : []),
    ...(cost !== undefined && cost.peers === 0 ? ["no peer got as far as to cost something"] : []),
    ...(cost !== undefined && cost.mbEach > cost.boundMb
      ? [`one connection cost ${cost.mbEach} MB, and may cost ${cost.boundMb}`]
      : []),
    ...(isLevel(after) ? [] : [`memory grew each time: ${after.join(", ")} MB`]),
  ];
}
