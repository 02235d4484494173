import assert from "node:assert/strict";
import type { Client, ClientOptions } from "../../client/client.ts";
import type { TrackProducer } from "../../client/publish.ts";
import type { Relay } from "../../server/relay.ts";
import type { Viewer } from "../../session/peers_test.ts";
import type { Version } from "../../wire/versions.ts";
import { Mesh, type Way } from "../support/mesh/mesh.ts";

/** A player: subscribes whenever the broadcast is announced, and notes what it sees. */
class Player {
  /** "active", "ended", and the number of each group. */
  readonly log: (string | number)[] = [];
  #viewer: Viewer | undefined;
  #active = false;

  constructor(readonly client: Client, readonly mesh: Mesh) {
    void this.#run();
  }

  async #run(): Promise<void> {
    for await (const { active } of this.client.announced("room")) {
      if (active === this.#active) continue; // it comes by another route
      this.#active = active;
      this.log.push(active ? "active" : "ended");
      this.#viewer?.subscription.close();
      if (!active) continue;
      const viewer = this.#viewer = this.mesh.watch(this.client, "room", "video");
      const { came } = viewer;
      came.push = (sequence) => {
        if (this.#viewer === viewer) this.log.push(sequence);
        return 0;
      };
    }
  }
}

/** Groups of one frame, one each 200 ms. */
async function groups(mesh: Mesh, track: TrackProducer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    track.write(`g${track.nextGroup}`);
    await mesh.pass(200, 50);
  }
}

const VERSIONS: readonly Version[] = [
  "moq-lite-06",
  "moq-lite-05",
  "moq-lite-02",
  "moq-transport-18",
  "moq-transport-16",
];

/** A publisher of hop 9 whose next group is this one. */
async function encoder(mesh: Mesh, at: Relay, next = 0, options: ClientOptions & Way = {}) {
  const client = await mesh.client(at, { hop: 9n, ...options });
  const track = client.publish("room").track("video");
  if (next > 0) track.skip(next);
  return { client, track, link: client.link };
}

async function players(mesh: Mesh, at: readonly Relay[], versions: readonly Version[]) {
  const all: Player[] = [];
  for (const node of at) {
    for (const version of versions) {
      all.push(new Player(await mesh.client(node, { version }), mesh));
    }
  }
  await mesh.pass(500);
  return all;
}

/** What a player sees: all groups of the first run, an end, a beginning, then groups in order to the last one. */
function sawTwoGenerations({ log }: Player, first: readonly number[], last: number): void {
  const text = log.join(" ");
  const head = `active ${first.join(" ")} ended active `;
  assert.equal(text.slice(0, head.length), head, text);
  const rest = log.slice(first.length + 3) as number[];
  assert.ok(rest.length > 5, text);
  assert.deepEqual(rest, rest.map((_, i) => last - rest.length + 1 + i), text);
}

for (const version of VERSIONS) {
  Deno.test(`an encoder that is back with old numbers is a new generation, over a chain of three, from ${version}`, async () => {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    const [a, b, c] = nodes;
    await mesh.link(b, a);
    await mesh.link(c, b);
    const before = await encoder(mesh, a, 300, { version });
    const watching = await players(mesh, nodes, VERSIONS);
    await groups(mesh, before.track, 3);
    before.link.kill();
    await mesh.pass(500);
    const after = await encoder(mesh, a, 0, { version });
    await groups(mesh, after.track, 15);
    for (const player of watching) sawTwoGenerations(player, [300, 301, 302], 14);
  });
}

Deno.test("a new generation is noticed when the old session hangs, and when the encoder comes to another node", async () => {
  for (const elsewhere of [false, true]) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    await mesh.full(nodes);
    const before = await encoder(mesh, nodes[0], 300);
    const watching = await players(mesh, nodes, ["moq-lite-06", "moq-lite-02"]);
    await groups(mesh, before.track, 3);
    before.link.silence();
    await mesh.pass(500);
    const after = await encoder(mesh, elsewhere ? nodes[1] : nodes[0]);
    await groups(mesh, after.track, 10);
    before.link.kill();
    await groups(mesh, after.track, 10);
    for (const player of watching) sawTwoGenerations(player, [300, 301, 302], 19);
  }
});

