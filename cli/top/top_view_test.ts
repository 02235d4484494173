import assert from "node:assert/strict";
import type { SessionJson, TrackJson } from "../../admin/shapes.ts";
import { columnsOf } from "../shell/columns.ts";
import { type Look, ratesBetween, screenOf, sortedSessions } from "./top_view.ts";

const track = (name: string, counters: Partial<TrackJson> = {}): TrackJson => ({
  broadcast: "room/alice",
  track: name,
  subscribers: 2,
  upstreamSubscriptions: 1,
  route: "127.0.0.1:5000",
  groupsKept: 8,
  newestGroup: 41,
  groupsIn: 0,
  framesIn: 0,
  bytesIn: 0,
  groupsEvicted: 0,
  info: { priority: 128, maxAgeMs: 0, timescale: 1000 } as TrackJson["info"],
  ...counters,
});

const session = (id: number, served: number): SessionJson => ({
  jti: null,
  sub: null,
  id,
  transport: "webtransport",
  version: "moq-lite-06",
  remote: `127.0.0.1:${40_000 + id}`,
  root: "",
  startedAt: new Date(1_000_000).toISOString(),
  dialed: false,
  hop: "0",
  subscriptionsServed: served,
  subscriptionsUpstream: 0,
  announcements: 0,
});

const look = (atMs: number, tracks: TrackJson[], sessions: SessionJson[] = []): Look => ({
  atMs,
  tracks,
  sessions,
});

Deno.test("ratesBetween() divides what came in by the time between the looks, the fastest first", () => {
  const before = look(1000, [
    track("slow", { groupsIn: 10, framesIn: 100, bytesIn: 1000 }),
    track("fast", { groupsIn: 10, framesIn: 100, bytesIn: 1000 }),
  ]);
  const after = look(3000, [
    track("slow", { groupsIn: 12, framesIn: 160, bytesIn: 2000 }),
    track("fast", { groupsIn: 12, framesIn: 160, bytesIn: 251_000 }),
  ]);
  const rates = ratesBetween(before, after);
  assert.deepEqual(rates.map((r) => r.track), ["fast", "slow"]);
  const [{ groupsPerSecond, framesPerSecond, kbitPerSecond }] = rates as [typeof rates[0]];
  assert.deepEqual([groupsPerSecond, framesPerSecond, kbitPerSecond], [1, 30, 1000]);
});

Deno.test("ratesBetween() starts from zero for a track that is new or was made anew", () => {
  const before = look(0, [track("again", { framesIn: 500 })]);
  const after = look(1000, [track("again", { framesIn: 20 }), track("new", { framesIn: 30 })]);
  const rates = Object.fromEntries(
    ratesBetween(before, after).map((r) => [r.track, r.framesPerSecond]),
  );
  assert.deepEqual(rates, { again: 20, new: 30 });
});

Deno.test("ratesBetween() keeps two publishers of one name apart", () => {
  const before = look(0, [track("t", { framesIn: 10 }), track("t", { framesIn: 100 })]);
  const after = look(1000, [track("t", { framesIn: 11 }), track("t", { framesIn: 102 })]);
  assert.deepEqual(ratesBetween(before, after).map((r) => r.framesPerSecond), [1, 2]);
});

Deno.test("sortedSessions() puts those with most subscriptions first", () => {
  const sorted = sortedSessions([session(1, 0), session(2, 5), session(3, 5)]);
  assert.deepEqual(sorted.map(({ id }) => id), [2, 3, 1]);
});

Deno.test("screenOf() fits every size of terminal, and loses no column where there is room", () => {
  const tracks = Array.from({ length: 30 }, (_, i) => track(`a-track-with-a-long-name-${i}`));
  const sessions = Array.from({ length: 30 }, (_, i) => session(i + 1, i));
  const rates = ratesBetween(look(0, tracks), look(1000, tracks));
  for (const columns of [20, 60, 80, 200]) {
    for (const rows of [8, 24, 50]) {
      const lines = screenOf(rates, sessions, { title: "relay", columns, rows, wallMs: 1_075_000 });
      assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`);
      for (const line of lines) assert.ok(columnsOf(line) <= columns, line);
    }
  }
  const wide = screenOf(rates, sessions, {
    title: "relay",
    columns: 200,
    rows: Infinity,
    wallMs: 1_075_000,
  });
  assert.equal(wide.length, 5 + 60);
  assert.equal(wide[0], "relay  30 sessions  30 tracks  0.0 kbit/s in");
  assert.match(wide.at(-1)!, /1m15s/);
});

Deno.test("screenOf() shows a peer's control characters as text", () => {
  const evil = [track("\x1b[2Jgone")];
  const rates = ratesBetween(look(0, evil), look(1000, evil));
  const text = screenOf(rates, [], { title: "r", columns: 120, rows: 24, wallMs: 0 }).join("\n");
  assert.ok(text.includes("\\u001b[2Jgone"));
  assert.ok(!text.includes("\x1b"));
});

Deno.test("screenOf() keeps its columns whatever the names are made of", () => {
  const names = [
    "x".repeat(300),
    "日本語".repeat(100),
    "abc\u202efdp.exe",
    "👩\u200d🚀".repeat(90),
    "plain",
  ];
  const tracks = names.map((broadcast) => ({ ...track("tv0"), broadcast }));
  const rates = ratesBetween(look(0, tracks), look(1000, tracks));
  for (const columns of [40, 80, 120]) {
    const lines = screenOf(rates, [], { title: "r", columns, rows: 24, wallMs: 0 });
    for (const line of lines) assert.ok(columnsOf(line) <= columns, `${columnsOf(line)}: ${line}`);
    assert.doesNotMatch(lines.join(""), /\u202e/);
    const table = lines.filter((line) => line.includes("tv0"));
    assert.equal(table.length, names.length);
    const starts = new Set(table.map((line) => columnsOf(line.slice(0, line.indexOf("tv0")))));
    assert.equal(starts.size, 1, "every row has its track in the same column");
  }
});
