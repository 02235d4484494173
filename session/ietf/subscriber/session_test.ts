/** Peers that publish at a relay, in whole sessions of every kind of draft. */
import assert from "node:assert/strict";
import { memoryPair } from "../../../transport/memory/memory.ts";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import { tick } from "../../../tests/support/fixtures/ietf_upstream.ts";
import { type Draft, profileOf } from "../../../wire/ietf/profile.ts";
import { join, peerAt, testRelay, Viewer } from "../../peers_test.ts";

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
/** Between relays draft 14 shares its name with moq-lite, which is preferred. */
const NAMED = DRAFTS.slice(1);
const ROOM = { namespace: ns("room", "alice") };
const VIDEO = { ...ROOM, track: raw("video") };

Deno.test("a track that is published first and subscribed later comes whole, with the count of its streams", async () => {
  for (const draft of DRAFTS) {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    const offered = await publisher.ask("publish", {
      ...VIDEO,
      alias: 5,
      parameters: { forward: true },
    });
    const ok = await offered.expect("requestOk");
    if (draft < 20) assert.equal(ok.parameters.forward, true);
    (await publisher.subgroup({ alias: 5, group: 1 })).objects("a", "b").fin();
    await tick();
    const viewer = await peerAt(at, draft);
    const asked = await viewer.ask("subscribe", {
      ...VIDEO,
      ...(draft === 14 &&
        { parameters: { filter: { kind: "range", start: { group: 0, object: 0 } } } }),
    });
    const { alias, parameters } = await asked.expect("subscribeOk");
    assert.deepEqual(parameters.largest, { group: 1, object: 1 });
    const first = await (await viewer.nextSubgroup()).done();
    assert.equal(`${first}`, `${alias}/1/0 p128 [0=a 1=b] fin`);
    (await publisher.subgroup({ alias: 5, group: 2, subgroup: 3 })).objects({ id: 4, payload: "c" })
      .fin();
    const second = await (await viewer.nextSubgroup()).done();
    assert.equal(`${second}`, `${alias}/2/3 p128 [4=c] fin`);
    offered.say("publishDone", { code: 2, streams: 2 });
    const done = await asked.expect("publishDone");
    assert.deepEqual([done.code, done.streams], [2, 2]);
    assert.equal(publisher.waiting, 0, "nothing was asked of it");
    assert.equal(publisher.closed, undefined);
  }
});

Deno.test("a namespace's track is subscribed while it has viewers", async () => {
  for (const draft of DRAFTS) {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    await (await publisher.ask("publishNamespace", ROOM)).expect("requestOk");
    const viewer = await peerAt(at, draft);
    const wish = await viewer.ask("subscribe", VIDEO);
    const asked = await publisher.asked("subscribe");
    asked.say("subscribeOk", { alias: 7 });
    (await publisher.subgroup({ alias: 7, group: 1 })).object("a").fin();
    const { alias } = await wish.expect("subscribeOk");
    assert.equal(`${await (await viewer.nextSubgroup()).done()}`, `${alias}/1/0 p128 [0=a] fin`);
    wish.cancel();
    if (draft < 17) await asked.expect("unsubscribe");
    else assert.match(await asked.ended(), /reset|fin/);
    const again = await viewer.ask("subscribe", VIDEO);
    const asked2 = await publisher.asked("subscribe");
    asked2.say("subscribeOk", { alias: 7 }).say("publishDone", { code: 2, streams: 0 });
    await again.expect("subscribeOk");
    await tick();
    at.clock.advance(200);
    assert.equal((await again.expect("publishDone")).code, 2);
    assert.equal(publisher.closed, undefined);
  }
});

Deno.test("a lite viewer watches what a peer of moq-transport publishes", async () => {
  for (const draft of DRAFTS) {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    const offered = await publisher.ask("publish", { ...VIDEO, alias: 5 });
    await offered.expect("requestOk");
    const { client } = await join(at, 6);
    const viewer = new Viewer(client.subscribe("room/alice", "video"));
    await tick();
    (await publisher.subgroup({ alias: 5, group: 1 })).objects("a", "bc").fin();
    (await publisher.subgroup({ alias: 5, group: 2 })).object("d").fin();
    await tick(3);
    assert.deepEqual([viewer.text(1), viewer.text(2)], ["a,bc", "d"]);
    offered.say("publishDone", { code: 2, streams: 2 });
    await viewer.done;
    assert.deepEqual([viewer.end, viewer.whole, viewer.cut], ["ended", [1, 2], []]);
  }
});

