import assert from "node:assert/strict";
import type { TrackProducer } from "../../client/publish.ts";
import type { Relay } from "../../server/relay.ts";
import { GroupWriter } from "../../relay/group/group_writer.ts";
import type { Viewer } from "../../session/peers_test.ts";
import type { Version } from "../../wire/versions.ts";
import { Mesh, type MeshLink } from "../support/mesh/mesh.ts";

const VERSIONS: readonly Version[] = [
  "moq-lite-06",
  "moq-lite-05",
  "moq-lite-04",
  "moq-lite-02",
  "moq-transport-18",
  "moq-transport-16",
];

/** Where in the third group something happens: inside its second frame, between two frames, before its end, behind it. */
type Moment = "frame" | "frames" | "end" | "groups";
const MOMENTS: readonly Moment[] = ["frame", "frames", "end", "groups"];

const FRAMES = 4;
const words = (group: number, frame: number) => `group ${group} frame ${frame}`;

/** Publishes groups of four frames, each frame in two halves. @param then Done at the moment. */
async function publish(
  mesh: Mesh,
  track: TrackProducer,
  groups: number,
  { frameMs = 100, moment, then }: {
    readonly frameMs?: number;
    readonly moment: Moment;
    readonly then: () => void;
  },
): Promise<void> {
  for (let number = 0; number < groups; number++) {
    const at = (here: Moment) => moment === here && number === 2 && then();
    const subgroup = track.written!.ring.add(number, mesh.clock.now())!;
    track.written!.deliver(subgroup);
    const writer = new GroupWriter(subgroup, { maxGroupBytes: 1 << 20 });
    for (let frame = 0; frame < FRAMES; frame++) {
      const payload = new TextEncoder().encode(words(number, frame));
      writer.begin(mesh.clock.wallMs(), payload.length);
      writer.payload(payload.subarray(0, 7));
      writer.commit();
      await mesh.pass(frameMs / 2);
      if (frame === 1) at("frame");
      writer.payload(payload.subarray(7));
      writer.commit();
      await mesh.pass(frameMs / 2);
      if (frame === 1) at("frames");
    }
    at("end");
    writer.finish();
    await mesh.pass(frameMs / 2);
    at("groups");
  }
  await mesh.pass(12_000, 200);
}

/** A viewer of each version at a node. */
async function viewers(mesh: Mesh, at: Relay, maxLatencyMs = 5000): Promise<Viewer[]> {
  const all: Viewer[] = [];
  for (const version of VERSIONS) {
    const client = await mesh.client(at, { version });
    all.push(mesh.watch(client, "room", "video", { maxLatencyMs }));
  }
  await mesh.pass(100);
  return all;
}

/** It has every group and every frame once, in order. */
function hasAll({ came, groups, cut, end }: Viewer, count: number, what: string): void {
  const numbers = Array.from({ length: count }, (_, i) => i);
  assert.deepEqual([came, cut, end], [numbers, [], undefined], what);
  for (const number of numbers) {
    const frames = Array.from({ length: FRAMES }, (_, i) => words(number, i));
    assert.deepEqual(groups.get(number), frames, `group ${number} ${what}`);
  }
}

/** Nothing arrives over a link any more, and it is lost after a while, as a transport notices it. */
function lose(mesh: Mesh, link: MeshLink, afterMs: number): void {
  link.silence();
  mesh.clock.after(afterMs, () => link.kill());
}

for (const version of ["moq-lite-06", "moq-lite-05"] as const) {
  Deno.test(`viewers of every version have each frame once when the link to the publisher's node is lost, over links of ${version}`, async () => {
    for (const moment of MOMENTS) {
      for (const third of ["cold", "read", "was read"]) {
        await using mesh = new Mesh();
        const [a, b, c] = mesh.nodes("a", "b", "c");
        const direct = await mesh.link(b, a, { version });
        await mesh.link(c, a, { version });
        await mesh.link(b, c, { version });
        const track = (await mesh.client(a, { hop: 9n })).publish("room").track("video");
        await mesh.pass(1000);
        const watching = await viewers(mesh, b);
        if (third !== "cold") {
          const there = await viewers(mesh, c);
          if (third === "read") watching.push(...there);
          else mesh.clock.after(300, () => there.forEach((one) => one.subscription.close()));
        }
        await publish(mesh, track, 12, { moment, then: () => lose(mesh, direct, 2500) });
        for (const viewer of watching) hasAll(viewer, 12, `${moment}, ${third}`);
      }
    }
  });
}

Deno.test("small groups that came and went while no route was there are not lost, at any latency that viewers ask for", async () => {
  for (const latencyMs of [0, 5000]) {
    await using mesh = new Mesh();
    const [a, b, c] = mesh.nodes("a", "b", "c");
    const direct = await mesh.link(b, a);
    await mesh.link(c, a);
    await mesh.link(b, c);
    const publisher = await mesh.client(a, { hop: 9n });
    const track = publisher.publish("room").track("video");
    await mesh.pass(1000);
    const watching = await viewers(mesh, b, latencyMs);
    const then = () => lose(mesh, direct, 2500);
    await publish(mesh, track, 80, { frameMs: 20, moment: "frames", then });
    for (const viewer of watching) hasAll(viewer, 80, `latency ${latencyMs}`);
  }
});

Deno.test("a node whose parent has lost the publisher goes on by the other parent, from the frame where it stopped", async () => {
  for (const moment of MOMENTS) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("origin", "left", "right", "edge", "below");
    const [origin, left, right, edge, below] = nodes;
    await mesh.link(right, origin);
    const first = await mesh.link(left, origin);
    await mesh.link(edge, right);
    await mesh.link(edge, left, { join: { linkCost: 0 } });
    await mesh.link(below, edge);
    const track = (await mesh.client(origin, { hop: 9n })).publish("room").track("video");
    await mesh.pass(1000);
    const watching = [...await viewers(mesh, edge), ...await viewers(mesh, below)];
    assert.equal(left.context.stats.subscriptions, 1, "it comes by the left one");
    await publish(mesh, track, 12, { moment, then: () => lose(mesh, first, 2500) });
    for (const viewer of watching) hasAll(viewer, 12, moment);
    assert.equal(right.context.stats.subscriptions, 1);
  }
});
