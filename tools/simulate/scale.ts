/**
 * How large it gets: routes, memory and messages of a cluster in which every node knows every broadcast. Nobody watches.
 *
 * @module
 */
import { wrongRoutes } from "./checks.ts";
import type { Topology } from "./network/topology.ts";
import { World } from "./world.ts";

/** The figures of one size. */
export interface Scale {
  readonly topology: Topology["name"];
  readonly nodes: number;
  readonly broadcasts: number;
  /** Over all nodes: each node has one for each broadcast, and those of other ways to it. */
  readonly routes: number;
  /** Of the heap, per route: with its broadcast, its path, and what each link remembers of it. Absent where it is not known. */
  readonly bytesPerRoute?: number;
  /** From the start of all nodes to the last change of any route. */
  readonly convergenceMs: number;
  /** Announcements over all links until then, per broadcast. */
  readonly messagesPerBroadcast: number;
  /** Announcements over all links for one broadcast that comes later, and how long that takes. */
  readonly messagesPerChange: number;
  readonly changeMs: number;
  /** Time of the machine for all of it. */
  readonly tookMs: number;
  readonly problems: readonly string[];
}

/** A start takes so long at most. */
const START_MS = 60_000;

export async function measureScale(
  { topology, broadcasts, seed, jitterMs = 1 }: {
    readonly topology: Topology;
    readonly broadcasts: number;
    readonly seed: number;
    readonly jitterMs?: number;
  },
): Promise<Scale> {
  const startedMs = performance.now();
  const before = heapBytes();
  await using world = new World({ topology, sessions: false, broadcasts, seed, jitterMs });
  const { counted, time } = world;
  world.startAll();
  await time.pass(START_MS);
  const convergenceMs = counted.changedAtMs;
  const told = counted.messages;
  const after = heapBytes();
  let routes = 0;
  for (const { origin } of world.running) {
    for (const [, all] of origin.broadcasts()) {
      for (const broadcast of all) routes += broadcast.routes.length;
    }
  }
  const wrong = wrongRoutes(world);
  const fromMs = time.now();
  world.stand("events/late", Math.min(1, world.size - 1));
  await time.pass(START_MS);
  return {
    topology: topology.name,
    nodes: world.size,
    ...{ broadcasts, routes, convergenceMs },
    ...(before === undefined || after === undefined
      ? {}
      : { bytesPerRoute: Math.round((after - before) / routes) }),
    messagesPerBroadcast: told / broadcasts,
    messagesPerChange: counted.messages - told,
    changeMs: counted.changedAtMs - fromMs,
    tookMs: Math.round(performance.now() - startedMs),
    problems: wrong.length > 0 ? [`${wrong.length} wrong routes: ${wrong[0]}`] : [],
  };
}

/** The heap without garbage; `undefined` where it cannot be collected: that needs `--v8-flags=--expose-gc`. */
function heapBytes(): number | undefined {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return undefined;
  for (let i = 0; i < 3; i++) gc();
  return Deno.memoryUsage().heapUsed;
}
