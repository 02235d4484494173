/** What a session takes in of a peer that publishes, in drafts of every kind. */
import assert from "node:assert/strict";
import { FakeReader } from "../../../tests/support/fixtures/relay.ts";
import {
  accepted,
  DRAFTS,
  ROOM,
  seen,
  tick,
  Upstream,
  VIDEO,
  watching,
} from "../../../tests/support/fixtures/ietf_upstream.ts";
import { raw } from "../../../tests/support/ietf_peer.ts";
import { layoutOf } from "../context.ts";
import { HOLD_MS, MAX_HELD_STREAMS } from "./aliases.ts";
import { doneCode, requestCode, sessionCode } from "../../../wire/ietf/codes.ts";
import { decodeProperties, encodeProperties } from "../../../wire/ietf/pairs.ts";

Deno.test("a viewer's track is subscribed, and its objects come through byte for byte", async () => {
  for (const draft of DRAFTS) {
    const { up, reader, track, asked } = await watching(draft);
    const { namespace, track: name, parameters } = asked.value("subscribe");
    assert.deepEqual([namespace, name], [VIDEO.namespace, VIDEO.track]);
    assert.deepEqual(
      parameters,
      draft === 14 ? { filter: { kind: "next-object" } } : {},
    );
    asked.hears("subscribeOk", {
      alias: 2n ** 60n + 1n,
      parameters: { largest: { group: 2, object: 8 } },
    });
    const properties = encodeProperties([{ type: 0x3c, value: 1 }], up.context.profile);
    const stream = await up.peer.subgroup({
      alias: 2n ** 60n + 1n,
      group: 3,
      subgroup: 2,
      priority: 55,
      properties: true,
      endOfGroup: true,
    });
    stream.objects({ id: 4, payload: "abcd", properties }, "", { id: 300, payload: "ef" });
    stream.object({ id: 301, status: 3 }).fin();
    await tick();
    assert.deepEqual(track.largest, { group: 3, object: 301 });
    const [group] = reader.groups;
    assert.deepEqual(seen(group!, up.context.profile), [
      `4{${properties.toHex()}}=abcd`,
      "5=",
      "300=ef",
      "301!3",
    ]);
    const { id, publisherPriority, endOfGroup, properties: has } = group!.head;
    assert.deepEqual([id, publisherPriority, endOfGroup, has], [2, 200, true, true]);
    assert.deepEqual([group!.sequence, group!.startFrame, group!.state], [3, 4, "complete"]);
  }
});

Deno.test("objects may come in any pieces", async () => {
  for (const readBytes of [1, 2, 3, 7]) {
    const { up, reader } = await accepted(16, { readBytes });
    const properties = encodeProperties(
      [{ type: 0x0d, value: new Uint8Array(300).fill(7) }],
      up.context.profile,
    );
    const stream = await up.peer.subgroup({ alias: 7, group: 1, properties: true });
    stream.objects("one", { payload: "two", properties }, { payload: "x".repeat(200) }).fin();
    await tick(5);
    const hex = properties.toHex();
    assert.deepEqual(seen(reader.groups[0]!, up.context.profile), [
      "0=one",
      `1{${hex}}=two`,
      `2=${"x".repeat(200)}`,
    ]);
    assert.equal(reader.groups[0]!.state, "complete");
  }
});

Deno.test("a subgroup may be named by its first object, and several of one group come at once", async () => {
  const { up, reader } = await accepted(18);
  const low = await up.peer.subgroup({
    alias: 7,
    group: 1,
    subgroup: undefined,
    firstObject: true,
  });
  const high = await up.peer.subgroup({ alias: 7, group: 1, subgroup: undefined });
  low.object({ id: 0, payload: "a" });
  high.object({ id: 1, payload: "b" });
  low.object({ id: 2, payload: "c" }).fin();
  high.object({ id: 3, payload: "d" });
  await tick();
  high.reset();
  await tick();
  const heads = reader.groups.map(({ head, state }) => [head.id, head.firstObject, state]);
  assert.deepEqual(heads, [[0, true, "complete"], [1, false, "cut"]]);
});

Deno.test("1,000 subgroups of one group come through", async () => {
  const { up, reader } = await accepted(22);
  for (let id = 0; id < 1000; id++) {
    (await up.peer.subgroup({ alias: 7, group: 0, subgroup: id })).object({ id, payload: "x" })
      .fin();
  }
  await tick(2);
  assert.equal(reader.groups.length, 1000);
  assert.ok(reader.groups.every(({ state }) => state === "complete"));
});

