/** A CPU profile of V8, as `Profiler.stop` gives it and the browsers' developer tools load it. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  /** Ids of the running nodes, one per sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** The time that one function took. */
export interface Spent {
  /** "write quic_stream.ts:83", or V8's own name in brackets. */
  readonly where: string;
  readonly ms: number;
  /** Of the whole time, idle time included. */
  readonly share: number;
}

/** Time by function, the longest first. Calls of the same function from different places count together. */
export function topFunctions(profile: CpuProfile): Spent[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const us = new Map<string, number>();
  let total = 0;
  profile.samples.forEach((id, i) => {
    const where = names.get(id) ?? "(unknown)";
    const delta = profile.timeDeltas[i] ?? 0;
    us.set(where, (us.get(where) ?? 0) + delta);
    total += delta;
  });
  return [...us].map(([where, spent]) => ({ where, ms: spent / 1000, share: spent / total }))
    .sort((a, b) => b.ms - a.ms);
}

function nameOf(frame: CpuProfile["nodes"][number]["callFrame"]): string {
  const { functionName, url, lineNumber } = frame;
  if (url === "") return functionName === "" ? "(anonymous)" : functionName;
  return `${functionName || "(anonymous)"} ${url.replace(/^.*\//, "")}:${lineNumber + 1}`;
}
