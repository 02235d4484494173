import assert from "node:assert/strict";
import { NotFound, SourceLost } from "../../relay/errors.ts";
import { bytesOf, counting, FakeReader, FakeSource } from "../../tests/support/fixtures/relay.ts";
import { Nodes, reading, ROUTE, type TestNode } from "../../tests/support/fixtures/nodes.ts";
import { SIBLINGS } from "../../relay/route.ts";
import { until } from "../../tests/support/fixtures/http.ts";

Deno.test("what one node is told of is known at all, once, and no sibling passes it on", async () => {
  using nodes = new Nodes(3);
  const [a, b, c] = nodes.all as [TestNode, TestNode, TestNode];
  const source = new FakeSource("publisher");
  const announced = a.origin.announce("p", source, ROUTE)!;
  const hidden = a.origin.announce(".internal", source, ROUTE)!;
  await until(() => b.news.length === 2 && c.news.length === 2);
  const [route] = b.origin.find("p")!.routes;
  assert.deepEqual([route!.hops, route!.warm, route!.cold], [[5n], 1, 2]);
  announced.discourage();
  await until(() => b.origin.find("p")!.routes[0]!.warm === Infinity);
  announced.end();
  hidden.end();
  await until(() => b.origin.size === 0 && c.origin.size === 0);
  for (const { news } of [b, c]) {
    assert.deepEqual(news, ["+p", "+.internal", "~p", "-p", "-.internal"]);
  }
  assert.equal(a.origin.size, 0);
});

Deno.test("of one publisher's routes a node's own beats a sibling's; of two publishers the newer beats both", async () => {
  using nodes = new Nodes(2);
  const [a, b] = nodes.all as [TestNode, TestNode];
  const [left, right, newer] = ["left", "right", "newer"].map((name) => new FakeSource(name));
  a.origin.announce("p", left!, ROUTE);
  await until(() => b.news.length === 1);
  b.origin.announce("p", right!, ROUTE);
  await until(() => a.origin.find("p")!.routes.length === 2);
  assert.equal(a.origin.find("p")!.best()!.source, left);
  assert.equal(b.origin.find("p")!.best()!.source, right);
  b.origin.announce("p", newer!, { ...ROUTE, hops: [6n] });
  await until(() => a.origin.find("p")!.publisher === 6n);
  assert.equal(b.origin.find("p")!.publisher, 6n);
  // Who asks on behalf of another node is never sent to a third.
  assert.equal(a.origin.find("p", SIBLINGS)!.best(SIBLINGS)!.source, left);
});

Deno.test("groups come through shared memory as they grow, with their ends", async () => {
  using nodes = new Nodes(2);
  const { source, reader, a, b, track } = await reading(nodes);
  const writer = source.last.sink.openGroup(3)!;
  writer.begin(9, 10);
  writer.payload(counting(4));
  writer.commit();
  await until(() => reader.groups[0]?.bytes === 6);
  const [group] = reader.groups;
  writer.payload(counting(6, 4));
  for (let i = 0; i < 100; i++) writer.frame(9 + i, counting(50, i));
  writer.finish();
  const cut = source.last.sink.openGroup(4)!;
  cut.frame(0, counting(5));
  cut.cut();
  await until(() => reader.groups[1]?.state === "cut");
  assert.deepEqual([group!.state, group!.frames, group!.lastTimestamp], ["complete", 101, 108]);
  const own = a.origin.find("p")!.track("p", "t").ring.get(3)!.first;
  assert.deepEqual(bytesOf(group!), bytesOf(own));
  assert.deepEqual(reader.sequences, [3, 4]);

  // Counted where it came in and where it goes out, not in between.
  assert.deepEqual([a.context.stats.framesIn, b.context.stats.framesIn], [102, 0]);
  assert.deepEqual([a.context.stats.subscriptions, b.context.stats.subscriptions], [0, 1]);
  assert.deepEqual([a.origin.find("p")!.track("p", "t").viewers, track.viewers], [0, 1]);
  track.remove(reader);
  await until(() => source.last.closed);
});

Deno.test("a second reader here costs no second subscription there, and starts with what is kept", async () => {
  using nodes = new Nodes(3);
  const { source, reader, track } = await reading(nodes);
  source.last.group(0);
  await until(() => reader.groups[0]?.state === "complete");
  const late = new FakeReader();
  track.add(late);
  assert.deepEqual(late.sequences, [0]);
  const third = nodes.all[2]!.origin.find("p")!.track("p", "t");
  const elsewhere = new FakeReader();
  third.add(elsewhere);
  await until(() => elsewhere.groups[0]?.state === "complete");
  assert.equal(source.subscriptions.length, 1);
});

