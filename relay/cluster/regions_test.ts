import assert from "node:assert/strict";
import { FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { Mesh } from "../../tests/support/mesh/mesh.ts";
import type { Relay } from "../../server/relay.ts";
import type { AnnounceEvent } from "../origin.ts";
import { Origin } from "../origin.ts";
import { UPDATE_HOLD_MS } from "../watchers.ts";
import { originNodes } from "./origin_nodes.ts";
import { PeerView } from "./peer_view.ts";
import { Regions } from "./regions.ts";
import { nodeOf } from "./rendezvous.ts";

const SURCHARGE = 12;
const ROUTE = { hops: [9n, 51n], warm: 10, cold: 10 };

const nameOf = (hop: bigint) => `https://node-${hop}.example/`;

/** What a node of this region knows: those of its region, and those of region far. */
function mapOf(self: bigint, near: readonly bigint[], far: readonly bigint[] = [51n]) {
  const node = (region: string) => (hop: bigint) => ({ hop, region, name: nameOf(hop) });
  const nodes = [...near.filter((hop) => hop !== self).map(node("near")), ...far.map(node("far"))];
  return { region: "near", name: nameOf(self), surcharge: SURCHARGE, nodes };
}

/** A path whose shield among some nodes is this one. */
function pathOf(shield: bigint, near: readonly bigint[], from = 0): string {
  for (let i = from;; i++) {
    if (nodeOf(`room/${i}`, near.map(nameOf)) === nameOf(shield)) return `room/${i}`;
  }
}

function newOrigin(hop: bigint) {
  const context = testContext();
  const origin = new Origin({ context, hop, lingerMs: 0 });
  const nodes = origin.allowNodes(originNodes);
  const heard = (node: bigint): string[] => {
    const events: string[] = [];
    const listener = ({ kind, path }: AnnounceEvent) => void events.push(`${kind} ${path}`);
    new PeerView(origin).watch({ excludeHop: node, merged: true }, listener);
    return events;
  };
  return { origin, nodes, clock: context.clock, heard, peers: new PeerView(origin) };
}

Deno.test("a shield tells its region what it has from another one; the others price that route higher", () => {
  const near = [101n, 102n, 103n];
  const { origin, nodes, heard, peers } = newOrigin(101n);
  nodes.setRegions(mapOf(101n, near));
  const [own, others] = [pathOf(101n, near), pathOf(102n, near)];
  const [toNear, toFar, toUnknown] = [heard(102n), heard(52n), heard(999n)];
  for (const path of [own, others]) peers.announce(path, new FakeSource("far"), ROUTE);
  const warm = (path: string) => origin.find(path)!.best()!.warm;
  assert.deepEqual([warm(own), warm(others)], [10, 10 + SURCHARGE]);
  assert.deepEqual([toNear, toFar, toUnknown], [[`active ${own}`], [], []]);
  // What another node of the region tells is not told on, and has its price.
  peers.announce(own, new FakeSource("near"), { hops: [9n, 51n, 102n], warm: 3, cold: 3 });
  assert.equal(warm(own), 3);
  assert.deepEqual(heard(103n), [`active ${own}`]);
  assert.deepEqual(toNear, [`active ${own}`]);
});

Deno.test("whoever asks is served what came from another region, and nothing that the own region told", () => {
  const near = [101n, 102n, 103n];
  const { nodes, peers } = newOrigin(101n);
  const path = pathOf(102n, near);
  peers.announce(path, new FakeSource("far"), ROUTE);
  assert.equal(peers.find(path, 103n), undefined);
  nodes.setRegions(mapOf(101n, near, [51n, 52n]));
  // The node that asks may still have this one for the shield.
  assert.ok(peers.find(path, 103n));
  assert.equal(peers.find(path, 52n), undefined, "a node of a third region asks where it entered");
  assert.equal(peers.find(path, 51n), undefined, "who told it");
  peers.announce("b", new FakeSource("near"), { hops: [9n, 102n], warm: 1, cold: 1 });
  assert.equal(peers.find("b", 103n), undefined);
});

Deno.test("when the nodes of the region change, prices and what is told change once, for the paths concerned", () => {
  const [few, more] = [[101n, 102n], [101n, 102n, 103n]];
  const { origin, nodes, heard, peers, clock } = newOrigin(101n);
  nodes.setRegions(mapOf(101n, few));
  const paths = Array.from({ length: 60 }, (_, i) => `room/${i}`);
  for (const path of paths) peers.announce(path, new FakeSource("far"), ROUTE);
  const events = heard(102n).splice(0);
  const ours = (nodes: readonly bigint[]) =>
    paths.filter((path) => nodeOf(path, nodes.map(nameOf)) === nameOf(101n));
  assert.deepEqual(events, ours(few).map((path) => `active ${path}`));

  const toOther = heard(102n);
  toOther.splice(0);
  // It flaps within the time that merges changes: nobody hears anything of it.
  nodes.setRegions(mapOf(101n, more));
  nodes.setRegions(mapOf(101n, few));
  clock.advance(UPDATE_HOLD_MS);
  assert.deepEqual(toOther, []);

  const fresh = heard(103n);
  assert.deepEqual(fresh, [], "a node whose region is not known yet");
  nodes.setRegions(mapOf(101n, more));
  assert.deepEqual(toOther, []);
  clock.advance(UPDATE_HOLD_MS);
  const lost = ours(few).filter((path) => !ours(more).includes(path));
  assert.ok(lost.length > 3);
  assert.deepEqual(toOther, lost.map((path) => `ended ${path}`));
  assert.deepEqual(fresh.toSorted(), ours(more).map((path) => `active ${path}`).toSorted());
  for (const path of paths) {
    const more_ = ours(more).includes(path) ? 0 : SURCHARGE;
    assert.equal(origin.find(path)!.best()!.warm, 10 + more_);
  }
  toOther.splice(0);
  nodes.setRegions(undefined);
  clock.advance(UPDATE_HOLD_MS);
  assert.deepEqual(toOther.length, ours(more).length);
  assert.ok(paths.every((path) => origin.find(path)!.best()!.warm === 10));
});

Deno.test("the prices of many routes change in slices, and the next change waits for that", () => {
  const [few, more] = [[101n, 102n], [101n, 102n, 103n]];
  const { origin, nodes, peers, clock } = newOrigin(101n);
  nodes.setRegions(mapOf(101n, few));
  const paths = Array.from({ length: 3000 }, (_, i) => `room/${i}`);
  for (const path of paths) peers.announce(path, new FakeSource("far"), ROUTE);
  const wrong = (nodes: readonly bigint[]) =>
    paths.filter((path) => {
      const isShield = nodeOf(path, nodes.map(nameOf)) === nameOf(101n);
      return origin.find(path)!.best()!.warm !== (isShield ? 10 : 10 + SURCHARGE);
    }).length;
  assert.equal(wrong(few), 0);
  nodes.setRegions(mapOf(101n, more));
  clock.advance(UPDATE_HOLD_MS);
  nodes.setRegions(mapOf(101n, few));
  for (let i = 0; i < 10; i++) clock.advance(0);
  assert.equal(wrong(more), 0);
  for (let i = 0; i < 10; i++) clock.advance(UPDATE_HOLD_MS);
  assert.equal(wrong(few), 0);
});

Deno.test("nodes that disagree about their region never make a circle of routes, and everybody has a route", () => {
  const all = [101n, 102n, 103n];
  const views = [[101n], [101n, 102n], [101n, 103n], all];
  const path = "room/1";
  for (const a of views) {
    for (const b of views) {
      for (const c of views) {
        const sees = new Map(
          [[101n, a], [102n, b], [103n, c]].map(([hop, view]) =>
            [hop as bigint, new Regions(mapOf(hop as bigint, view as bigint[]))] as const
          ),
        );
        const direct = { hops: [9n, 51n], peer: true };
        // Whom each one would ask: itself (the direct route) or a node that tells it to be the shield.
        for (const self of all) {
          const costs = [{ at: self, cost: 10 + sees.get(self)!.surcharge(path, direct) }];
          for (const shield of all) {
            const regions = sees.get(shield)!;
            const tells = regions.shields(path, direct) && regions.isNear(self) === true;
            if (shield !== self && tells) costs.push({ at: shield, cost: 11 });
          }
          const best = costs.reduce((x, y) => y.cost < x.cost ? y : x);
          // Whoever is asked has the direct route for its best one.
          if (best.at !== self) assert.equal(sees.get(best.at)!.surcharge(path, direct), 0);
        }
      }
    }
  }
});

/** How many subscriptions a node serves. */
function served(at: Relay): number {
  return [...at.sessions()].reduce((sum, { session }) => sum + session.servedCount, 0);
}

/** Two regions of so many nodes each, linked with each other. */
async function twoRegions(mesh: Mesh) {
  const near = mesh.nodes("a", "b", "c");
  const far = mesh.nodes("x", "y");
  const all = [...near, ...far];
  const regionOf = (at: Relay) => near.some((one) => one === at) ? "near" : "far";
  const know = (nodes: readonly Relay[]) => {
    for (const at of nodes) {
      at.nodes.setRegions({
        region: regionOf(at),
        name: nameOf(at.hop),
        surcharge: SURCHARGE,
        nodes: nodes.filter((one) => one !== at)
          .map((one) => ({ hop: one.hop, region: regionOf(one), name: nameOf(one.hop) })),
      });
    }
  };
  know(all);
  for (const [i, from] of all.entries()) {
    for (const to of all.slice(0, i)) {
      const linkCost = regionOf(from) === regionOf(to) ? 1 : 10;
      const [join, accept] = [{ peer: true, linkCost }, { peer: true }];
      await mesh.link(from, to, { join, accept });
    }
  }
  return { near, far, all, know };
}

Deno.test("a broadcast comes into a region once; when the shield dies, all go on without it", async () => {
  await using mesh = new Mesh();
  const { near, far, know } = await twoRegions(mesh);
  const path = pathOf(near[1].hop, near.map(({ hop }) => hop));
  const publisher = await mesh.client(far[0], { hop: 9n });
  const track = publisher.publish(path).track("video");
  await mesh.pass(500);
  const viewers = [];
  for (const at of near) viewers.push(mesh.watch(await mesh.client(at), path, "video"));
  await mesh.pass(500);
  let group = 0;
  const write = async () => {
    track.write(`group ${group++}`);
    await mesh.pass(100);
  };
  await write();
  assert.equal(near[1].origin.find(path)!.best()!.hops.length, 2);
  for (const at of [near[0], near[2]]) {
    const [best, next] = at.origin.find(path)!.routes;
    assert.deepEqual([best!.hops, best!.warm], [[9n, far[0].hop, near[1].hop], 12]);
    assert.deepEqual([next!.hops, next!.warm], [[9n, far[0].hop], 11 + SURCHARGE]);
  }
  assert.equal(served(far[0]), 1);
  assert.equal(served(near[1]), 3);

  mesh.kill(near[1]);
  await mesh.pass(100);
  await write();
  for (const at of [near[0], near[2]]) assert.equal(at.origin.find(path)!.best()!.hops.length, 2);
  for (const viewer of [viewers[0]!, viewers[2]!]) {
    assert.deepEqual(viewer.whole, [0, 1]);
    assert.equal(viewer.end, undefined);
  }
  // The cluster notices: another shield, and one pull again.
  know([near[0], near[2], ...far]);
  await mesh.pass(2 * UPDATE_HOLD_MS + 100);
  await write();
  await write();
  await mesh.pass(11_000, 500); // a subscription that was left has ended by then
  await write();
  assert.equal(served(far[0]), 1);
  for (const viewer of [viewers[0]!, viewers[2]!]) assert.deepEqual(viewer.whole, [0, 1, 2, 3, 4]);
});

/** A generator of numbers that are the same in each run. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2 ** 16 + 1;
  return (sides) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9 | 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

for (const seed of [1, 2, 3, 4]) {
  Deno.test(`whatever nodes believe of their regions, every viewer gets every group (${seed})`, async () => {
    await using mesh = new Mesh();
    const { near, far, all } = await twoRegions(mesh);
    const roll = dice(seed);
    const publisher = await mesh.client(far[0], { hop: 9n });
    const paths = ["room/1", "room/2", "room/3"];
    const tracks = paths.map((path) => publisher.publish(path).track("video"));
    await mesh.pass(500);
    const viewers = [];
    for (const at of all) {
      const client = await mesh.client(at);
      for (const path of paths) viewers.push(mesh.watch(client, path, "video"));
    }
    await mesh.pass(500);
    const believes = (at: Relay) => {
      const others = all.filter((one) => one !== at && roll(4) > 0);
      const region = (one: Relay) =>
        (near.some((n) => n === one) === (roll(5) > 0)) ? "near" : "far";
      at.nodes.setRegions(
        roll(6) === 0 ? undefined : {
          ...{ region: region(at), surcharge: SURCHARGE },
          ...(roll(4) === 0 ? {} : { name: nameOf(at.hop) }),
          nodes: others.map((one) => ({
            hop: one.hop,
            region: region(one),
            name: nameOf(one.hop),
          })),
        },
      );
    };
    const rounds = 24;
    const asked = () => all.reduce((sum, at) => sum + at.stats.upstreamSubscriptions, 0);
    const before = asked();
    for (let round = 0; round < rounds; round++) {
      for (const at of all) if (roll(2) === 0) believes(at);
      for (const track of tracks) track.write(`${round}`);
      await mesh.pass([20, 100, 320, 700][roll(4)]!);
    }
    await mesh.pass(1000);
    assert.ok(asked() > before + 5, "feeds have moved");
    for (const viewer of viewers) {
      assert.equal(viewer.end, undefined);
      assert.deepEqual(
        viewer.whole.toSorted((a, b) => a - b),
        Array.from({ length: rounds }, (_, i) => i),
      );
      assert.deepEqual(viewer.cut, []);
    }
  });
}
