/**
 * What docs/scaling.md shows: which sizes and scenarios, the tables, the curves.
 *
 * @module
 */
import { describeMachine, type Machine } from "../../../bench/peers/machine.ts";
import { type Marks, withPart } from "../../docs/marked_part.ts";
import { fromFileUrl } from "../../file_url.ts";
import { measureScale, type Scale } from "../scale.ts";
import { play, SCENARIOS } from "../scenarios.ts";
import { type TopologyName, topologyOf } from "../network/topology.ts";
import { World } from "../world.ts";
import { type Curve, svgOf } from "./curve.ts";
import { outcomeTable, type Played, scaleTable } from "./tables.ts";

export interface Results {
  readonly date: string;
  readonly seed: number;
  readonly machine: Machine;
  readonly played: readonly Played[];
  readonly scales: readonly Scale[];
}

const PAGE = fromFileUrl(new URL("../../../docs/scaling.md", import.meta.url));
const RESULTS = fromFileUrl(new URL("../../../bench/results/scaling.json", import.meta.url));
const PICTURE = fromFileUrl(new URL("../../../docs/scaling.svg", import.meta.url));

const marks = (name: string): Marks => ({
  begin: `<!-- ${name}, made by \`deno task simulate --all\`: do not edit -->`,
  end: `<!-- end of ${name} -->`,
});

/** Every scenario in these. */
const PLAYED: readonly (readonly [TopologyName, nodes: number, regions: number])[] = [
  ["mesh", 8, 1],
  ["regions", 12, 4],
  ["tree", 13, 1],
  ["ring", 8, 1],
  ["chain", 8, 1],
];

/** Routes and messages of these. The largest come last. */
const SCALED: readonly (readonly [TopologyName, nodes: number, broadcasts: number])[] = [
  ["mesh", 8, 500],
  ["mesh", 16, 500],
  ["mesh", 32, 500],
  ["mesh", 64, 500],
  ["regions", 32, 500],
  ["tree", 10, 500],
  ["tree", 100, 500],
  ["tree", 1000, 50],
  ["chain", 8, 50],
  ["chain", 16, 50],
  ["chain", 30, 50],
  ["ring", 8, 50],
  ["ring", 16, 50],
  ["ring", 30, 50],
  ["tree", 1000, 500],
  ["mesh", 64, 10_000],
  ["tree", 200, 5000],
];

/** Runs it all, and writes after each size what there is so far. @param say Is told what is done. */
export async function everything(seed: number, say: (line: string) => void): Promise<Results> {
  const date = new Date().toISOString().slice(0, 10);
  const machine = describeMachine();
  const played: Played[] = [];
  const scales: Scale[] = [];
  const results = () => ({ date, seed, machine, played, scales });
  for (const [name, nodes, regions] of PLAYED) {
    const topology = topologyOf(name, { nodes, regions });
    for (const scenario of SCENARIOS) {
      if (scenario === "shield" && name !== "regions") continue;
      if (scenario === "link" && (name === "tree" || name === "chain")) continue;
      say(`${name} of ${nodes}: ${scenario}`);
      await using world = new World({ topology, sessions: true, broadcasts: 10 * nodes, seed });
      played.push({ ...await play(scenario, world), topology: name, nodes, sessions: true });
    }
  }
  for (const [name, nodes, broadcasts] of SCALED) {
    say(`${name} of ${nodes} with ${broadcasts} broadcasts`);
    const topology = topologyOf(name, { nodes });
    scales.push(await measureScale({ topology, broadcasts, seed }));
    await write(results());
  }
  return results();
}

/** Writes the tables and the curves. @throws {Error} The page has lost a mark. */
async function write(results: Results): Promise<void> {
  const { date, seed, machine, played, scales } = results;
  let page = await Deno.readTextFile(PAGE);
  const measured = `Simulated on ${date} with seed ${seed}, Deno ${machine.deno}.`;
  page = withPart(
    page,
    marks("scenarios"),
    [measured, "", ...outcomeTable(played)].join("\n"),
  );
  page = withPart(page, marks("sizes"), scaleTable(scales).join("\n"));
  await Deno.writeTextFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  await Deno.writeTextFile(PAGE, page);
  await Deno.writeTextFile(PICTURE, pictureOf(scales));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE, RESULTS] }).output();
}

/** Memory over routes, and the time of a change over nodes. */
export function pictureOf(scales: readonly Scale[]): string {
  const memory = scales.filter(({ bytesPerRoute }) => bytesPerRoute !== undefined)
    .map((
      { routes, bytesPerRoute },
    ): [number, number] => [routes, routes * bytesPerRoute! / 2 ** 20])
    .sort(([a], [b]) => a - b);
  const [lastRoutes, lastMb] = memory.at(-1) ?? [1, 1];
  const wanted = [5_000_000].filter((routes) => routes > lastRoutes);
  const changes = (name: TopologyName, color: string): Curve => ({
    name,
    color,
    points: scales.filter((one) => one.topology === name && one.broadcasts <= 1000)
      .map(({ nodes, changeMs }) => [nodes, changeMs] as const).sort(([a], [b]) => a - b),
  });
  return svgOf([
    {
      title: "Memory of all nodes together",
      x: "routes: nodes × broadcasts",
      y: "MiB",
      curves: [{
        name: "heap; dashed: not measured",
        color: "#2563eb",
        points: memory,
        further: wanted.map((routes) => [routes, lastMb * routes / lastRoutes] as const),
      }],
    },
    {
      title: "Until every node knows one more broadcast",
      x: "nodes",
      y: "simulated ms",
      curves: [
        changes("mesh", "#2563eb"),
        changes("tree", "#16a34a"),
        changes("ring", "#d97706"),
        changes("chain", "#dc2626"),
      ],
    },
  ]);
}
