import assert from "node:assert/strict";
import { type Ask, type IetfPeer, ns } from "../../../tests/support/ietf_peer.ts";
import type { Filter } from "../../../wire/ietf/filter.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { type Draft, profileOf } from "../../../wire/ietf/profile.ts";
import { peerAt, testRelay, tick } from "../../peers_test.ts";

const utf8 = new TextEncoder();
const VIDEO = utf8.encode("video");
const ROOM = ns("room");
const BIG = "x".repeat(3000);

/** A publisher of room/video, which somebody watches. */
async function published(draft: Draft, at = testRelay()) {
  const publisher = await peerAt(at, draft);
  await (await publisher.ask("publishNamespace", { namespace: ROOM })).expect("requestOk");
  const watcher = await peerAt(at, draft);
  await subscribe(watcher);
  const upstream = await publisher.asked("subscribe");
  upstream.say("subscribeOk", { alias: 7 });
  await tick();
  const open = (group: number) => publisher.subgroup({ alias: 7, group });
  return { at, publisher, watcher, upstream, open };
}

const subscribe = (peer: IetfPeer, parameters: Parameters = {}, id?: number): Promise<Ask> =>
  peer.ask("subscribe", {
    ...(id !== undefined && { requestId: id }),
    namespace: ROOM,
    track: VIDEO,
    parameters: { filter: { kind: "next-object" }, ...parameters },
  });
const fetch = (peer: IetfPeer, from: number, to: number): Promise<Ask> => {
  const filter: Filter = { kind: "range", start: { group: from, object: 0 }, end: { group: to } };
  const target = { kind: "track", namespace: ROOM, track: VIDEO } as const;
  return peer.ask("fetch", { target, parameters: { filter } });
};

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
for (const draft of DRAFTS) {
  for (const canReset of [true, false]) {
    Deno.test(`draft ${draft}, ${canReset ? "" : "no "}resets: a viewer that does not read loses old groups, and none of them in the middle without a sign`, async () => {
      const { at, watcher, open, upstream } = await published(draft);
      const gate = Promise.withResolvers<void>();
      const slow = await peerAt(at, draft, { canReset, windowBytes: 2000 }, { hold: gate.promise });
      const asked = await subscribe(slow, { deliveryTimeoutMs: 1000 });
      await asked.expect("subscribeOk");
      for (const group of [1, 2, 3]) {
        (await open(group)).objects(BIG, BIG).fin();
        await tick();
        at.clock.advance(500);
      }
      at.clock.advance(2000);
      await tick();
      gate.resolve();
      await tick(3);
      assert.equal(watcher.streams.length, 3);
      const seen = slow.streams.map(({ end, rest }) => ({ end, rest }));
      // A reset takes what was not read along, the head too. Without one the stream ends behind an object.
      const whole = { end: "fin", rest: 0 };
      assert.deepEqual(seen, canReset ? [whole] : [whole, whole, whole]);
      assert.equal(`${slow.streams.at(-1)!}`.split("/")[1], "3");
      upstream.say("publishDone", { code: 2, streams: 3 }).finish();
      assert.equal((await asked.expect("publishDone")).streams, 3);
      await at.relay.close();
    });
  }

  Deno.test(`draft ${draft}: the lost rest of a group is told as unknown where the draft can, otherwise the answer is given up`, async () => {
    const { at, publisher, watcher, open } = await published(draft);
    (await open(1)).objects("a", "b").fin();
    const cut = (await open(2)).objects("a");
    await tick();
    (await open(3)).objects("a").fin();
    await tick();
    cut.reset();
    await tick();
    const asked = await fetch(watcher, 1, 3);
    // It is asked for where it came from, which has not got it either.
    (await publisher.asked("fetch")).say("requestError", { code: 0x11 }).finish();
    await asked.expect("fetchOk");
    const answer = await (await watcher.nextFetch()).done();
    if (draft === 14) {
      assert.deepEqual([answer.words, answer.end], [["1/0/0=a", "1/0/1=b", "2/0/0=a"], "reset 1"]);
    } else {
      const words = ["1/0/0=a", "1/0/1=b", "2/0/0=a", "unknown..2/9007199254740991", "3/0/0=a"];
      assert.deepEqual([answer.words, answer.end], [words, "fin"]);
    }
    await at.relay.close();
  });

  for (const canReset of [true, false]) {
    Deno.test(`draft ${draft}, ${canReset ? "" : "no "}resets: a fetch goes as fast as its peer reads, and ends when that takes it back`, async () => {
      const { at, open } = await published(draft);
      for (const group of [1, 2, 3, 4]) (await open(group)).objects(BIG, BIG).fin();
      await tick();
      const slow = await peerAt(at, draft, { canReset, windowBytes: 2000 });
      const asked = await fetch(slow, 1, 4);
      await asked.expect("fetchOk");
      const answer = await (await slow.nextFetch()).until(8);
      await answer.done();
      assert.deepEqual([answer.objects.length, answer.rest, answer.end], [8, 0, "fin"]);
      const again = await fetch(slow, 1, 4);
      await again.expect("fetchOk");
      again.cancel();
      await tick(3);
      assert.equal(
        [...at.relay.sessions()].reduce((n, { session }) => n + session.swept.sent.groups.size, 0),
        1,
      );
      await at.relay.close();
    });
  }

  Deno.test(`draft ${draft}: a fetch that nothing can be found for is refused, and one that waits is ended by the peer`, async () => {
    const { at, publisher, watcher, open } = await published(draft);
    (await open(5)).objects("a").fin();
    await tick();
    const asked = await fetch(watcher, 3, 4);
    for (let i = 0; i < 2; i++) {
      (await publisher.asked("fetch")).say("requestError", { code: 0x11 }).finish();
    }
    assert.equal((await asked.expect("requestError")).code, draft === 14 ? 6 : 0x11);
    const waiting = await fetch(watcher, 3, 4);
    await publisher.asked("fetch");
    waiting.cancel();
    await tick();
    assert.equal(watcher.closed, undefined);
    await at.relay.close();
  });

  Deno.test(`draft ${draft}: an update raises the priority, moves the end, and never brings back what lies before the start`, async () => {
    const { at, upstream, open } = await published(draft);
    (await open(1)).objects("a").fin();
    (await open(2)).objects("a").fin();
    await tick();
    const viewer = await peerAt(at, draft);
    const asked = await subscribe(viewer);
    await asked.expect("subscribeOk");
    const filter: Filter = { kind: "range", start: { group: 0, object: 0 }, end: { group: 4 } };
    const said = draft >= 20 || draft === 14 ? filter : { ...filter };
    asked.update({ filter: said, priority: 3, forward: true });
    if (draft !== 14) await asked.expect("requestOk");
    await tick();
    assert.deepEqual(viewer.streams, []);
    for (const group of [3, 4, 5]) (await open(group)).objects("b").fin();
    await tick();
    const groups = viewer.streams.map((stream) => `${stream}`.split("/")[1]);
    assert.deepEqual(groups, ["3", "4"]);
    const { session } = [...at.relay.sessions()].at(-1)!;
    assert.deepEqual([...session.served()].map(({ request }) => request.priority), [252]);
    upstream.say("publishDone", { code: 2, streams: 5 }).finish();
    assert.equal((await asked.expect("publishDone")).streams, 2);
    await at.relay.close();
  });
}

