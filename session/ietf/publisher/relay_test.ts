import assert from "node:assert/strict";
import { type Ask, type IetfPeer, ns } from "../../../tests/support/ietf_peer.ts";
import type { MemoryPairOptions } from "../../../transport/memory/memory.ts";
import type { Filter } from "../../../wire/ietf/filter.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { Draft } from "../../../wire/ietf/profile.ts";
import { join, peerAt, testRelay, tick } from "../../peers_test.ts";

const utf8 = new TextEncoder();
const VIDEO = utf8.encode("video");
const ROOM = ns("room");

/** A publisher of room/video and a viewer, and what the relay has asked the publisher for. */
async function publishing(draft: Draft, pair: MemoryPairOptions = {}) {
  const at = testRelay();
  const publisher = await peerAt(at, draft);
  const viewer = await peerAt(at, draft, pair);
  const news = await publisher.ask("publishNamespace", { namespace: ROOM });
  await news.expect("requestOk");
  const subscribe = (parameters: Parameters = {}, peer = viewer) =>
    peer.ask("subscribe", {
      namespace: ROOM,
      track: VIDEO,
      parameters: { filter: { kind: "next-object" }, ...parameters },
    });
  const accept = async (parameters: Parameters = {}) => {
    const asked = await publisher.asked("subscribe");
    asked.say("subscribeOk", { alias: 7, parameters });
    return asked;
  };
  return { at, publisher, viewer, subscribe, accept, news };
}

/** Sends a whole group as one subgroup. */
async function send(publisher: IetfPeer, group: number, ...texts: string[]) {
  (await publisher.subgroup({ alias: 7, group })).objects(...texts).fin();
}