Deno.test("a stream that ends inside an object is cut, also where it cannot be reset", async () => {
  for (const canReset of [true, false]) {
    const { up, reader } = await accepted(18, { canReset });
    const stream = await up.peer.subgroup({ alias: 7, group: 1 });
    stream.object("whole").raw(stream.bytesOf("not whole").subarray(0, 5));
    await tick();
    stream.reset();
    const other = await up.peer.subgroup({ alias: 7, group: 2 });
    other.object("whole").raw(Uint8Array.of(0)).fin();
    await tick();
    assert.deepEqual(reader.groups.map(({ state }) => state), ["cut", "cut"]);
    assert.deepEqual(seen(reader.groups[0]!, up.context.profile), ["0=whole"]);
    assert.equal(up.peer.closed, undefined);
  }
});

Deno.test("a malformed stream ends alone, and too many of them end the session", async () => {
  const { up, reader } = await accepted(18);
  const bad = await up.peer.subgroup({ alias: 7, group: 1 });
  bad.object("a").object({ status: 9 });
  const good = await up.peer.subgroup({ alias: 7, group: 2 });
  good.object("b").fin();
  await tick();
  assert.deepEqual(reader.groups.map(({ state }) => state), ["cut", "complete"]);
  assert.equal(up.relay.stats.streamsMalformed, 1);
  for (let group = 3; group < 20; group++) {
    (await up.peer.subgroup({ alias: 7, group })).object({ status: 9 });
  }
  await tick();
  assert.equal(up.peer.closed?.code, sessionCode(up.context.profile, "protocolViolation"));
});

Deno.test("an object that is too large ends its stream alone and is counted", async () => {
  const { up, reader } = await accepted(16, { cache: { maxFrameBytes: 100 } });
  (await up.peer.subgroup({ alias: 7, group: 1 })).object("x".repeat(101)).fin();
  (await up.peer.subgroup({ alias: 7, group: 2 })).object("x".repeat(100)).fin();
  await tick();
  assert.deepEqual(reader.groups.map(({ state }) => state), ["cut", "complete"]);
  assert.equal(up.hits.frameBytes, 1);
});

Deno.test("objects that come before SUBSCRIBE_OK wait for it, and not for ever", async () => {
  const { up, reader, asked } = await watching(18);
  const early = await up.peer.subgroup({ alias: 7, group: 1 });
  early.object("early").fin();
  up.peer.datagram({ alias: 7, group: 2 }, "early too");
  (await up.peer.subgroup({ alias: 8, group: 1 })).object("of nothing").fin();
  await tick();
  assert.equal(reader.groups.length, 0);
  asked.hears("subscribeOk", { alias: 7 });
  await tick();
  assert.deepEqual(seen(reader.groups[0]!, up.context.profile), ["0=early"]);
  assert.deepEqual(reader.datagrams, [2]);
  assert.deepEqual(up.subscriber.held, { streams: 1, datagrams: 0 });
  up.relay.clock.advance(HOLD_MS);
  await tick();
  assert.deepEqual(up.subscriber.held, { streams: 0, datagrams: 0 });
});

Deno.test("so many streams wait for an alias and no more", async () => {
  const up = await Upstream.of(18);
  const streams = [];
  for (let alias = 0; alias < 3 * MAX_HELD_STREAMS; alias++) {
    const stream = await up.peer.subgroup({ alias, group: 1 });
    streams.push(stream.object("x"));
    up.peer.datagram({ alias, group: 1 }, "x");
  }
  await tick();
  assert.deepEqual(up.subscriber.held, { streams: MAX_HELD_STREAMS, datagrams: 32 });
  up.subscriber.close(true);
  assert.deepEqual(up.subscriber.held, { streams: 0, datagrams: 0 });
});

Deno.test("a datagram comes with all that it says", async () => {
  for (const draft of DRAFTS) {
    const { up, reader } = await accepted(draft);
    const { profile } = up.context;
    const properties = encodeProperties([{ type: 0x3e, value: 2 }], profile);
    up.peer.datagram({ alias: 7, group: 3, object: 4, priority: 1, properties }, "hi");
    up.peer.datagram({ alias: 7, group: 5, object: 1, status: 3 });
    await tick();
    assert.deepEqual(reader.datagrams, [3, 5]);
    const [first, second] = reader.objects;
    assert.deepEqual([first?.object, first?.priority, first?.status], [4, 254, 0]);
    assert.deepEqual(first?.properties, properties);
    assert.equal(second?.status, 3);
  }
});