Deno.test("a session with no place for more is told which published tracks it does not get", async () => {
  const draft = 18;
  const at = testRelay({ maxSubscriptions: 1 });
  const publisher = await peerAt(at, draft);
  const viewer = await peerAt(at, draft);
  const watch = await viewer.ask("subscribeTracks", { prefix: ROOM });
  await watch.expect("requestOk");
  for (const [alias, name] of [[7, "a"], [8, "b"]] as const) {
    const offer = await publisher.ask("publish", {
      namespace: ROOM,
      track: utf8.encode(name),
      alias,
    });
    await offer.expect("requestOk");
  }
  assert.deepEqual((await viewer.asked("publish")).value("publish").track, utf8.encode("a"));
  const { suffix, track } = await watch.expect("publishBlocked");
  assert.deepEqual([suffix, track], [[], utf8.encode("b")]);
  await at.relay.close();
});

Deno.test("conditions on objects are refused, and an update that asks for them ends the subscription", async () => {
  const draft = 22;
  const { at, open } = await published(draft);
  const viewer = await peerAt(at, draft);
  const conditions: Parameters = {
    rangeFilters: [{ on: "object", set: 0, ranges: [{ start: 1, end: 2 }] }],
  };
  const refused = await subscribe(viewer, conditions);
  assert.equal((await refused.expect("requestError")).code, 0x36);
  const asked = await subscribe(viewer);
  await asked.expect("subscribeOk");
  (await open(1)).objects("a");
  await viewer.nextSubgroup();
  asked.update(conditions);
  assert.equal((await asked.expect("requestError")).code, 0x36);
  const { code, streams } = await asked.expect("publishDone");
  assert.deepEqual([code, streams], [8, 1]);
  assert.equal(await asked.ended(), "fin");
  await at.relay.close();
});

