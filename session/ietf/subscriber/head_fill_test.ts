/** The group that runs when a subscription begins comes from its first object, if the peer answers a fetch. */
import assert from "node:assert/strict";
import { FakeReader } from "../../../tests/support/fixtures/relay.ts";
import {
  type ScriptedExchange,
  seen,
  tick,
  Upstream,
} from "../../../tests/support/fixtures/ietf_upstream.ts";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import type { Draft } from "../../../wire/ietf/profile.ts";
import { layoutOf } from "../context.ts";

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
const ROOM = { namespace: ns("room") };
const LARGEST = { group: 3, object: 4 };

/** A subscription that began behind object 4 of group 3. */
async function joined(draft: Draft) {
  const up = await Upstream.of(draft);
  up.publishes("publishNamespace", ROOM);
  await tick();
  const reader = new FakeReader(undefined, layoutOf(up.context.profile));
  const track = up.origin.find("room")!.track("room", "video");
  track.add(reader);
  const subscribed = (await up.asked.next())!;
  subscribed.hears("subscribeOk", { alias: 7, parameters: { largest: LARGEST } });
  await tick();
  return { up, reader, track, subscribed };
}

const shown = (reader: FakeReader, up: Upstream) =>
  reader.groups.map((group) =>
    [group.head.id, group.startFrame, seen(group, up.context.profile).join(" "), group.state].join(
      "|",
    )
  );

async function fetchOf(up: Upstream): Promise<ScriptedExchange> {
  const asked = (await up.asked.next())!;
  await tick();
  return asked;
}

Deno.test("a group that is joined inside has its head fetched, and its stream goes on behind it", async () => {
  for (const draft of DRAFTS) {
    for (const properties of [false, true]) {
      const { up, reader } = await joined(draft);
      const stream = await up.peer.subgroup({ alias: 7, group: 3, properties });
      stream.objects({ id: 3, payload: "three" }, { id: 4, payload: "four" });
      stream.objects({ id: 5, payload: "five" }, { id: 300, payload: "" });
      await tick();
      assert.deepEqual(reader.groups, [], "it waits");
      const asked = await fetchOf(up);
      const { target, parameters } = asked.value("fetch");
      assert.deepEqual(target, { kind: "track", ...ROOM, track: raw("video") });
      assert.deepEqual(parameters.filter, {
        kind: "range",
        start: { group: 3, object: 0 },
        end: LARGEST,
      });
      asked.hears("fetchOk", { end: LARGEST });
      const answer = await up.peer.fetchStream(asked.id);
      for (const object of [0, 1, 3, 4]) answer.object({ group: 3, object }, `${object}`);
      await tick();
      assert.deepEqual(shown(reader, up), ["0|0|0=0 1=1 3=3 4=4|open"]);
      answer.fin();
      await tick(2);
      stream.object({ id: 301, payload: "end" }).fin();
      await tick();
      assert.deepEqual(shown(reader, up), ["0|0|0=0 1=1 3=3 4=4 5=five 300= 301=end|complete"]);
      (await up.peer.subgroup({ alias: 7, group: 4 })).object({ id: 9, payload: "x" }).fin();
      await tick();
      assert.equal(shown(reader, up)[1], "0|9|9=x|complete");
      assert.equal(up.asked.length, 0, "once");
    }
  }
});

Deno.test("each subgroup of a joined group goes on behind its own head, and one that nobody continues ends", async () => {
  const { up, reader } = await joined(18);
  const low = await up.peer.subgroup({ alias: 7, group: 3, subgroup: 0 });
  const high = await up.peer.subgroup({ alias: 7, group: 3, subgroup: 2 });
  low.object({ id: 6, payload: "six" }).fin();
  high.object({ id: 5, payload: "five" }).fin();
  const asked = await fetchOf(up);
  asked.hears("fetchOk", { end: LARGEST });
  const answer = await up.peer.fetchStream(asked.id);
  answer.object({ group: 3, subgroup: 0, object: 0 }, "a");
  answer.object({ group: 3, subgroup: 1, object: 1 }, "b");
  answer.object({ group: 3, subgroup: 2, object: 4 }, "c").fin();
  await tick(2);
  assert.deepEqual(shown(reader, up), [
    "0|0|0=a 6=six|complete",
    "1|1|1=b|open",
    "2|4|4=c 5=five|complete",
  ]);
  (await up.peer.subgroup({ alias: 7, group: 4 })).object("x").fin();
  await tick();
  assert.equal(shown(reader, up)[1], "1|1|1=b|complete");
});

Deno.test("without an answer the group stays without its head", async () => {
  for (const draft of DRAFTS) {
    for (const answer of ["refused", "nothing", "empty"]) {
      const { up, reader } = await joined(draft);
      (await up.peer.subgroup({ alias: 7, group: 3 })).object({ id: 5, payload: "x" }).fin();
      const asked = await fetchOf(up);
      if (answer === "refused") asked.hears("requestError", { code: 3 });
      if (answer === "empty") (await up.peer.fetchStream(asked.id)).fin();
      if (answer === "nothing") up.relay.clock.advance(500);
      await tick(2);
      assert.deepEqual(shown(reader, up), ["0|5|5=x|complete"], answer);
    }
  }
});