const lines = (peer: IetfPeer) =>
  peer.streams.map((stream) => `${stream}`.replace(/^\d+\//, "")).sort();

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
for (const draft of DRAFTS) {
  Deno.test(`draft ${draft}: objects go through a relay as they came, and PUBLISH_DONE with their streams`, async () => {
    const { at, publisher, viewer, subscribe, accept } = await publishing(draft);
    const asked = await subscribe();
    const upstream = await accept({ largest: { group: 2, object: 9 } });
    const ok = await asked.expect("subscribeOk");
    assert.deepEqual(ok.parameters.largest, { group: 2, object: 9 });
    const subgroup = await publisher.subgroup({ alias: 7, group: 3, subgroup: 0, priority: 100 });
    subgroup.objects("a", { id: 4, payload: "b" });
    (await publisher.subgroup({ alias: 7, group: 3, subgroup: 2 })).objects({ id: 2, payload: "c" })
      .fin();
    const seen = await viewer.nextSubgroup();
    await seen.until(2);
    subgroup.object({ id: 5, status: 3 }).fin();
    await seen.done();
    await (await viewer.nextSubgroup()).done();
    assert.deepEqual(lines(viewer), ["3/0 p100 [0=a 4=b 5!3] fin", "3/2 p128 [2=c] fin"]);
    upstream.say("publishDone", { code: 2, streams: 2 }).finish();
    const done = await asked.expect("publishDone");
    assert.deepEqual([done.code, done.streams], [2, 2]);
    await at.relay.close();
  });

  Deno.test(`draft ${draft}: TRACK_STATUS tells the largest location, and of no track that it does not exist`, async () => {
    const { at, viewer, accept } = await publishing(draft);
    const asked = await viewer.ask("trackStatus", {
      namespace: ROOM,
      track: VIDEO,
      parameters: { filter: { kind: "next-object" } },
    });
    await accept({ largest: { group: 4, object: 1 } });
    const { parameters } = await asked.expect("requestOk");
    assert.deepEqual(parameters.largest, { group: 4, object: 1 });
    const nowhere = await viewer.ask("trackStatus", {
      namespace: ns("nowhere"),
      track: VIDEO,
      parameters: { filter: { kind: "next-object" } },
    });
    const { code } = await nowhere.expect("requestError");
    assert.equal(code, draft === 14 ? 4 : 0x10);
    await at.relay.close();
  });

  /** A FETCH in the form of the draft. */
  const fetch = (
    peer: IetfPeer,
    filter: Filter & { kind: "range" },
    parameters: Parameters = {},
  ): Promise<Ask> =>
    peer.ask("fetch", {
      target: { kind: "track", namespace: ROOM, track: VIDEO },
      parameters: { filter, ...parameters },
    });
  const range = (from: [number, number], to: [number, number?]): Filter & { kind: "range" } => ({
    kind: "range",
    start: { group: from[0], object: from[1] },
    end: to[1] === undefined ? { group: to[0] } : { group: to[0], object: to[1] },
  });

  for (const canReset of [true, false]) {
    Deno.test(`draft ${draft}, ${canReset ? "" : "no "}resets: FETCH answers with the objects of a range in either order, cut at both ends`, async () => {
      const { at, publisher, viewer, subscribe, accept } = await publishing(draft, { canReset });
      await subscribe();
      await accept();
      await send(publisher, 1, "a", "b");
      const other = await publisher.subgroup({ alias: 7, group: 2, subgroup: 1 });
      await tick();
      (await publisher.subgroup({ alias: 7, group: 2 })).objects("a", { id: 2, payload: "c" })
        .fin();
      await tick();
      other.objects({ id: 1, payload: "b" }).fin();
      await send(publisher, 3, "a", "b", "c");
      await tick();
      const asked = await fetch(viewer, range([1, 1], [3, 1]));
      const ok = await asked.expect("fetchOk");
      assert.deepEqual(ok.end, { group: 3, object: 1 });
      const answer = await (await viewer.nextFetch()).done();
      const words = ["1/0/1=b", "2/0/0=a", "2/1/1=b", "2/0/2=c", "3/0/0=a", "3/0/1=b"];
      assert.deepEqual([answer.words, answer.end], [words, "fin"]);
      const back = await fetch(viewer, range([1, 1], [3, 1]), { groupOrder: "descending" });
      await back.expect("fetchOk");
      const backwards = await (await viewer.nextFetch()).done();
      assert.deepEqual(backwards.words, [
        "3/0/0=a",
        "3/0/1=b",
        "2/0/0=a",
        "2/1/1=b",
        "2/0/2=c",
        "1/0/1=b",
      ]);
      await at.relay.close();
    });
  }

  Deno.test(`draft ${draft}: FETCH beyond the largest object is refused, up to it is cut there, and a range of 2^50 groups costs nothing`, async () => {
    const { at, publisher, viewer, subscribe, accept } = await publishing(draft);
    await subscribe();
    await accept();
    const far = 2 ** 50;
    await send(publisher, far, "a", "b");
    await tick();
    const beyond = await fetch(viewer, range([far + 1, 0], [far + 2]));
    const { code } = await beyond.expect("requestError");
    assert.equal(code, draft === 14 ? 5 : 0x11);
    const asked = await fetch(viewer, range([far, 1], [far + 9]));
    assert.deepEqual((await asked.expect("fetchOk")).end, { group: far, object: 1 });
    assert.deepEqual((await (await viewer.nextFetch()).done()).words, [`${far}/0/1=b`]);
    const wide = await fetch(viewer, range([0, 0], [far]));
    // The relay asks the publisher for the first groups, which it has not got.
    for (let i = 0; i < 3; i++) {
      (await publisher.asked("fetch")).say("requestError", { code: 0x11 }).finish();
    }
    if (draft < 16) assert.equal((await wide.next()).kind, "requestError");
    else {
      await wide.expect("fetchOk");
      const { words } = await (await viewer.nextFetch()).done();
      assert.deepEqual(words, [
        `unknown..${far - 1}/9007199254740991`,
        `${far}/0/0=a`,
        `${far}/0/1=b`,
      ]);
    }
    assert.equal(publisher.waiting, 0);
    await at.relay.close();
  });

  if (draft < 20) {
    Deno.test(`draft ${draft}: a fetch joins a subscription from some groups back, up to where that began`, async () => {
      const { at, publisher, viewer, subscribe, accept } = await publishing(draft);
      await subscribe({}, await peerAt(at, draft));
      await accept();
      for (const group of [4, 5, 6]) await send(publisher, group, "a", "b");
      await tick();
      const asked = await subscribe();
      assert.deepEqual((await asked.expect("subscribeOk")).parameters.largest, {
        group: 6,
        object: 1,
      });
      await send(publisher, 7, "later");
      const join1 = await viewer.ask("fetch", {
        target: { kind: "joining", subscription: asked.id, from: "groups-back", group: 1 },
      });
      assert.deepEqual((await join1.expect("fetchOk")).end, { group: 6, object: 1 });
      const words = ["5/0/0=a", "5/0/1=b", "6/0/0=a", "6/0/1=b"];
      assert.deepEqual((await (await viewer.nextFetch()).done()).words, words);
      const join2 = await viewer.ask("fetch", {
        target: { kind: "joining", subscription: asked.id, from: "group", group: 6 },
      });
      await join2.expect("fetchOk");
      assert.deepEqual((await (await viewer.nextFetch()).done()).words, words.slice(2));
      const wrong = await viewer.ask("fetch", {
        target: { kind: "joining", subscription: 998, from: "group", group: 6 },
      });
      await tick();
      at.clock.advance(500); // it might be on its way
      assert.equal((await wrong.expect("requestError")).code, draft === 14 ? 7 : 0x32);
      await at.relay.close();
    });
  } else {
    Deno.test(`draft ${draft}: a subscription is filled from some groups back, on a stream that it counts`, async () => {
      const { at, publisher, viewer, subscribe, accept } = await publishing(draft);
      await subscribe({}, await peerAt(at, draft));
      const upstream = await accept();
      for (const group of [4, 5, 6]) await send(publisher, group, "a", "b");
      await tick();
      const asked = await subscribe({ fill: { filter: { kind: "groups-back", groups: 2 } } });
      await asked.expect("subscribeOk");
      const filled = await (await viewer.nextFetch()).done();
      assert.equal(filled.requestId, asked.id);
      assert.deepEqual(filled.words, ["5/0/0=a", "5/0/1=b", "6/0/0=a", "6/0/1=b"]);
      await send(publisher, 7, "c");
      await (await viewer.nextSubgroup()).done();
      upstream.say("publishDone", { code: 2, streams: 4 }).finish();
      assert.equal((await asked.expect("publishDone")).streams, 2);
      await at.relay.close();
    });
  }

  Deno.test(`draft ${draft}: a track that is published goes to who watches its prefix, with what was there, and its end`, async () => {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    const viewer = await peerAt(at, draft);
    const kind = draft >= 18 ? "subscribeTracks" : "subscribeNamespace";
    const watch = await viewer.ask(kind, { prefix: ROOM, wanted: "tracks" });
    await watch.expect("requestOk");
    const offer = await publisher.ask("publish", {
      namespace: ns("room", "a"),
      track: VIDEO,
      alias: 7,
      parameters: { largest: { group: 1, object: 0 } },
    });
    await offer.expect("requestOk");
    const published = await viewer.asked("publish");
    const said = published.value("publish");
    assert.deepEqual([said.namespace, said.track], [ns("room", "a"), VIDEO]);
    assert.deepEqual(said.parameters.largest, { group: 1, object: 0 });
    published.say("requestOk", {
      parameters: draft < 20 ? { forward: true, filter: { kind: "next-object" } } : {},
    });
    await tick();
    await send(publisher, 2, "a", "b");
    const stream = await (await viewer.nextSubgroup()).done();
    assert.equal(`${stream}`, `${said.alias}/2/0 p128 [0=a 1=b] fin`);
    offer.say("publishDone", { code: 2, streams: 1 }).finish();
    const done = await published.expect("publishDone");
    assert.deepEqual([done.code, done.streams], [2, 1]);
    await at.relay.close();
  });
}

for (const draft of DRAFTS) {
  Deno.test(`draft ${draft}: what a publisher of moq-lite has is subscribed to, asked about and fetched as objects`, async () => {
    const at = testRelay();
    const { client } = await join(at, 6);
    const broadcast = client.publish("room");
    const track = broadcast.track("video");
    const viewer = await peerAt(at, draft);
    const parameters: Parameters = { filter: { kind: "next-object" } };
    const named = { namespace: ROOM, track: VIDEO };
    for (const text of ["a", "b"]) {
      const group = track.group();
      group.write(`${text}0`, 1000);
      group.write(`${text}1`, 2000);
      group.close();
    }
    await tick();
    const asked = await viewer.ask("subscribe", { ...named, parameters });
    const ok = await asked.expect("subscribeOk");
    const status = await viewer.ask("trackStatus", { ...named, parameters });
    assert.deepEqual((await status.expect("requestOk")).parameters.largest, {
      group: 1,
      object: 1,
    });
    const filter: Filter = { kind: "range", start: { group: 0, object: 1 }, end: { group: 1 } };
    const target = { kind: "track", ...named } as const;
    const fetched = await viewer.ask("fetch", { target, parameters: { filter } });
    assert.deepEqual((await fetched.expect("fetchOk")).end, { group: 1, object: 1 });
    const answer = await (await viewer.nextFetch()).done();
    const texts = answer.objects.map(({ group, id, payload }) =>
      `${group}/${id} ${new TextDecoder().decode(payload)}`
    );
    assert.deepEqual(texts, ["0/1 a1", "1/0 b0", "1/1 b1"]);
    const next = track.group();
    next.write("c0", 3000);
    // Its publisher does not say how far the track has come: the newest group is the first, and no older one.
    const newest = await (await viewer.nextSubgroup()).done();
    assert.equal(newest.header.group, 1);
    const stream = await (await viewer.nextSubgroup()).until(1);
    next.close();
    await stream.done();
    const { alias, group, subgroup } = stream.header;
    assert.deepEqual([alias, group, subgroup ?? 0, stream.end], [ok.alias, 2, 0, "fin"]);
    track.close();
    await tick();
    at.clock.advance(2000);
    const done = await asked.expect("publishDone");
    assert.deepEqual([done.code, done.streams], [2, 2]);
    await at.relay.close();
  });
}
