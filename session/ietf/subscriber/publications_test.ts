/** Namespaces and tracks that a peer offers, and what becomes of them when it leaves. */
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
} from "../../../tests/support/fixtures/ietf_upstream.ts";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import { layoutOf } from "../context.ts";

Deno.test("a namespace is announced until its publisher takes it back, and not twice", async () => {
  for (const draft of DRAFTS) {
    const up = await Upstream.of(draft, { root: "at" });
    const news = up.publishes("publishNamespace", ROOM);
    await tick();
    assert.deepEqual(news.said, ["requestOk"]);
    assert.ok(up.origin.find("at/room/alice"));
    assert.ok(up.origin.find("at/room/alice/below", 0n, "any"));
    assert.equal(up.subscriber.announcements, 1);
    const again = up.publishes("publishNamespace", ROOM);
    await tick();
    up.relay.clock.advance(200);
    await tick();
    assert.equal(again.end, "refused uninterested");
    news.over();
    await tick();
    assert.equal(up.origin.find("at/room/alice"), undefined);
    assert.equal(up.subscriber.announcements, 0);
    up.publishes("publishNamespace", ROOM);
    await tick();
    assert.ok(up.origin.find("at/room/alice"));
    up.subscriber.close(false);
    assert.equal(up.origin.find("at/room/alice"), undefined);
  }
});

Deno.test("a namespace may come back a moment before its end is seen", async () => {
  const up = await Upstream.of(18);
  const before = up.publishes("publishNamespace", ROOM);
  await tick();
  const after = up.publishes("publishNamespace", ROOM);
  await tick();
  assert.deepEqual(after.said, []);
  before.reset();
  await tick();
  assert.deepEqual(after.said, ["requestOk"]);
  assert.ok(up.origin.find("room/alice"));
});

Deno.test("a namespace that begins with a dot is not passed on, from 18 on", async () => {
  for (const draft of DRAFTS) {
    const up = await Upstream.of(draft);
    const news = up.publishes("publishNamespace", { namespace: ns(".session", "x") });
    const offered = up.publishes("publish", { namespace: ns(".x"), track: raw("t"), alias: 1 });
    await tick();
    const refused = draft >= 18 ? "refused doesNotExist" : undefined;
    assert.deepEqual([news.end, offered.end], [refused, refused]);
    assert.equal(up.origin.size, draft >= 18 ? 0 : 2);
  }
});

Deno.test("namespaces and tracks together are limited like announcements", async () => {
  const up = await Upstream.of(18, { limits: { maxAnnouncements: 2 } });
  const one = up.publishes("publishNamespace", ROOM);
  const two = up.publishes("publish", { ...VIDEO, alias: 1 });
  const three = up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 2 });
  await tick();
  assert.deepEqual([one.said, two.said], [["requestOk"], ["requestOk"]]);
  assert.equal(three.end, "refused overloaded");
  assert.equal(up.hits.announcements, 1);
});

Deno.test("a track that has ended makes room for its name and its alias at once", async () => {
  for (const draft of DRAFTS) {
    const { up, reader, asked } = await accepted(draft);
    asked.hears("publishDone", { code: 2, streams: 5 });
    const first = up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 7 });
    await tick();
    up.relay.clock.advance(100);
    await tick();
    assert.deepEqual([reader.end?.kind, first.said], ["ended", ["requestOk"]]);
    const late = await up.peer.subgroup({ alias: 7, group: 1 });
    late.object("late");
    await tick();
    const old = up.subscriber.ownTrack("room/alice", "audio")!;
    first.hears("publishDone", { code: 2, streams: 5 });
    await tick();
    const second = up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 7 });
    await tick();
    assert.deepEqual(second.said, ["requestOk"], `draft ${draft}`);
    assert.notEqual(up.subscriber.ownTrack("room/alice", "audio"), old);
    assert.equal(up.peer.closed, undefined);
  }
});