for (const draft of [14, 16, 18] as const) {
  Deno.test(`draft ${draft}: what is taken back can be asked for again at once`, async () => {
    const { at, publisher } = await published(draft);
    const viewer = await peerAt(at, draft);
    const watch = () => viewer.ask("subscribeNamespace", { prefix: ns("x"), wanted: "both" });
    let asked = await subscribe(viewer);
    await asked.expect("subscribeOk");
    let watching = await watch();
    await watching.expect("requestOk");
    for (let i = 0; i < 3; i++) {
      // On streams of their own the new request may overtake the end of the old one.
      const again = await subscribe(viewer);
      const anew = await watch();
      await tick();
      asked.cancel();
      watching.cancel();
      await (asked = again).expect("subscribeOk");
      await (watching = anew).expect("requestOk");
    }
    assert.equal(publisher.waiting, 0);
    await at.relay.close();
  });

  Deno.test(`draft ${draft}: a fetch that joins a subscription that is not accepted, or on its way, waits for it`, async () => {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    await (await publisher.ask("publishNamespace", { namespace: ROOM })).expect("requestOk");
    const viewer = await peerAt(at, draft);
    const id = viewer.nextId();
    const join1 = () =>
      viewer.ask("fetch", {
        target: { kind: "joining", subscription: id, from: "groups-back", group: 0 },
      });
    // On streams of their own the fetch may come first.
    const early = profileOf(draft).requestStreams ? await join1() : undefined;
    await tick();
    const asked = await subscribe(viewer, {}, id);
    const upstream = await publisher.asked("subscribe");
    const joined = early ?? await join1();
    await tick();
    assert.equal(joined.waiting, 0);
    upstream.say("subscribeOk", { alias: 7, parameters: { largest: { group: 3, object: 1 } } });
    await asked.expect("subscribeOk");
    const fetched = await publisher.asked("fetch");
    fetched.say("fetchOk", { end: { group: 3, object: 1 } });
    const answer = await publisher.fetchStream(fetched.id);
    answer.object({ group: 3, object: 0 }, "a").object({ group: 3, object: 1 }, "b").fin();
    assert.deepEqual((await joined.expect("fetchOk")).end, { group: 3, object: 1 });
    assert.deepEqual((await (await viewer.nextFetch()).done()).words, ["3/0/0=a", "3/0/1=b"]);
    await at.relay.close();
  });
}

for (const draft of DRAFTS) {
  Deno.test(`draft ${draft}: a session that drains sends the groups that have begun, and says that it goes; a lost source is no end in order`, async () => {
    const { at, publisher, open } = await published(draft);
    const viewer = await peerAt(at, draft);
    const asked = await subscribe(viewer);
    await asked.expect("subscribeOk");
    const other = await peerAt(at, draft);
    const lost = await subscribe(other);
    await lost.expect("subscribeOk");
    const group = (await open(1)).objects("a");
    await (await viewer.nextSubgroup()).until(1);
    [...at.relay.sessions()].at(-2)!.session.drain();
    await tick();
    assert.equal(asked.waiting, 0);
    group.objects("b").fin();
    const going = await asked.expect("publishDone");
    assert.deepEqual([going.code, going.streams], [4, 1]);
    assert.deepEqual(viewer.streams[0]!.words, ["0=a", "1=b"]);
    publisher.close();
    await tick();
    at.clock.advance(60_000);
    const gone = await lost.expect("publishDone");
    assert.deepEqual([gone.code, gone.streams], [0, 1]);
    await at.relay.close();
  });

  Deno.test(`draft ${draft}: with few streams the order of groups is the peer's`, async () => {
    for (const groupOrder of ["ascending", "descending"] as const) {
      const { at, open } = await published(draft);
      const viewer = await peerAt(at, draft, {
        maxUniStreams: profileOf(draft).control === "uni" ? 2 : 1,
      });
      await (await subscribe(viewer, { groupOrder })).expect("subscribeOk");
      const groups = [];
      for (const group of [1, 2, 3, 4]) {
        groups.push((await open(group)).objects("a"));
        await tick();
        at.clock.advance(150);
      }
      for (const one of groups) one.fin();
      await tick(5);
      const order = viewer.streams.map((stream) => `${stream}`.split("/")[1]).join("");
      assert.equal(order, groupOrder === "ascending" ? "1234" : "1432");
      await at.relay.close();
    }
  });
}
