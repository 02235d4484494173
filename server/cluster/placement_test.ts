import assert from "node:assert/strict";
import type { NodeInfo } from "./node_info.ts";
import { placed, sharedOut, shareInUse, takesNewcomers } from "./placement.ts";

const node = (name: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  url: `https://${name}.example/`,
  region: "eu",
  ...more,
});
const load = (sessions: number, cpu = 0, mbps = 0) => ({ load: { sessions, cpu, mbps } });
const names = (nodes: readonly NodeInfo[]) => nodes.map(({ url }) => new URL(url).host[0]).join("");

Deno.test("shareInUse() is the largest share of what is bounded, and never full without a bound", () => {
  assert.equal(shareInUse(node("a")), 0);
  assert.equal(shareInUse(node("a", { ...load(50), capacity: { sessions: 100 } })), 0.5);
  const two = { capacity: { sessions: 100, mbps: 1000 } };
  assert.equal(shareInUse(node("a", { ...load(50, 0.9, 800), ...two })), 0.8);
  assert.equal(shareInUse(node("a", { ...load(9, 0.7), capacity: { sessions: 0 } })), 0.7);
  assert.ok(takesNewcomers(node("a", load(1e6, 1))));
  assert.ok(!takesNewcomers(node("a", { ...load(100), capacity: { sessions: 100 } })));
});

Deno.test("placed() leaves out nodes that drain or are full", () => {
  const nodes = [
    node("a", { draining: true }),
    node("b", { ...load(10), capacity: { sessions: 10 } }),
    node("c", { ...load(3, 1.2), capacity: { cpu: 0.9 } }),
    node("d"),
  ];
  assert.equal(names(placed(nodes, { path: "x" })), "d");
  assert.deepEqual(placed(nodes.slice(0, 3), { path: "x" }), []);
});

Deno.test("placed() prefers the region, then less load in coarse steps", () => {
  const capacity = { sessions: 1000 };
  const nodes = [
    node("a", { region: "us" }),
    node("b", { ...load(900), capacity }),
    node("c", { ...load(650), capacity }),
    node("d", { region: "us", ...load(800), capacity }),
  ];
  assert.equal(names(placed(nodes, { path: "x", region: "eu" })), "cbad");
  assert.equal(names(placed(nodes, { path: "x", region: "us" })), "adcb");
  assert.equal(names(placed(nodes, { path: "x" })), "acdb", "nobody said where");
});

Deno.test("viewers of one broadcast meet at one node, and another broadcast has another one", () => {
  const nodes = ["a", "b", "c", "d"].map((name, i) => node(name, load(i)));
  const best = (path: string) => names(placed(nodes, { path, region: "eu" }))[0];
  assert.equal(best("live/1"), best("live/1"));
  assert.equal(
    names(placed(nodes.toReversed(), { path: "live/1", region: "eu" }))[0],
    best("live/1"),
    "whatever the order of the list",
  );
  const used = new Set(Array.from({ length: 50 }, (_, i) => best(`live/${i}`)));
  assert.equal(used.size, 4);
});

Deno.test("a node that most viewers of a broadcast have gone to is not the best for the next", () => {
  const path = "live/hit";
  const idle = ["a", "b", "c"].map((name) => node(name, load(0)));
  const first = placed(idle, { path, region: "eu" })[0]!;
  const crowd = idle.map((one) => one.url === first.url ? { ...one, ...load(60) } : one);
  assert.notEqual(placed(crowd, { path, region: "eu" })[0]!.url, first.url);
  const all = idle.map((one) => ({ ...one, ...load(60) }));
  assert.equal(placed(all, { path, region: "eu" })[0]!.url, first.url, "others have as many");
});

Deno.test("a flash crowd that follows placed() spreads over the nodes within a quarter of the mean", () => {
  const nodes = ["a", "b", "c", "d"].map((name) => node(name, load(0)));
  const counts = nodes.map(() => 0);
  for (let i = 0; i < 1000; i++) {
    const now = nodes.map((one, at) => ({ ...one, ...load(counts[at]!) }));
    const best = placed(now, { path: "live/hit", region: "eu" })[0]!;
    counts[nodes.findIndex(({ url }) => url === best.url)]!++;
  }
  assert.ok(Math.max(...counts) <= 250 * 1.3, String(counts));
});

Deno.test("sharedOut() evens the sessions out, counted with those it has sent", () => {
  const count = (nodes: readonly NodeInfo[], n: number, how = {}) => {
    const by = Map.groupBy(sharedOut(nodes, n, { region: "eu", ...how }), ({ url }) => url);
    return nodes.map(({ url }) => by.get(url)?.length ?? 0);
  };
  assert.deepEqual(count([node("a"), node("b")], 20), [10, 10]);
  assert.deepEqual(count([node("a", load(10)), node("b")], 20), [5, 15]);
  const rooms = [
    node("a", { ...load(0), capacity: { sessions: 100 } }),
    node("b", { ...load(0), capacity: { sessions: 300 } }),
  ];
  assert.deepEqual(count(rooms, 40), [10, 30]);
  const small = [node("a", { ...load(8), capacity: { sessions: 10 } })];
  assert.deepEqual(count(small, 20), [2], "it fills up, and nobody else takes any");
  assert.deepEqual(count(small, 20, { weight: 2 }), [1], "another thread sends as many");
  assert.deepEqual(count([], 5), []);
});

Deno.test("sharedOut() goes to another region only while its own takes nobody", () => {
  const us = node("u", { region: "us" });
  assert.equal(names(sharedOut([us, node("a", load(500))], 3, { region: "eu" })), "aaa");
  assert.equal(names(sharedOut([us, node("a", { draining: true })], 2, { region: "eu" })), "uu");
  const nearlyFull = node("a", { ...load(9), capacity: { sessions: 10 } });
  assert.equal(names(sharedOut([us, nearlyFull], 3, { region: "eu" })), "auu");
});

Deno.test("sharedOut() avoids a node whose machine is busy", () => {
  const nodes = [node("a", { ...load(0, 0.95), capacity: { cpu: 1 } }), node("b", load(5))];
  assert.equal(names(sharedOut(nodes, 3, { region: "eu" })), "bbb");
});