Deno.test("PUBLISH_DONE ends a track once the streams that it counts have come", async () => {
  for (const draft of DRAFTS) {
    const { up, reader, asked } = await accepted(draft);
    asked.hears("publishDone", { code: 2, streams: 2 });
    await tick();
    (await up.peer.subgroup({ alias: 7, group: 4 })).object("a").fin();
    await tick();
    assert.equal(reader.end, undefined);
    const last = await up.peer.subgroup({ alias: 7, group: 5 });
    last.object("b");
    await tick();
    up.relay.clock.advance(5000);
    assert.equal(reader.end, undefined, "a stream is open");
    last.fin();
    await tick();
    assert.deepEqual(reader.end, { kind: "ended", nextGroup: 6 });
    assert.equal(asked.end, "finished");
    assert.equal(up.subscriber.subscriptions, 0);
  }
});

Deno.test("PUBLISH_DONE does not wait for ever for streams, and says why the track ended", async () => {
  for (
    const [code, streams, kind, why] of [
      [2, 3, "ended", undefined],
      [0, undefined, "failed", "lost"],
      [1, 0, "failed", "refused"],
    ] as const
  ) {
    const { up, reader, asked } = await accepted(18);
    asked.hears("publishDone", { code, streams, reason: "so" });
    await tick();
    up.relay.clock.advance(1000);
    assert.equal(reader.end?.kind, kind);
    if (reader.end?.kind === "failed") assert.equal(reader.end.why, why);
  }
});

Deno.test("an object may end the track", async () => {
  const { up, reader, asked } = await accepted(16);
  (await up.peer.subgroup({ alias: 7, group: 4 })).objects("a", { status: 4 }).fin();
  await tick();
  asked.hears("publishDone", { code: 2, streams: 1 });
  await tick();
  assert.deepEqual(reader.end, { kind: "ended", nextGroup: 5 });
});

Deno.test("a refusal reaches the viewer with its reason", async () => {
  for (const draft of DRAFTS) {
    for (
      const [word, why] of [["doesNotExist", "not-found"], ["unauthorized", "refused"]] as const
    ) {
      const { up, reader, asked } = await watching(draft);
      asked.hears("requestError", { code: requestCode(up.context.profile, "subscribe", word) });
      await tick();
      assert.equal(reader.end?.kind === "failed" && reader.end.why, why);
      assert.equal(asked.end, "finished");
    }
  }
});

Deno.test("a track that the peer takes to be subscribed still is asked for again", async () => {
  const { up, reader, asked } = await watching(18);
  const code = requestCode(up.context.profile, "subscribe", "duplicateSubscription");
  asked.hears("requestError", { code });
  await tick();
  up.relay.clock.advance(100);
  (await up.asked.next())!.hears("subscribeOk", { alias: 3 });
  (await up.peer.subgroup({ alias: 3, group: 1 })).object("x").fin();
  await tick();
  assert.equal(reader.groups.length, 1);
});

Deno.test("a subscription whose time is up, or that was too slow, is asked for again and its viewers go on", async () => {
  for (const draft of DRAFTS) {
    for (const word of ["expired", "tooFarBehind"]) {
      const { up, reader, asked } = await accepted(draft);
      (await up.peer.subgroup({ alias: 7, group: 1 })).object("a").fin();
      asked.hears("publishDone", { code: doneCode(up.context.profile, word), streams: 1 });
      await tick();
      up.relay.clock.advance(100);
      await tick();
      const again = (await up.asked.next())!;
      again.hears("subscribeOk", { alias: 7, parameters: { largest: { group: 1, object: 0 } } });
      (await up.peer.subgroup({ alias: 7, group: 2 })).object("b").fin();
      await tick();
      assert.deepEqual([reader.sequences, reader.end], [[1, 2], undefined], `draft ${draft}`);
      again.hears("publishDone", { code: doneCode(up.context.profile, "trackEnded"), streams: 1 });
      await tick();
      assert.deepEqual(reader.end, { kind: "ended", nextGroup: 3 });
      assert.deepEqual([asked.end, again.end], ["finished", "finished"]);
    }
  }
});

Deno.test("a peer that only ends subscriptions is not asked for ever", async () => {
  const { up, reader, asked } = await watching(18);
  let next = asked;
  for (let tries = 0; tries < 4; tries++) {
    next.hears("subscribeOk", { alias: 7 });
    next.hears("publishDone", { code: doneCode(up.context.profile, "expired"), streams: 0 });
    await tick();
    up.relay.clock.advance(1000);
    await tick();
    if (tries < 3) next = (await up.asked.next())!;
  }
  up.relay.clock.advance(1000);
  assert.equal(reader.end?.kind === "failed" && reader.end.why, "lost");
  assert.equal(up.asked.length, 0);
});

