/** Memory of the relay's process in MB, median of a few looks each. */
export interface Memory {
  readonly before: number;
  readonly peak: number;
  /** After the first time, and after the second. */
  readonly once: number;
  readonly twice: number;
}

/** What came of one fault: a row of the table. */
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
  /** Absent where it cannot be told. */
  readonly p99Ms?: number;
  readonly maxMs?: number;
  readonly memory?: Memory;
  readonly counters: Readonly<Record<string, number>>;
  /** Empty when the relay held. */
  readonly problems: readonly string[];
}

/** What a fault may add when it comes a second time; the rest is what the process keeps for good. */
const LEVEL = { factor: 1.1, mb: 10 } as const;

export function problemsOf(
  figures: {
    readonly lost: number;
    readonly cut: number;
    readonly lostSessions: number;
    readonly memory: Memory;
  },
): string[] {
  const { lost, cut, lostSessions, memory: { once, twice } } = figures;
  return [
    ...(lost > 0 ? [`${lost} groups of honest viewers were lost`] : []),
    ...(cut > 0 ? [`${cut} groups of honest viewers were cut off`] : []),
    ...(lostSessions > 0 ? [`${lostSessions} honest sessions ended`] : []),
    ...(twice > once * LEVEL.factor + LEVEL.mb
      ? [`memory grew from ${once} MB after the first time to ${twice} MB after the second`]
      : []),
  ];
}
