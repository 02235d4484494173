/** What `deno task simulate` promises, on clusters that are small enough for every run of the tests. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { type TopologyName, topologyOf } from "../../tools/simulate/network/topology.ts";
import { svgOf } from "../../tools/simulate/report/curve.ts";
import { measureScale } from "../../tools/simulate/scale.ts";
import { play, type ScenarioName, SCENARIOS } from "../../tools/simulate/scenarios.ts";
import { SimulatedTime } from "../../tools/simulate/simulated_time.ts";
import { World } from "../../tools/simulate/world.ts";

async function simulated(
  name: TopologyName,
  scenario: ScenarioName,
  { nodes = 8, sessions = true, seed = 1 } = {},
) {
  const topology = topologyOf(name, { nodes, regions: 3 });
  await using world = new World({ topology, sessions, broadcasts: 2 * nodes, seed });
  return await play(scenario, world, { flash: 200 });
}

for (const scenario of SCENARIOS) {
  Deno.test(`mesh of 8 nodes with sessions, ${scenario}: routes come to rest, one pull per node, no group lost`, async () => {
    const { problems, groups, pulls } = await simulated("mesh", scenario);
    assert.deepEqual(problems, []);
    assert.deepEqual([groups.lost, groups.repeated, groups.movedLost, pulls.perNode], [0, 0, 0, 1]);
    assert.ok(groups.seen > 400);
  });
}

for (const scenario of ["join", "leave", "kill", "partition", "rolling", "move"] as const) {
  Deno.test(`three regions of nodes with sessions, ${scenario}: media comes into a region once`, async () => {
    const { problems, pulls } = await simulated("regions", scenario, { nodes: 9 });
    assert.deepEqual([problems, pulls.perRegion], [[], 1]);
  });
}

Deno.test("a chain, a tree and a ring of parents have no loops, also while a node goes", async () => {
  for (const name of ["chain", "tree", "ring"] as const) {
    const { pulls, groups } = await simulated(name, "leave");
    assert.deepEqual([name, pulls.astray, groups.lost, groups.repeated], [name, [], 0, 0]);
  }
});

Deno.test("the same seed gives the same figures, another one others", async () => {
  const [first, second, other] = [
    await simulated("mesh", "rolling", { nodes: 4 }),
    await simulated("mesh", "rolling", { nodes: 4 }),
    await simulated("mesh", "rolling", { nodes: 4, seed: 2 }),
  ];
  assert.deepEqual(first, second);
  assert.notDeepEqual(first, other);
});

Deno.test("nodes without sessions tell each other as much as those with sessions", async () => {
  for (const name of ["mesh", "tree"] as const) {
    const told: number[] = [];
    for (const sessions of [true, false]) {
      told.push((await simulated(name, "join", { sessions })).messages);
    }
    assert.equal(told[0], told[1], name);
  }
});

Deno.test("each broadcast is told once to every other node, in a mesh and in a tree", async () => {
  for (const name of ["mesh", "tree"] as const) {
    const topology = topologyOf(name, { nodes: 12, fanout: 3 });
    const scale = await measureScale({ topology, broadcasts: 60, seed: 1 });
    const { routes, messagesPerBroadcast, messagesPerChange, problems } = scale;
    assert.deepEqual([routes, messagesPerBroadcast, messagesPerChange, problems], [
      720,
      11,
      11,
      [],
    ]);
  }
});

Deno.test("SimulatedTime makes calls in order, lets everything happen between two moments, and skips what is cancelled", async () => {
  using time = new SimulatedTime();
  const seen: string[] = [];
  const note = (what: string) => seen.push(`${time.now()} ${what}`);
  time.after(20, () => note("c"));
  time.after(10, () => {
    note("a");
    void Promise.resolve().then(() => time.after(0, () => note("b")));
    setTimeout(() => note("turn"));
  });
  time.after(15, () => note("never"))();
  await time.pass(30);
  assert.deepEqual(seen, ["10 a", "10 turn", "10 b", "20 c"]);
  assert.equal(time.now(), 30);
  let done = false;
  time.after(5, () => done = true);
  assert.equal(await time.until(() => done, 100), true);
  assert.equal(time.now(), 35);
  await setImmediate();
});

Deno.test("svgOf() draws measured points, and what goes on behind them dashed, on logarithmic axes", () => {
  const svg = svgOf([{
    ...{ title: "memory", x: "routes", y: "MiB" },
    curves: [{ name: "heap", color: "#111", points: [[10, 1], [100, 10]], further: [[1000, 100]] }],
  }]);
  assert.equal(svg.match(/<circle/g)?.length, 2);
  assert.match(svg, /stroke-width="1.5" points="62,290 234,162"/);
  assert.match(svg, /stroke-dasharray="4 3" points="234,162 406,34"/);
});
