/**
 * The main job over real sockets: publish, watch, fetch, through one relay and through a tree of three.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Client, connect, type Subscription } from "../../client/mod.ts";
import { DIALECTS } from "../../wire/lite/dialect.ts";
import { startRelay } from "../support/program.ts";
import { launch, type Launched, until } from "../support/server.ts";

const NAMES = DIALECTS.map((d) => d.name);

/** Frames of a track as "sequence:text", in the order they come, until it ends. */
async function collect(subscription: Subscription): Promise<string[]> {
  const out: string[] = [];
  const reading: Promise<void>[] = [];
  for await (const group of subscription) {
    reading.push((async () => {
      for await (const frame of group) {
        out.push(`${group.sequence}:${new TextDecoder().decode(frame.payload)}`);
      }
    })());
  }
  await Promise.all(reading);
  return out.sort();
}

for (const scheme of ["moqt", "https"] as const) {
  for (const publish of NAMES) {
    Deno.test(`${publish} reaches every version over ${scheme}://, live and late, to the clean end`, async () => {
      await using relay = await launch();
      await using publisher = await relay.client(scheme, { versions: [publish] });
      assert.equal(publisher.version, publish);
      await Promise.all(NAMES.map(async (watch) => {
        await using viewer = await relay.client(scheme, { versions: [watch] });
        assert.equal(viewer.version, watch);
        await publishAndWatch(publisher, viewer, `room/${watch}`);
      }));
    });
  }
}

/** One broadcast from its announcement to its end: a late group, a group that is watched while it grows, the end. */
async function publishAndWatch(publisher: Client, viewer: Client, path: string): Promise<void> {
  const broadcast = publisher.publish(path);
  const track = broadcast.track("chat");
  using announced = viewer.announced(path);
  assert.deepEqual((await announced.next())?.active, true);
  {
    using late = track.group();
    late.write("a");
    late.write("b");
  }
  const frames = collect(viewer.subscribe(path, "chat"));
  await until(() => track.subscribers === 1, "the relay to subscribe");
  await until(() => viewer.stats.framesIn === 2, "the late group");
  const live = track.group();
  live.write("c");
  await until(() => viewer.stats.framesIn === 3, "the first frame of an open group");
  live.write("d");
  live.close();
  track.close();
  assert.deepEqual(await frames, ["0:a", "0:b", "1:c", "1:d"]);
  broadcast.close();
  assert.deepEqual((await announced.next())?.active, false);
}

Deno.test("two viewers share one upstream subscription, which ends with the last of them", async () => {
  await using relay = await launch();
  await using publisher = await relay.client("moqt");
  const track = publisher.publish("live/cam").track("video");
  await using one = await relay.client("moqt");
  await using two = await relay.client("https");
  const first = one.subscribe("live/cam", "video");
  const second = two.subscribe("live/cam", "video");
  type Tracks = { readonly subscribers: number }[];
  const rows = async () => {
    const answer = await relay.api<{ tracks: Tracks } | Tracks>("/api/v1/tracks");
    return Array.isArray(answer) ? answer : answer.tracks;
  };
  await until(async () => (await rows())[0]?.subscribers === 2, "two subscribers at the relay");
  assert.equal(track.subscribers, 1);
  first.close();
  await until(async () => (await rows())[0]?.subscribers === 1, "one subscriber at the relay");
  assert.equal(track.subscribers, 1);
  second.close();
  await until(() => track.subscribers === 0, "the upstream subscription to end");
});

Deno.test("frames much larger than a slab arrive byte for byte, and are fetched again", async () => {
  await using relay = await launch();
  await using publisher = await relay.client("moqt");
  await using viewer = await relay.client("https");
  const track = publisher.publish("big").track("data");
  const sizes = [0, 1, 1499, 1500, 70_000, 3_000_000];
  const bytesOf = (size: number) =>
    Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) % 251);
  const subscription = viewer.subscribe("big", "data");
  await until(() => track.subscribers === 1, "the subscription");
  const group = track.group();
  for (const [i, size] of sizes.entries()) group.write(bytesOf(size), i * 1000);
  group.close();
  const received = await subscription.group();
  let at = 0;
  for await (const frame of received!) {
    assert.equal(frame.timestamp, at * 1000);
    assert.deepEqual(frame.payload, bytesOf(sizes[at++]!));
  }
  assert.equal(at, sizes.length);
  await using other = await relay.client("moqt");
  let fetched = 0;
  for await (const frame of await other.fetch("big", "data", 0)) {
    assert.deepEqual(frame.payload, bytesOf(sizes[fetched++]!));
  }
  assert.equal(fetched, sizes.length);
});