Deno.test("the last group wanted can be raised", async () => {
  using nodes = new Nodes(2);
  const { source, reader, track } = await reading(nodes);
  track.change(reader, { priority: 1, maxLatencyMs: 0, endGroup: 1 });
  await until(() => source.last.updates.at(-1)?.endGroup === 1);
  for (const sequence of [0, 1, 2, 3]) source.last.group(sequence);
  await until(() => reader.groups.length === 2);
  track.change(reader, { priority: 1, maxLatencyMs: 0, endGroup: 2 });
  await until(() => reader.groups.length === 3);
  assert.deepEqual(reader.sequences, [0, 1, 2]);
});

Deno.test("the end of a track comes after its last group", async () => {
  using nodes = new Nodes(2);
  const { source, reader } = await reading(nodes);
  for (let sequence = 0; sequence < 6; sequence++) source.last.group(sequence);
  source.last.sink.ended({ kind: "ended", nextGroup: 6 });
  await until(() => reader.end !== undefined);
  assert.deepEqual(reader.sequences, [0, 1, 2, 3, 4, 5]);
  assert.ok(reader.groups.every(({ state }) => state === "complete"));
  assert.deepEqual(reader.end, { kind: "ended", nextGroup: 6 });
});

Deno.test("a group that gives way while it is open is cut at the other node", async () => {
  using nodes = new Nodes(2);
  const { source, reader } = await reading(nodes);
  source.last.sink.openGroup(0)!.frame(0, counting(10));
  await until(() => reader.groups[0]?.frames === 1);
  for (let sequence = 1; sequence <= 8; sequence++) source.last.group(sequence);
  await until(() => reader.groups[0]!.state === "cut");
});

Deno.test("datagrams, track info, fetched groups and refusals go by message", async () => {
  using nodes = new Nodes(2);
  const { source, reader, b } = await reading(nodes);
  source.last.sink.datagram(4, 5, counting(6));
  await until(() => reader.datagrams.length === 1);
  source.info = { priority: 3, maxAgeMs: 1234, timescale: 90_000 };
  const broadcast = b.origin.find("p")!;
  assert.deepEqual(await broadcast.trackInfo("p", "t"), source.info);
  const group = await broadcast.fetch("p", "t", { group: 40, priority: 1 });
  await until(() => group.state === "complete");
  assert.deepEqual([...bytesOf(group)], [0, 10, ...counting(10, 40)]);
  group.release();
  source.hasGroups = false;
  await assert.rejects(broadcast.fetch("p", "t", { group: 41, priority: 1 }), NotFound);
  source.subscriptions[0]!.refuse();
  await until(() => reader.end !== undefined);
  assert.equal(reader.end!.kind === "failed" && reader.end!.why, "not-found");
});

Deno.test("a node that is gone without a word leaves its broadcasts to linger, and open groups to be gone on with", async () => {
  using nodes = new Nodes(2, 5000);
  const { source, reader, b, track } = await reading(nodes);
  source.last.sink.openGroup(0)!.frame(0, counting(10));
  await until(() => reader.groups[0]?.frames === 1);
  const pending = b.origin.find("p")!.fetch("p", "u", { group: 1, priority: 1 });
  source.answer = new Promise(() => {});
  b.links.leave(0, true);
  await assert.rejects(pending, SourceLost);
  assert.equal(b.origin.find("p")!.lingering, true);
  assert.deepEqual([reader.groups[0]!.state, reader.end], ["open", undefined]);
  // The publisher comes back, here, and sends the group again.
  const back = new FakeSource("back");
  b.origin.announce("p", back, ROUTE);
  assert.equal(back.last.request.startGroup, 0);
  const writer = back.last.sink.openGroup(0)!;
  writer.frame(0, counting(10));
  writer.frame(1, counting(10));
  writer.finish();
  assert.deepEqual([reader.groups[0]!.state, reader.groups[0]!.frames], ["complete", 2]);
  assert.equal(reader.groups.length, 1);
  track.remove(reader);
});

Deno.test("a node that leaves in order ends what it announced at once", async () => {
  using nodes = new Nodes(2, 5000);
  const { b, reader } = await reading(nodes);
  b.links.leave(0, false);
  assert.equal(b.origin.find("p"), undefined);
  assert.equal(reader.end?.kind, "failed");
});

const ONLY = { warm: 0, cold: 0, onlyTracks: true };