Deno.test("a head that breaks off inside is cut, and the stream goes on by itself", async () => {
  const { up, reader } = await joined(18);
  (await up.peer.subgroup({ alias: 7, group: 3 })).object({ id: 5, payload: "x" }).fin();
  const asked = await fetchOf(up);
  asked.hears("fetchOk", { end: LARGEST });
  const answer = await up.peer.fetchStream(asked.id);
  answer.object({ group: 3, object: 0 }, "a");
  await tick();
  answer.reset();
  await tick(2);
  (await up.peer.subgroup({ alias: 7, group: 4 })).object("y").fin();
  await tick();
  assert.deepEqual(shown(reader, up), ["0|0|0=a|cut", "0|5|5=x|complete", "0|0|0=y|complete"]);
});

Deno.test("nothing is fetched where the stream begins with the first object, or in another group", async () => {
  const from: readonly [group: number, id: number, firstObject: boolean][] = [
    [3, 0, false],
    [3, 5, true],
    [4, 5, false],
    [2, 5, false],
  ];
  for (const [group, id, firstObject] of from) {
    const { up, reader } = await joined(18);
    const stream = await up.peer.subgroup({ alias: 7, group, firstObject });
    stream.object({ id, payload: "x" }).fin();
    await tick();
    assert.deepEqual(shown(reader, up), [`0|${id}|${id}=x|complete`]);
    assert.equal(up.asked.length, 0);
  }
});

Deno.test("a viewer that leaves takes the fetch of the head back", async () => {
  const { up, reader, track, subscribed } = await joined(18);
  const stream = await up.peer.subgroup({ alias: 7, group: 3 });
  stream.object({ id: 5, payload: "x" });
  const asked = await fetchOf(up);
  track.remove(reader);
  await tick();
  assert.deepEqual([asked.end, subscribed.end], ["cancelled", "cancelled"]);
  assert.equal(await stream.send.closed, "stopped");
  assert.deepEqual(up.relay.pool.stats.inUse, 0);
});

Deno.test("a published track that began inside a group has its head fetched too", async () => {
  const up = await Upstream.of(16);
  up.publishes("publish", {
    ...ROOM,
    track: raw("video"),
    alias: 1,
    parameters: { largest: LARGEST },
  });
  (await up.peer.subgroup({ alias: 1, group: 3 })).object({ id: 5, payload: "x" }).fin();
  const asked = await fetchOf(up);
  asked.hears("fetchOk", { end: LARGEST });
  (await up.peer.fetchStream(asked.id)).object({ group: 3, object: 0 }, "a").fin();
  await tick(2);
  const track = up.origin.find("room", 0n, "video")!.track("room", "video");
  assert.deepEqual(seen(track.ring.get(3)!.first, up.context.profile), ["0=a", "5=x"]);
});

Deno.test("a server's track that was paused goes on with the group that runs, from its first object", async () => {
  const up = await Upstream.of(18);
  void up.subscriber.follow();
  await tick();
  while (up.asked.length > 0) await up.asked.next();
  const offered = up.publishes("publish", { ...ROOM, track: raw("video"), alias: 1 });
  await tick();
  const reader = new FakeReader(undefined, "objects18");
  const track = up.origin.find("room", 0n, "video")!.track("room", "video");
  track.add(reader);
  offered.accepts!({ largest: LARGEST });
  const asked = await fetchOf(up);
  asked.hears("fetchOk", { end: LARGEST });
  const answer = await up.peer.fetchStream(asked.id);
  answer.object({ group: 3, object: 0 }, "a").fin();
  await tick(2);
  assert.deepEqual(shown(reader, up), ["0|0|0=a|open"]);
  (await up.peer.subgroup({ alias: 1, group: 3 })).object({ id: 5, payload: "b" }).fin();
  await tick(2);
  assert.deepEqual(shown(reader, up), ["0|0|0=a 5=b|complete"]);
  offered.hears("publishDone", { code: 2, streams: 1 });
  await tick();
  assert.equal(reader.end?.kind, "ended");
});

Deno.test("a head that nobody goes on with is whole when the track ends", async () => {
  const { up, reader, subscribed } = await joined(18);
  const stream = await up.peer.subgroup({ alias: 7, group: 3, subgroup: 1 });
  stream.object({ id: 5, payload: "x" }).fin();
  const asked = await fetchOf(up);
  asked.hears("fetchOk", { end: LARGEST });
  (await up.peer.fetchStream(asked.id)).object({ group: 3, object: 0 }, "a").fin();
  await tick(2);
  subscribed.hears("publishDone", { code: 2, streams: 1 });
  await tick();
  assert.deepEqual(shown(reader, up), ["0|0|0=a|complete", "1|5|5=x|complete"]);
});

Deno.test("a group of which nothing more comes is fetched after a moment, where the filter leaves it out", async () => {
  for (const draft of DRAFTS) {
    const { up, reader } = await joined(draft);
    up.relay.clock.advance(1000);
    await tick();
    if (up.context.profile.unfilteredSubscribe) {
      assert.deepEqual(reader.groups, [], "the peer sends it by itself");
      continue;
    }
    const asked = await fetchOf(up);
    asked.hears("fetchOk", { end: LARGEST });
    const answer = await up.peer.fetchStream(asked.id);
    answer.object({ group: 3, object: 0 }, "static").fin();
    await tick();
    assert.deepEqual(shown(reader, up).map((line) => line.split("|")[2]), ["0=static"]);
  }
});