Deno.test("a node with two parents passes a new generation on once", async () => {
  await using mesh = new Mesh();
  const nodes = mesh.nodes("origin", "left", "right", "edge", "below");
  const [origin, left, right, edge, below] = nodes;
  for (
    const [from, to] of [[left, origin], [right, origin], [edge, left], [edge, right]] as const
  ) {
    await mesh.link(from, to);
  }
  await mesh.link(below, edge);
  const before = await encoder(mesh, origin, 300);
  const watching = await players(mesh, nodes, ["moq-lite-06", "moq-lite-04", "moq-transport-18"]);
  await groups(mesh, before.track, 3);
  before.link.kill();
  await mesh.pass(500);
  const after = await encoder(mesh, origin);
  await groups(mesh, after.track, 30);
  for (const player of watching) sawTwoGenerations(player, [300, 301, 302], 29);
});

Deno.test("a young stream that begins anew is noticed too, and its quiet tracks are asked for again", async () => {
  await using mesh = new Mesh();
  const [a, b] = mesh.nodes("a", "b");
  await mesh.link(b, a);
  const start = async (catalog: string) => {
    const client = await mesh.client(a, { hop: 9n });
    const broadcast = client.publish("room");
    broadcast.track("catalog").write(catalog);
    return { client, track: broadcast.track("video") };
  };
  const before = await start("first");
  const watching = await players(mesh, [a, b], ["moq-lite-06"]);
  const catalogs: string[] = [];
  const reader = await mesh.client(b);
  void (async () => {
    for await (const { active } of reader.announced("room")) {
      if (!active) continue;
      void (async () => {
        for await (const group of reader.subscribe("room", "catalog")) {
          for await (const { payload } of group) catalogs.push(new TextDecoder().decode(payload));
        }
      })().catch(() => {});
    }
  })();
  await groups(mesh, before.track, 60);
  before.client.link.kill();
  await mesh.pass(500);
  const after = await start("second");
  await groups(mesh, after.track, 30);
  const first = Array.from({ length: 60 }, (_, i) => i);
  for (const player of watching) sawTwoGenerations(player, first, 29);
  assert.deepEqual(catalogs, ["first", "second"]);
});

Deno.test("an encoder that only reconnects, and goes on, is no new generation, however long it was away within linger", async () => {
  for (const awayMs of [0, 300, 4000]) {
    await using mesh = new Mesh();
    const nodes = mesh.nodes("a", "b", "c");
    await mesh.link(nodes[1], nodes[0]);
    await mesh.link(nodes[2], nodes[1]);
    const before = await encoder(mesh, nodes[0], 300);
    const watching = await players(mesh, nodes, VERSIONS);
    await groups(mesh, before.track, 3);
    before.link.kill();
    await mesh.pass(awayMs);
    const after = await encoder(mesh, nodes[0], 303);
    await mesh.pass(4000); // it is back before it has anything new
    await groups(mesh, after.track, 5);
    for (const { log } of watching) {
      assert.deepEqual(log, ["active", 300, 301, 302, 303, 304, 305, 306, 307]);
    }
  }
});

Deno.test("old numbers that come late within a generation are dropped: reordered, repeated, or sent out of malice", async () => {
  await using mesh = new Mesh();
  const [a, b] = mesh.nodes("a", "b");
  await mesh.link(b, a);
  const { track, link } = await encoder(mesh, a, 300, { groupCacheSize: 1000 });
  const watching = await players(mesh, [a, b], ["moq-lite-06", "moq-lite-02"]);
  await groups(mesh, track, 3);
  for (const old of [5, 6, 7, 299]) {
    const group = track.group(old);
    group.write("old");
    group.close();
    await mesh.pass(1500, 100);
    await groups(mesh, track, 1);
  }
  link.kill();
  await mesh.pass(300);
  const after = await encoder(mesh, a, 307, { groupCacheSize: 1000 });
  await groups(mesh, after.track, 1);
  for (const old of [8, 9, 10, 11]) {
    const group = after.track.group(old);
    group.write("old");
    group.close();
    await mesh.pass(1500, 100);
  }
  await groups(mesh, after.track, 1);
  for (const { log } of watching) {
    assert.deepEqual(log, ["active", ...Array.from({ length: 9 }, (_, i) => 300 + i)]);
  }
});
