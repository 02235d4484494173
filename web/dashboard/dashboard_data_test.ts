import assert from "node:assert/strict";
import type { TrackJson } from "../../admin/shapes.ts";
import { type Answers, lookFrom, recorded } from "./dashboard_data.ts";

const TRACK: TrackJson = {
  broadcast: "demo",
  track: "video0",
  subscribers: 2,
  upstreamSubscriptions: 1,
  route: "127.0.0.1:5000",
  framesIn: 80,
  groupsEvicted: 5,
  info: { priority: 127, maxAgeMs: 5000, timescale: 1000 },
  groupsKept: 3,
  newestGroup: 7,
  groupsIn: 8,
  bytesIn: 1000,
};

function answers(atMs: number, metrics: string, bytesIn: number): Answers {
  return {
    atMs,
    sessions: [],
    broadcasts: [],
    tracks: [{ ...TRACK, bytesIn }],
    plugins: [],
    cluster: { nodes: [], links: [], directories: [] },
    linked: [],
    metrics,
  };
}

Deno.test("lookFrom() knows rates from the second look on", () => {
  const first = lookFrom(answers(10_000, "qumo_ingress_bytes_total 5000", 1000), undefined);
  assert.equal(first.figures.bitsIn, null);
  assert.equal(first.tracks[0]!.bitRate, undefined);
  const second = lookFrom(answers(12_000, "qumo_ingress_bytes_total 7500", 3000), first);
  assert.equal(second.figures.bitsIn, 10_000);
  assert.equal(second.tracks[0]!.bitRate, 8000);
});

Deno.test("lookFrom() takes counters that went back for a new process, not for a negative rate", () => {
  const first = lookFrom(answers(10_000, "qumo_ingress_bytes_total 5000", 1000), undefined);
  const second = lookFrom(answers(12_000, "qumo_ingress_bytes_total 10", 10), first);
  assert.equal(second.figures.bitsIn, 0);
  assert.equal(second.tracks[0]!.bitRate, undefined);
});

Deno.test("lookFrom() tells of an upstream only where one is configured", () => {
  const none = lookFrom(answers(0, "", 0), undefined);
  assert.equal(none.figures.upstream, undefined);
  const away = "qumo_upstream_connected 0\nqumo_upstream_attempts_total 3";
  const { upstream } = lookFrom(answers(0, away, 0), undefined).figures;
  assert.deepEqual(upstream, { connected: false, attempts: 3 });
});

Deno.test("recorded() keeps the last two minutes or four, not more", () => {
  const { figures } = lookFrom(answers(0, "", 0), undefined);
  let history = recorded([], figures);
  for (let i = 0; i < 500; i++) history = recorded(history, { ...figures, sessions: i });
  assert.equal(history.length, 120);
  assert.equal(history.at(-1)!.sessions, 499);
});