Deno.test("a track that a session publishes in one thread is found, watched and awaited in the other", async () => {
  using nodes = new Nodes(2);
  const [a, b] = nodes.all as [TestNode, TestNode];
  const heard: string[] = [];
  b.origin.watchTracks({}, ({ path, track, gone }) => {
    heard.push(`${gone ? "-" : "+"}${path}:${track}`);
  });
  const waiting = b.origin.awaitRoute("room", "audio", 1000);
  const [first, second] = [new FakeSource("first"), new FakeSource("second")];
  const tracks = new Set(["video"]);
  const published = a.origin.announce("room", first, { ...ONLY, hops: [5n, 0n], tracks })!;
  const other = a.origin.announce("room", second, {
    ...ONLY,
    hops: [6n, 0n],
    tracks: new Set(["audio"]),
  })!;
  const found = await waiting.promise;
  assert.equal(found, b.origin.find("room", 0n, "audio"));
  assert.deepEqual(heard.splice(0).sort(), ["+room:audio", "+room:video"]);
  assert.equal(b.origin.find("room", 0n, "chat"), undefined);
  assert.equal(b.origin.find("room/below"), undefined);

  const reader = new FakeReader();
  found!.track("room", "audio").add(reader);
  await until(() => second.subscriptions.length === 1);
  assert.equal(first.subscriptions.length, 0);
  second.last.group(3);
  await until(() => reader.groups[0]?.state === "complete");
  const info = await b.origin.find("room", 0n, "video")!.trackInfo("room", "video");
  assert.deepEqual(info, first.info);

  published.offer("chat");
  published.retract("video");
  await until(() => heard.length === 2);
  assert.deepEqual(heard.splice(0).sort(), ["+room:chat", "-room:video"]);
  assert.equal(b.origin.find("room", 0n, "video"), undefined);
  published.end();
  await until(() => heard.length === 1);
  assert.deepEqual(heard.splice(0), ["-room:chat"]);
  assert.equal(b.origin.find("room", 0n, "audio"), found, "its broadcast is the same as before");
  second.last.group(4);
  await until(() => reader.groups[1]?.state === "complete");
  other.end();
  await until(() => b.origin.size === 0);
  assert.deepEqual(heard, ["-room:audio"]);
  assert.deepEqual(b.news, ["+room", "-room"]);
});

Deno.test("a namespace that is announced in one thread, and a track of it published in the other", async () => {
  using nodes = new Nodes(2);
  const [a, b] = nodes.all as [TestNode, TestNode];
  const [whole, single] = [new FakeSource("whole"), new FakeSource("single")];
  a.origin.announce("room", whole, { hops: [5n, 0n], warm: 0, cold: 0 });
  const tracks = new Set(["video"]);
  const published = b.origin.announce("room", single, { ...ONLY, hops: [6n, 0n], tracks })!;
  const serves = ({ origin }: TestNode, track: string) =>
    origin.find("room", 0n, track)?.best(0n, "room", track)?.source.label;
  await until(() => serves(a, "video") === "worker 1" && serves(b, "audio") === "worker 0");
  assert.deepEqual([serves(a, "audio"), serves(b, "video")], ["whole", "single"]);
  // It announces the namespace as well.
  published.update({ hops: [6n, 0n], warm: 0, cold: 0 });
  await until(() => serves(a, "chat") === "worker 1");
  published.end();
  await until(() => serves(a, "video") === "whole" && serves(b, "video") === "worker 0");
});

Deno.test("a thread that is gone without a word leaves its published tracks to linger", async () => {
  using nodes = new Nodes(2, 5000);
  const [a, b] = nodes.all as [TestNode, TestNode];
  const heard: string[] = [];
  b.origin.watchTracks({}, ({ track, gone }) => void heard.push(`${gone ? "-" : "+"}${track}`));
  const tracks = new Set(["video", "audio"]);
  a.origin.announce("room", new FakeSource("a"), { ...ONLY, hops: [5n, 0n], tracks });
  await until(() => heard.length === 2);
  b.links.leave(0, true);
  assert.equal(b.origin.find("room", 0n, "video")?.lingering, true);
  assert.equal(b.origin.find("room", 0n, "chat"), undefined);
  b.origin.announce("room", new FakeSource("back"), {
    ...ONLY,
    hops: [6n, 0n],
    tracks: new Set(["video"]),
  });
  assert.equal(b.origin.find("room", 0n, "audio")?.lingering, true);
  b.context.clock.advance(5000);
  assert.deepEqual(heard.splice(0), ["+video", "+audio", "-video", "+video", "-audio"]);
  assert.deepEqual([...b.origin.broadcasts()].map(([, all]) => all.length), [1]);
});
