/** Applies one fault again and again to a relay that honest peers use, and reports the outcome. */
import type { Fault } from "./fault.ts";
import { type Gauges, grown } from "./gauges.ts";
import { HonestLoad } from "./honest.ts";
import { type Cost, isLevel, type Outcome, problemsOf } from "./outcome.ts";
import { usualTarget } from "./target.ts";
import { GAUGES, Watch } from "./watch.ts";

export interface ApplyOptions {
  /** Of each time. */
  readonly seconds: number;
  readonly viewers: number;
  readonly seed: number;
  readonly scale: number;
}

/** A process needs a few rounds until its size is stable. One that still grows then has a leak. */
const MAX_TIMES = 5;
/** How long sessions, broadcasts and subscriptions of bad peers may remain. All timeouts are 10 s by default. */
const RETURN_MS = 45_000;

export async function apply(fault: Fault, options: ApplyOptions): Promise<Outcome> {
  await using relay = await (fault.open ?? usualTarget)();
  const { viewers, seed, scale, seconds } = options;
  await using load = new HonestLoad({ url: relay.url, prefix: "honest", viewers });
  const watch = new Watch(relay.adminUrl);
  await watch.until((gauges) => gauges.get("qumo_sessions") === viewers + 1, 60_000);
  const before = await watch.settled();
  const memoryBefore = watch.memory();
  let cost: Cost | undefined;
  const tell = (one: Cost) => {
    if (cost === undefined || one.mbEach > cost.mbEach) cost = one;
  };
  const stage = { relay, honest: load, seed, scale, tell };
  const problems: string[] = [];
  const done: string[] = [];
  const levels: number[] = [];
  watch.peakMb = 0;
  for (let round = 0; round < 2 || (round < MAX_TIMES && !isLevel(levels)); round++) {
    const signal = AbortSignal.timeout(seconds * 1000 * (fault.length ?? 1));
    const sampling = watch.sample(signal);
    done.push(await fault.run({ ...stage, signal, seed: seed + round * 1_000_003 }));
    await sampling;
    const level = (gauges: Gauges) =>
      GAUGES.every((name) => (gauges.get(name) ?? 0) <= before.get(name)!);
    if (!await watch.until(level, RETURN_MS)) {
      const left = GAUGES.map((name) => `${name} ${before.get(name)} → ${watch.last.get(name)}`);
      problems.push(`something is left: ${left.join(", ")}`);
    }
    await watch.settled();
    levels.push(watch.memory());
  }
  const result = await load.end();
  const memory = { before: memoryBefore, peak: watch.peakMb, after: levels };
  const { seen, lost, cut } = result.groups;
  const { lostSessions, failed } = result.viewers;
  return {
    name: fault.name,
    what: fault.what,
    done: done.join("; then "),
    seconds: Math.round(levels.length * seconds * (fault.length ?? 1)),
    groups: { seen, lost, cut },
    p99Ms: Math.round(result.latencyMs.p99),
    maxMs: Math.round(result.latencyMs.max),
    memory,
    ...(cost === undefined ? {} : { cost }),
    counters: grown(before, watch.last, fault.counters),
    problems: [
      ...problems,
      ...problemsOf({ lost, cut, lostSessions: lostSessions + failed, memory, cost }),
    ],
  };
}
