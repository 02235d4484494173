/**
 * What happens to the cluster, and what is measured of it.
 *
 * @module
 */
import { type Groups, groupsOf, type Pulls, pullsOf, wrongRoutes } from "./checks.ts";
import type { Node } from "./node.ts";
import type { World } from "./world.ts";

export const SCENARIOS = [
  "join",
  "leave",
  "kill",
  "partition",
  "flash",
  "rolling",
  "move",
  "shield",
  "link",
] as const;
export type ScenarioName = typeof SCENARIOS[number];

/** The broadcast that is watched. */
export const LIVE = "live/match";

/** The figures of one scenario. Times are simulated. */
export interface Outcome {
  readonly scenario: ScenarioName;
  /** From the change to the last change of any route. For several changes, the longest. */
  readonly convergenceMs: number;
  /** Broadcasts that came, went, or changed their place. */
  readonly changes: number;
  /** Announcements over all links because of them. */
  readonly messages: number;
  readonly pulls: Pulls;
  readonly groups: Groups;
  /** What does not hold. */
  readonly problems: readonly string[];
}

/** A cluster takes so long to begin, and to come to rest after a change. */
const BEGIN_MS = 15_000;
const REST_MS = 15_000;

/** One change, while it is measured. */
class Measured {
  convergenceMs = 0;
  changes = 0;
  messages = 0;
  readonly problems: string[] = [];

  constructor(readonly world: World) {}

  /** Changes something and waits until the routes stand still. */
  async change(broadcasts: number, act: () => unknown, restMs = REST_MS): Promise<void> {
    const { counted, time } = this.world;
    const [messages, startMs] = [counted.messages, time.now()];
    await act();
    await time.pass(restMs);
    this.convergenceMs = Math.max(this.convergenceMs, counted.changedAtMs - startMs);
    this.changes += broadcasts;
    this.messages += counted.messages - messages;
    const wrong = wrongRoutes(this.world);
    if (wrong.length > 0) this.problems.push(`${wrong.length} wrong routes: ${wrong[0]}`);
  }
}

/** Runs one scenario in a world that has not begun. */
export async function play(
  scenario: ScenarioName,
  world: World,
  { viewers = 2 * world.size, flash = 1000 }: { viewers?: number; flash?: number } = {},
): Promise<Outcome> {
  const measured = new Measured(world);
  const { size, time } = world;
  const home = homeOf(world);
  const late = scenario === "join" ? size - 1 : undefined;
  world.startAll(late === undefined ? [] : [late]);
  await time.pass(BEGIN_MS);
  const publisher = await world.publish(LIVE, home);
  await time.pass(2000);
  const places = world.running.map(({ index }) => index);
  for (let i = 0; i < viewers; i++) world.watch(LIVE, places[i % places.length]!);
  await time.pass(5000);
  let apart = new Set<Node>();
  const own = (index: number) => world.standingAt(index).length;

  switch (scenario) {
    case "join":
      await measured.change(own(late!), () => {
        world.start(late!);
        world.watch(LIVE, late!);
      });
      break;
    case "leave":
    case "kill": {
      const gone = victimOf(world, home);
      await measured.change(
        own(gone),
        () => scenario === "kill" ? world.kill(gone) : world.stop(gone),
      );
      break;
    }
    case "partition": {
      const sideOf = (index: number) => Number(index >= size / 2);
      const far = world.running.filter(({ index }) => sideOf(index) !== sideOf(home));
      // Longer than caches hold: both sides go on alone, and viewers of the far one wait.
      await measured.change(world.running.length, () => world.split(sideOf));
      apart = new Set(far);
      await measured.change(world.running.length, () => world.heal());
      break;
    }
    case "flash": {
      await measured.change(0, async () => {
        for (let i = 0; i < flash; i++) {
          time.after(world.random() * 1000, () => world.watch(LIVE, places[i % places.length]!));
        }
        await time.pass(1000);
      });
      break;
    }
    case "rolling":
      for (const index of places) {
        await measured.change(
          2 * own(index) + Number(publisher.node?.index === index),
          async () => {
            await world.drain(index, 1000);
            await time.pass(1000);
            world.start(index);
          },
        );
      }
      break;
    case "move":
      await measured.change(1, () => world.joins(publisher, victimOf(world, home), true));
      break;
    case "link": {
      // Both nodes go on. Only viewers at the other end may notice.
      const other = shieldOf(world, home);
      apart = new Set([world.nodes[other]!]);
      await measured.change(own(home) + own(other), () => world.cut(home, other));
      break;
    }
    case "shield":
      await measured.change(own(shieldOf(world, home)), () => world.kill(shieldOf(world, home)));
      break;
  }

  const { convergenceMs, changes, messages, problems } = measured;
  const pulls = pullsOf(world, LIVE);
  const component = world.componentOf(publisher.node!.index);
  const groups = groupsOf(world, (node) => component.has(node.index) && !apart.has(node));
  return {
    ...{ scenario, convergenceMs, changes, messages, pulls, groups },
    problems: [...problems, ...problemsOf(world, scenario, pulls, groups)],
  };
}

function problemsOf(
  world: World,
  scenario: ScenarioName,
  pulls: Pulls,
  groups: Groups,
): string[] {
  const { name } = world.topology;
  const bad = (is: boolean, what: string) => is ? [what] : [];
  // A node of a ring may go on with a second pull, for a neighbour whose own route it used when that one asked.
  const turns = name === "ring" && (scenario === "link" || scenario === "shield");
  return [
    ...bad(pulls.perNode > (turns ? 2 : 1), `a node pulls ${pulls.perNode} times`),
    ...bad(
      // A shield that is there and cannot serve is passed by: each node of its region takes the direct route.
      name === "regions" && scenario !== "link" && pulls.perRegion > 1,
      `${pulls.perRegion} nodes of a region pull from elsewhere`,
    ),
    ...bad(pulls.astray.length > 0, `media of nodes ${pulls.astray.join(", ")} comes from nowhere`),
    ...bad(groups.lost > 0, `${groups.lost} groups lost`),
    ...bad(groups.repeated > 0, `${groups.repeated} groups came twice`),
    ...bad(groups.ends > 0, `the track of viewers ended ${groups.ends} times`),
  ];
}

/** The node of the publisher: not the top of a tree, and not a leaf. */
function homeOf(world: World): number {
  return Math.min(1, world.size - 1);
}

/** A node that others do not need to reach the publisher where there is another way at all. */
function victimOf(world: World, home: number): number {
  const shield = shieldOf(world, home);
  const { name } = world.topology;
  if (name === "tree" || name === "chain") return world.size - 1;
  return world.running.map(({ index }) => index)
    .find((index) => index !== home && index !== shield && index > world.size / 2)!;
}

/** The node that another region than the publisher's has the broadcast through; else one that others have it through. */
function shieldOf(world: World, home: number): number {
  const region = world.topology.regions[home];
  const fed = world.running.filter((node) => node.index !== home && node.region !== region);
  const shields = fed.filter((node) => {
    const last = [...node.origin.find(LIVE)?.tracks() ?? []]
      .find(({ track }) => track.readers > 0)?.route?.hops.at(-1);
    return world.nodes.some((other) => other?.hop === last && other?.region !== node.region);
  });
  return shields[0]?.index ?? (home + 1) % world.size;
}