Deno.test("a published track is there without a viewer, and the next one gets its newest group", async () => {
  for (const draft of DRAFTS) {
    const up = await Upstream.of(draft);
    const offered = up.publishes("publish", {
      ...VIDEO,
      alias: 9,
      parameters: { largest: { group: 0, object: 3 } },
    });
    for (let group = 1; group < 30; group++) {
      (await up.peer.subgroup({ alias: 9, group })).object(`of ${group}`).fin();
    }
    await tick();
    assert.equal(offered.said[0], "requestOk");
    assert.equal(up.origin.find("room/alice", 0n, "audio"), undefined, "it has only that track");
    const track = up.origin.find("room/alice", 0n, "video")!.track("room/alice", "video");
    assert.deepEqual(track.largest, { group: 29, object: 0 });
    assert.ok(track.ring.size <= 8, "it keeps as many groups as any track");
    const [listed, ...others] = up.origin.find("room/alice")!.tracks();
    assert.equal(listed?.track, track);
    assert.equal(listed?.route?.source, up.subscriber);
    assert.deepEqual(others, []);
    const reader = new FakeReader(undefined, layoutOf(up.context.profile));
    track.add(reader);
    (await up.peer.subgroup({ alias: 9, group: 30 })).object("of 30").fin();
    await tick();
    const texts = reader.groups.map((group) => seen(group, up.context.profile).join());
    assert.deepEqual(texts, ["0=of 29", "0=of 30"]);
    assert.equal(up.relay.stats.groupsIn, 30);
    offered.hears("publishDone", { code: 2, streams: 30 });
    await tick();
    assert.deepEqual(reader.end, { kind: "ended", nextGroup: 31 });
    assert.equal(up.origin.find("room/alice", 0n, "video"), undefined);
    assert.equal(up.subscriber.announcements, 0);
    assert.equal(offered.end, "finished");
    assert.equal(track.ring.size, 0, "its memory is free");
  }
});

Deno.test("tracks and the namespace of one path are one announcement", async () => {
  const up = await Upstream.of(18);
  const video = up.publishes("publish", { ...VIDEO, alias: 1 });
  await tick();
  const space = up.publishes("publishNamespace", ROOM);
  const audio = up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 2 });
  await tick();
  const broadcast = up.origin.find("room/alice", 0n, "video")!;
  assert.equal(up.origin.find("room/alice", 0n, "else"), broadcast);
  assert.equal(broadcast.routes.length, 1);
  space.over();
  await tick();
  assert.equal(up.origin.find("room/alice", 0n, "else"), undefined);
  assert.equal(up.origin.find("room/alice", 0n, "audio"), broadcast);
  video.hears("publishDone", { code: 2, streams: 0 });
  audio.hears("publishDone", { code: 2, streams: 0 });
  await tick();
  up.relay.clock.advance(100);
  assert.equal(up.origin.find("room/alice"), undefined);
});

Deno.test("a lost session ends its published tracks and interrupts its subscriptions", async () => {
  const { up, reader } = await accepted(18);
  up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 9 });
  await tick();
  const other = new FakeReader(undefined, "objects18");
  up.origin.find("room/alice", 0n, "audio")!.track("room/alice", "audio").add(other);
  (await up.peer.subgroup({ alias: 7, group: 1 })).object("x");
  (await up.peer.subgroup({ alias: 9, group: 1 })).object("y");
  await tick();
  up.subscriber.close(true);
  assert.equal(other.end?.kind === "failed" && other.end.why, "lost");
  assert.equal(other.groups[0]!.state, "cut");
  assert.equal(reader.groups[0]!.state, "open", "another source may go on with it");
  assert.equal(reader.end, undefined);
});

Deno.test("a publisher may leave as soon as it has ended its track", async () => {
  for (const draft of DRAFTS) {
    const { up, reader, asked } = await accepted(draft);
    const offered = up.publishes("publish", { ...ROOM, track: raw("audio"), alias: 9 });
    await tick();
    const other = new FakeReader(undefined, layoutOf(up.context.profile));
    up.origin.find("room/alice", 0n, "audio")!.track("room/alice", "audio").add(other);
    up.peer.datagram({ alias: 7, group: 1 }, "x");
    (await up.peer.subgroup({ alias: 9, group: 1 })).object("y").fin();
    asked.hears("publishDone", { code: 2, streams: 0 });
    offered.hears("publishDone", { code: 2, streams: 3 });
    await tick();
    assert.deepEqual([reader.end, other.end], [undefined, undefined], "more may come");
    up.subscriber.close(false);
    assert.deepEqual(reader.end, { kind: "ended", nextGroup: 2 });
    assert.deepEqual(other.end, { kind: "ended", nextGroup: 2 });
  }
});

Deno.test("a peer that leaves makes its routes the worst", async () => {
  const up = await Upstream.of(18);
  up.publishes("publishNamespace", ROOM);
  await tick();
  up.subscriber.devalue();
  const [route] = up.origin.find("room/alice")!.routes;
  assert.deepEqual([route!.warm, route!.cold], [Infinity, Infinity]);
});