Deno.test("a relay follows the namespaces of another that it has dialed", async () => {
  for (const draft of NAMED) {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    const news = await publisher.ask("publishNamespace", ROOM);
    await news.expect("requestOk");
    const [near, far] = memoryPair({ protocol: profileOf(draft).alpn });
    void at.relay.accept(far);
    const other = testRelay();
    await other.relay.join(near);
    await tick(3);
    const broadcast = other.relay.origin.find("room/alice");
    assert.ok(broadcast, `draft ${draft}`);
    news.cancel();
    await tick(3);
    assert.equal(other.relay.origin.find("room/alice"), undefined, `draft ${draft}`);
  }
});

Deno.test("of several sessions that publish one track, the newest serves new viewers and the others stand in", async () => {
  for (const draft of DRAFTS) {
    const at = testRelay();
    const publish = async (name: string) => {
      const peer = await peerAt(at, draft);
      const offered = await peer.ask("publish", { ...VIDEO, alias: 5 });
      await offered.expect("requestOk");
      return {
        offered,
        group: async () => (await peer.subgroup({ alias: 5, group: 1 })).object(name).fin(),
      };
    };
    const watch = async () => {
      const peer = await peerAt(at, draft);
      const asked = await peer.ask("subscribe", VIDEO);
      await asked.expect("subscribeOk");
      return { peer, asked };
    };
    const old = await publish("old");
    const first = await watch();
    const young = await publish("young");
    const second = await watch();
    await old.group();
    await young.group();
    assert.deepEqual((await (await first.peer.nextSubgroup()).done()).words, ["0=old"]);
    assert.deepEqual((await (await second.peer.nextSubgroup()).done()).words, ["0=young"]);
    young.offered.say("publishDone", { code: 2, streams: 1 });
    assert.equal((await second.asked.expect("publishDone")).code, 2);
    await tick();
    const third = await peerAt(at, draft);
    const asked = await third.ask("subscribe", {
      ...VIDEO,
      parameters: draft === 14 ? { filter: { kind: "range", start: { group: 0, object: 0 } } } : {},
    });
    await asked.expect("subscribeOk");
    assert.deepEqual((await (await third.nextSubgroup()).done()).words, ["0=old"]);
  }
});

Deno.test("an old group of a published track is fetched from its publisher", async () => {
  for (const draft of DRAFTS) {
    const at = testRelay({ groupCacheSize: 2 });
    const publisher = await peerAt(at, draft);
    await (await publisher.ask("publish", { ...VIDEO, alias: 5 })).expect("requestOk");
    for (let group = 1; group < 5; group++) {
      (await publisher.subgroup({ alias: 5, group })).object(`${group}`).fin();
      await tick();
    }
    const viewer = await peerAt(at, draft);
    const asked = await viewer.ask("fetch", {
      target: { kind: "track", ...VIDEO },
      parameters: { filter: { kind: "range", start: { group: 1, object: 0 }, end: { group: 1 } } },
    });
    const upstream = await publisher.asked("fetch");
    upstream.say("fetchOk", { end: { group: 1, object: 0 } });
    (await publisher.fetchStream(upstream.id)).object({ group: 1, object: 0 }, "one").fin();
    await asked.expect("fetchOk");
    const answer = await (await viewer.nextFetch()).done();
    assert.deepEqual(answer.words, ["1/0/0=one"]);
  }
});

Deno.test("a track that is published at one relay is watched at another that has dialed it, and paused without viewers", async () => {
  for (const draft of NAMED) {
    const [at, edge] = [testRelay(), testRelay()];
    const [near, far] = memoryPair({ protocol: profileOf(draft).alpn });
    void at.relay.accept(far);
    await edge.relay.join(near);
    const publisher = await peerAt(at, draft);
    const offered = await publisher.ask("publish", { ...VIDEO, alias: 5 });
    await offered.expect("requestOk");
    await tick(3);
    (await publisher.subgroup({ alias: 5, group: 1 })).object("a").fin();
    await tick(3);
    const there = edge.relay.origin.find("room/alice", 0n, "video")?.track("room/alice", "video");
    assert.ok(there, `draft ${draft}`);
    assert.equal(there.groupsIn, 0, "nobody reads it there");
    const viewer = await peerAt(edge, draft);
    const asked = await viewer.ask("subscribe", VIDEO);
    await asked.expect("subscribeOk");
    const first = await (await viewer.nextSubgroup()).until(1);
    assert.deepEqual(
      [first.header.group, first.words],
      [1, ["0=a"]],
      "the newest is there at once",
    );
    (await publisher.subgroup({ alias: 5, group: 2 })).object("b").fin();
    assert.deepEqual((await (await viewer.nextSubgroup()).done()).words, ["0=b"]);
    await first.done();
    offered.say("publishDone", { code: 2, streams: 2 });
    assert.equal((await asked.expect("publishDone")).code, 2);
  }
});