Deno.test("a tree of three relays: one subscription on each link, announcements both ways, no loop", async () => {
  await using root = await launch();
  const joined = { "relay.upstream_url": `http://127.0.0.1:${root.port}/` };
  await using left = await launch({ flags: joined });
  await using right = await launch({ flags: joined });
  await connected(left);
  await connected(right);
  await using publisher = await left.client("moqt");
  const broadcast = publisher.publish("concert");
  const track = broadcast.track("sound");
  await using other = await right.client("moqt");
  other.publish("reply");
  const viewers: Client[] = [];
  for (let i = 0; i < 4; i++) viewers.push(await right.client(i % 2 ? "https" : "moqt"));
  using announced = viewers[0]!.announced("concert");
  assert.equal((await announced.next())?.path, "concert");
  using replies = publisher.announced("reply");
  assert.equal((await replies.next())?.path, "reply");
  const heard = viewers.map((viewer) => collect(viewer.subscribe("concert", "sound")));
  await until(() => right.server.relay.stats.subscriptions === 4, "four viewers on the right");
  await until(() => track.subscribers === 1, "the subscription to reach the publisher");
  for (let i = 0; i < 20; i++) {
    using group = track.group();
    group.write(`frame ${i}`);
  }
  track.close();
  const expected = Array.from({ length: 20 }, (_, i) => `${i}:frame ${i}`).sort();
  for (const frames of heard) assert.deepEqual(await frames, expected);
  for (const relay of [left, root, right]) {
    assert.equal(relay.server.relay.stats.upstreamSubscriptions, 1);
  }
  broadcast.close();
  assert.equal((await announced.next())?.active, false);
  await until(() => root.server.relay.origin.size === 1, "the withdrawal to reach the root");
  for (const viewer of viewers) await viewer.close();
});

Deno.test("an upstream whose certificate nobody vouches for is not joined, and /ready says so", async () => {
  await using root = await launch();
  await using leaf = await launch({
    flags: { "relay.upstream_url": `moqt://127.0.0.1:${root.port}/` },
  });
  await until(() => leaf.server.view.cluster.links[0]!.lastError !== undefined, "the refusal");
  assert.match(leaf.server.view.cluster.links[0]!.lastError!, /certificate|UnknownIssuer/i);
  assert.equal((await fetch(leaf.adminUrl + "/ready").then(drained)).status, 503);
  assert.equal(root.server.relay.sessionCount, 0);
});

Deno.test("an upstream is joined by its certificate's hash, lost, and dialed again when it is back", async () => {
  const first = await startRelay();
  const { port, hash, certFile } = first;
  await using leaf = await launch({
    flags: {
      "relay.upstream_url": `moqt://127.0.0.1:${port}/`,
      "relay.upstream_hash": hash,
      "relay.upstream_backoff_min": "50ms",
      "relay.upstream_backoff_max": "200ms",
    },
  });
  await connected(leaf);
  assert.equal((await fetch(leaf.adminUrl + "/ready").then(drained)).status, 200);
  await using viewer = await leaf.client("moqt");
  using news = viewer.announced("show");
  const publish = async () => {
    const publisher = await connect(`moqt://127.0.0.1:${port}/`, { hash });
    publisher.publish("show").track("words");
    return publisher;
  };
  const one = await publish();
  assert.deepEqual((await news.next())?.active, true);
  first.process.kill("SIGTERM");
  await first.ended();
  await one.close();
  await until(
    () => leaf.server.view.cluster.links[0]!.state !== "connected",
    "the loss to be seen",
  );
  assert.equal((await fetch(leaf.adminUrl + "/ready").then(drained)).status, 503);
  assert.deepEqual((await news.next())?.active, false);
  // The same certificate, on the same port.
  const dir = certFile.slice(0, certFile.lastIndexOf("/"));
  await using second = await startRelay([
    ...["--server.address", `127.0.0.1:${port}`, "--server.cert_dir", dir],
  ]);
  assert.equal(second.hash, hash);
  await connected(leaf);
  await using two = await publish();
  assert.deepEqual((await news.next())?.active, true);
  assert.equal(two.version, "moq-lite-06");
  await first[Symbol.asyncDispose]();
});

Deno.test("SIGTERM's drain tells peers to leave, lets groups in flight end, and closes in order", async () => {
  const relay = await launch();
  const publisher = await relay.client("moqt", { versions: ["moq-lite-06"] });
  let told: string | undefined;
  const viewer = await relay.client("moqt", {
    versions: ["moq-lite-06"],
    ongoaway: (uri) => told = uri,
  });
  const track = publisher.publish("last").track("words");
  const subscription = viewer.subscribe("last", "words");
  await until(() => track.subscribers === 1, "the subscription");
  const group = track.group();
  group.write("good");
  const reader = await subscription.group();
  assert.equal(text(await reader!.frame()), "good");
  const closing = relay.server.close();
  await until(() => told !== undefined, "GOAWAY");
  group.write("bye");
  group.close();
  assert.equal(text(await reader!.frame()), "bye");
  assert.equal(await reader!.frame(), undefined);
  await closing;
  assert.equal((await viewer.closed).code, 0);
  assert.equal(told, "");
  await publisher.close();
});

function text(frame: { readonly payload: Uint8Array } | undefined): string | undefined {
  return frame && new TextDecoder().decode(frame.payload);
}

async function drained(answer: Response): Promise<Response> {
  await answer.body?.cancel();
  return answer;
}

async function connected(relay: Launched): Promise<void> {
  await until(() => relay.server.view.cluster.links[0]!.state === "connected", "the upstream link");
}