Deno.test("when the last viewer leaves, the subscription is taken back and its alias is free", async () => {
  const { up, reader, track, asked } = await accepted(18);
  const stream = await up.peer.subgroup({ alias: 7, group: 1 });
  stream.object("x");
  await tick();
  track.remove(reader);
  assert.equal(asked.end, "cancelled");
  assert.equal(up.subscriber.subscriptions, 0);
  const next = new FakeReader(undefined, "objects18");
  track.add(next);
  (await up.asked.next())!.hears("subscribeOk", { alias: 7 });
  (await up.peer.subgroup({ alias: 7, group: 2 })).object("y").fin();
  await tick();
  assert.deepEqual(next.sequences, [2]);
});

Deno.test("a track that no viewer wants for now is paused at its publisher", async () => {
  for (const draft of DRAFTS) {
    const { reader, track, asked } = await accepted(draft);
    track.change(reader, { ...reader.request, forward: false });
    track.change(reader, { ...reader.request, forward: false, priority: 3 });
    track.change(reader, { ...reader.request, forward: true });
    const filter = { kind: "range", start: { group: 0, object: 0 } };
    const said = (forward: boolean) => draft === 14 ? { forward, filter } : { forward };
    assert.deepEqual(asked.said, [false, true].map((on) => `update ${JSON.stringify(said(on))}`));
  }
});

Deno.test("an alias of two live tracks closes the session", async () => {
  for (const draft of DRAFTS) {
    const { up } = await accepted(draft);
    up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 7 });
    await tick();
    assert.equal(up.peer.closed, undefined, "its end may be read a moment later");
    up.relay.clock.advance(100);
    assert.equal(await up.peer.end(), 5);
  }
});

Deno.test("what the peer says of a track becomes its facts", async () => {
  for (const draft of [15, 16, 18] as const) {
    const { up, track, asked } = await watching(draft);
    const { profile } = up.context;
    const said = [{ type: 0x04, value: 9000 }, { type: 0x0e, value: 5 }];
    asked.hears("subscribeOk", {
      alias: 1,
      properties: draft === 15 ? new Uint8Array() : encodeProperties(said, profile),
      parameters: {
        largest: { group: 5, object: 6 },
        ...(draft === 15 && { maxCacheMs: 9000, publisherPriority: 5 }),
      },
    });
    await tick();
    assert.deepEqual([track.info.maxAgeMs, track.info.priority], [9000, 250]);
    assert.deepEqual(track.largest, { group: 5, object: 6 });
    assert.deepEqual(decodeProperties(track.info.properties!.bytes, profile), said);
    assert.equal(track.info.properties!.layout, layoutOf(profile));
  }
});

Deno.test("a property that is mandatory and not known refuses the track, from 18 on", async () => {
  for (const draft of [16, 18] as const) {
    const { up, reader, asked } = await watching(draft);
    const properties = encodeProperties([{ type: 0x4000, value: 1 }], up.context.profile);
    asked.hears("subscribeOk", { alias: 1, properties });
    const offered = up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 2, properties });
    await tick();
    assert.equal(reader.end?.kind === "failed" && reader.end.why, draft === 18 && "refused");
    assert.equal(offered.end, draft === 18 ? "refused unsupportedExtension" : undefined);
  }
});

Deno.test("random bytes on streams and in datagrams end neither the process nor the other streams", async () => {
  for (const draft of DRAFTS) {
    let seed = draft;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) >>> 8;
    for (let round = 0; round < 40; round++) {
      const { up, reader } = await accepted(draft);
      for (let i = 0; i < 8; i++) {
        const bytes = Uint8Array.from({ length: random() % 60 }, random);
        (await up.peer.subgroup({ alias: 7, group: i, properties: i % 2 === 0 })).raw(bytes).fin();
        up.peer.connection.sendDatagram(bytes);
      }
      (await up.peer.subgroup({ alias: 7, group: 1000 })).object("good").fin();
      await tick();
      if (up.peer.closed !== undefined) continue; // too many faults
      assert.ok(reader.groups.every(({ state }) => state !== "open"));
      const good = reader.groups.find(({ sequence }) => sequence === 1000)!;
      assert.deepEqual(seen(good, up.context.profile), ["0=good"]);
    }
  }
});
