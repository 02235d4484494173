/**
 * `deno task simulate`: a cluster of simulated nodes. They run the program's own code for origins, routes, feeds and sessions,
 * in simulated time.
 *
 *   deno task simulate [--topology mesh,regions,tree,ring,chain] [--scenario NAME,NAME] [--nodes 8] [--regions 4]
 *     [--broadcasts 80] [--viewers 16] [--latency 40] [--jitter 1] [--direct] [--seed 1] [--json]
 *   deno task simulate --scale --topology tree --nodes 1000 --broadcasts 500
 *   deno task simulate --all
 *
 * Nodes have sessions up to 64 of them, and none above that or with `--direct`. `--latency` is that between regions and along
 * a tree, in milliseconds. `--scale` measures routes, memory and messages; nobody watches then. `--all` does what
 * docs/scaling.md shows and writes its tables and docs/scaling.svg. Exit code 1 when something does not hold.
 */
import { parseArgs } from "node:util";
import { say } from "../say.ts";
import { everything } from "./report/page.ts";
import { outcomeTable, type Played, scaleTable } from "./report/tables.ts";
import { measureScale, type Scale } from "./scale.ts";
import { play, type ScenarioName, SCENARIOS } from "./scenarios.ts";
import { TOPOLOGIES, type TopologyName, topologyOf } from "./network/topology.ts";
import { World } from "./world.ts";

/** Most nodes with sessions. */
const MAX_SESSION_NODES = 64;

const { values } = parseArgs({
  options: {
    topology: { type: "string", default: "mesh" },
    scenario: { type: "string", default: SCENARIOS.join(",") },
    nodes: { type: "string", default: "8" },
    regions: { type: "string", default: "4" },
    broadcasts: { type: "string" },
    viewers: { type: "string" },
    latency: { type: "string", default: "40" },
    jitter: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    direct: { type: "boolean", default: false },
    scale: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const nodes = number("nodes", 2);
const seed = number("seed");
const jitterMs = number("jitter");
const broadcasts = values.broadcasts === undefined ? 10 * nodes : number("broadcasts");
const topologies = chosen("topology", TOPOLOGIES).map((name) =>
  topologyOf(name, { nodes, regions: number("regions", 1), farMs: number("latency") })
);

if (values.all) {
  const results = await everything(seed, say);
  say("written: docs/scaling.md, docs/scaling.svg");
  end(results.played, results.scales);
} else if (values.scale) {
  const scales: Scale[] = [];
  for (const topology of topologies) {
    scales.push(await measureScale({ topology, broadcasts, seed, jitterMs }));
  }
  tell(scales, scaleTable(scales));
  end([], scales);
} else {
  const played: Played[] = [];
  const sessions = !values.direct && nodes <= MAX_SESSION_NODES;
  for (const topology of topologies) {
    for (const scenario of chosen("scenario", SCENARIOS)) {
      await using world = new World({ topology, sessions, broadcasts, seed, jitterMs });
      const outcome = await play(scenario, world, {
        ...(values.viewers === undefined ? {} : { viewers: number("viewers") }),
      });
      played.push({ ...outcome, topology: topology.name, nodes, sessions });
    }
  }
  tell(played, outcomeTable(played));
  end(played, []);
}

function tell(results: readonly unknown[], table: readonly string[]): void {
  if (values.json) say(JSON.stringify(results));
  else for (const line of table) say(line);
}

/** Says what does not hold, and ends. */
function end(played: readonly Played[], scales: readonly Scale[]): never {
  const problems = [
    ...played.flatMap(({ topology, nodes, scenario, problems }) =>
      problems.map((what) => `${topology} of ${nodes}, ${scenario}: ${what}`)
    ),
    ...scales.flatMap(({ topology, nodes, problems }) =>
      problems.map((what) => `${topology} of ${nodes}: ${what}`)
    ),
  ];
  if (!values.json) { for (const problem of problems) say(`NOT IN ORDER: ${problem}`); }
  Deno.exit(problems.length === 0 ? 0 : 1);
}

/** A whole number that was given. */
function number(
  name: "nodes" | "regions" | "broadcasts" | "viewers" | "latency" | "jitter" | "seed",
  least = 0,
): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least) {
    wrong(`--${name} is a whole number of at least ${least}, not "${values[name]}"`);
  }
  return value;
}

/** Names that were given, of those there are. */
function chosen<T extends TopologyName | ScenarioName>(
  name: "topology" | "scenario",
  known: readonly T[],
): T[] {
  return values[name].split(",").map((given) =>
    known.find((one) => one === given) ??
      wrong(`no ${name} is called "${given}"; there are: ${known.join(", ")}`)
  );
}

function wrong(why: string): never {
  say(why);
  Deno.exit(2);
}
