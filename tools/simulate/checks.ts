/**
 * What must hold at the end of every scenario.
 *
 * @module
 */
import type { Node } from "./node.ts";
import { FRAMES } from "./publisher.ts";
import type { World } from "./world.ts";

/** The subscriptions of one broadcast, over all nodes. */
export interface Pulls {
  /** Most subscriptions of one node at the same time. */
  readonly perNode: number;
  /** Most nodes of one region that have it from another region, or from the publisher. */
  readonly perRegion: number;
  /** Most nodes that media goes through on its way from the publisher to a viewer. */
  readonly depth: number;
  /** Nodes whose media goes round in a ring, or comes from nowhere. */
  readonly astray: readonly number[];
}

/** Nodes that lack a route to a broadcast that they could reach, or have one that leads nowhere. */
export function wrongRoutes(world: World): string[] {
  const wrong: string[] = [];
  for (const node of world.running) {
    const within = world.componentOf(node.index);
    const expected = new Set([...within].flatMap((index) => world.standingAt(index)));
    for (const { path, node: at } of world.publishers) {
      if (at !== undefined && within.has(at.index)) expected.add(path);
    }
    for (const [path, [first]] of node.origin.broadcasts()) {
      if ((first?.routes.length ?? 0) === 0) {
        wrong.push(`node ${node.index} has no route to ${path}`);
      } else if (!expected.delete(path)) {
        wrong.push(`node ${node.index} knows ${path}, which is gone`);
      }
    }
    // Peers do not tell on what peers told: what enters at the other end of a cut link may be out of reach.
    for (const { index } of world.running) {
      if (!world.isCut(node.index, index) || index === node.index) continue;
      for (const path of world.standingAt(index)) expected.delete(path);
      for (const { path, node: at } of world.publishers) {
        if (at?.index === index) expected.delete(path);
      }
    }
    for (const path of expected) wrong.push(`node ${node.index} does not know ${path}`);
  }
  return wrong;
}

/** Who has a broadcast from whom now. */
export function pullsOf(world: World, path: string): Pulls {
  const byHop = new Map(world.running.map((node) => [node.hop, node]));
  const publishers = new Set(world.publishers.map(({ hop }) => hop));
  const from = new Map<Node, Node | "publisher" | undefined>();
  let perNode = 0;
  for (const node of world.running) {
    let own = 0;
    for (const { track, route } of node.origin.find(path)?.tracks() ?? []) {
      if (track.readers === 0 || route === undefined) continue;
      own++;
      const last = route.hops.at(-1)!;
      from.set(node, publishers.has(last) ? "publisher" : byHop.get(last));
    }
    perNode = Math.max(perNode, own);
  }
  const inward = new Map<string, number>();
  const astray: number[] = [];
  let depth = 0;
  for (const [node, source] of from) {
    if (source === "publisher" || source?.region !== node.region) {
      inward.set(node.region, (inward.get(node.region) ?? 0) + 1);
    }
    const way = new Set<Node>();
    let at: Node | "publisher" | undefined = node;
    while (at !== undefined && at !== "publisher" && !way.has(at)) {
      way.add(at);
      at = from.get(at);
    }
    if (at !== "publisher") astray.push(node.index);
    depth = Math.max(depth, way.size);
  }
  return { perNode, perRegion: Math.max(0, ...inward.values()), depth, astray };
}

/** What viewers got, those that stayed at their node apart from those that had to go. */
export interface Groups {
  readonly seen: number;
  readonly lost: number;
  readonly repeated: number;
  /** How often the track of a viewer ended that stayed. */
  readonly ends: number;
  /** Viewers whose node went away, and the groups that they lost. */
  readonly moved: number;
  readonly movedLost: number;
}

/** @param counts Whether a viewer is looked at: it could always reach the publisher. */
export function groupsOf(world: World, counts: (node: Node) => boolean = () => true): Groups {
  const sum = { seen: 0, lost: 0, repeated: 0, ends: 0, moved: 0, movedLost: 0 };
  // The newest ones may be on their way.
  const last = world.publishers[0]!.groups - 8;
  for (const viewer of world.viewers) {
    if (!viewer.node.up || !counts(viewer.node)) continue;
    const { seen, lost, repeated } = viewer.watched(last, FRAMES);
    sum.seen += seen;
    sum.repeated += repeated;
    if (viewer.moves > 0) {
      sum.moved++;
      sum.movedLost += lost;
    } else {
      sum.lost += lost;
      sum.ends += viewer.ends;
    }
  }
  return sum;
}
