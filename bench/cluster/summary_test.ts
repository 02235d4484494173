import assert from "node:assert/strict";
import type { ChainName, Length } from "./chains.ts";
import type { ChainRun, Load } from "./run.ts";
import { summarizeChains } from "./summary.ts";

function run(
  subject: ChainName,
  round: number,
  length: Length,
  load: Load,
  [p50, p99, cpuUsPerFrame]: readonly [number, number, number],
): ChainRun {
  return {
    ...{ subject, round, length, load, loadAverage: 0 },
    result: {
      latencyMs: { p50, p99 },
      groups: { seen: 9, lost: 1, repeated: 0, cut: 0 },
      viewers: { failed: 0, lostSessions: 0, silent: 0 },
      relay: { cpuUsPerFrame },
    } as unknown as ChainRun["result"],
  };
}

const rounds = (subject: ChainName, addedMs: number, cpu: number) =>
  [1, 2, 3].flatMap((round) => [
    ...([1, 2, 3] as const).map((length) =>
      run(subject, round, length, "latency", [2 + length * addedMs, 5 + length * 2 * addedMs, 0])
    ),
    run(subject, round, 3, "forwarding", [0, 0, cpu]),
  ]);

Deno.test("what a relay adds is the difference between a chain of three and one, and rounds are compared by their own ratios", () => {
  const { subjects, ratio } = summarizeChains([
    ...rounds("qumo-relay", 1, 30),
    ...rounds("moq-relay", 2, 60),
  ]);
  const ours = subjects["qumo-relay"]!;
  assert.deepEqual(ours.perHop, { p50Ms: 1, p99Ms: 2 });
  assert.deepEqual(ours.latency[2], { p50Ms: 4, p99Ms: 9 });
  assert.equal(ours.cpuUsPerFrame, 30);
  assert.equal(ours.groups.lost, 12);
  assert.deepEqual(ratio, { perHopP50: 0.5, cpu: 0.5 });
});

Deno.test("without moq-relay there is no ratio", () => {
  assert.ok(Number.isNaN(summarizeChains(rounds("qumo-relay", 1, 30)).ratio.cpu));
});
