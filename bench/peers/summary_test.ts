import assert from "node:assert/strict";
import type { BenchResult } from "../../load/figures/result.ts";
import { type PeersResult, tables, withResults } from "./document.ts";
import { SHAPES } from "./shapes.ts";
import type { SubjectName } from "./subjects.ts";
import { median, summarize } from "./summary.ts";

const times = { count: 1, p50: 1, p95: 2, p99: 3, max: 4 };

function run(subject: SubjectName, round: number, cpuUsPerFrame: number, lost = 0) {
  const result: BenchResult = {
    seconds: 8,
    viewers: {
      ...{ planned: 2, up: 2, sessions: 2, failed: 0, lostSessions: 0 },
      ...{ endedSubscriptions: 0, silent: 0 },
    },
    connectMs: times,
    firstFrameMs: times,
    frames: 100,
    framesPerSecond: 99,
    bytesPerSecond: 1,
    expectedFramesPerSecond: 100,
    publishedPerSecond: 1,
    latencyMs: times,
    groups: { seen: 9, lost, repeated: 0, cut: 0 },
    relay: {
      ...{ cpuPercent: 1, userMs: 1, systemMs: 1, cpuUsPerFrame, rssBytes: 2 << 20 },
      ...{ peakRssBytes: 2 << 20, rssBeforeBytes: 1 << 20, rssPerViewerBytes: 1 << 19, threads: 1 },
      ...{ voluntarySwitches: 1, involuntarySwitches: 1, switchesPerFrame: 0.1 },
    },
    generator: { workers: [], machineBusyPercent: 50 },
    reasons: {},
  };
  return { subject, round, loadAverage: 1, result };
}

Deno.test("median() is the middle, or between the two in the middle", () => {
  assert.equal(median([9, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 9]), 3);
  assert.ok(Number.isNaN(median([])));
});

const runs = [
  ...[run("qumo-relay", 1, 20), run("moq-relay", 1, 40), run("floor", 1, 16)],
  ...[run("qumo-relay", 2, 60, 3), run("moq-relay", 2, 90), run("qumo-relay", 3, 22)],
  run("moq-relay", 3, 44),
];

Deno.test("summarize() compares within a round, so that a busy one does no harm", () => {
  const { medians, cpuRatio } = summarize(SHAPES[0]!, runs);
  assert.equal(medians["qumo-relay"]!.cpuUsPerFrame, 22);
  assert.equal(medians["qumo-relay"]!.lost, 3);
  assert.deepEqual([medians.floor!.rounds, medians.floor!.rssPerViewerKb], [1, 512]);
  assert.deepEqual(cpuRatio, { "moq-relay": 0.5, floor: 1.25 });
});

Deno.test("withResults() replaces what stands between the marks, and only that", () => {
  const result: PeersResult = {
    date: "2026-01-02",
    machine: {
      ...{ cpu: "a CPU", cores: 2, memoryGb: 4, kernel: "linux 6", deno: "2" },
      receiveBufferBytes: 212_992,
    },
    versions: { "qumo-relay": "0.1.0" },
    rounds: 3,
    durationMs: 8000,
    loadAverage: { min: 0, max: 1 },
    shapes: [summarize(SHAPES[0]!, runs)],
  };
  const document = Deno.readTextFileSync(new URL("../../docs/performance.md", import.meta.url));
  const once = withResults(document, result);
  assert.ok(once.includes(tables(result)));
  assert.match(once, /\| 22\.0 \| 44\.0 \| 16\.0 \| 0\.50 \| 1\.25 \|/);
  assert.equal(withResults(once, result), once);
  assert.ok(once.startsWith(document.slice(0, document.indexOf("<!--"))));
  assert.throws(() => withResults("no place", result), /no place marked/);
});
