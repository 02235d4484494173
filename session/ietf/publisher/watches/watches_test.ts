import assert from "node:assert/strict";
import { type IetfPeer, ns, shown } from "../../../../tests/support/ietf_peer.ts";
import type { Draft } from "../../../../wire/ietf/profile.ts";
import { peerAt, testRelay, tick } from "../../../peers_test.ts";

const utf8 = new TextEncoder();
const VIDEO = utf8.encode("video");

/** From now on the peer reads nothing of its requests before this fulfils. */
function holdRequests({ connection }: IetfPeer, gate: Promise<void>): void {
  const openBidi = connection.openBidi.bind(connection);
  connection.openBidi = async (options) => {
    const { send, receive } = await openBidi(options);
    const read = () => gate.then(() => receive.read());
    return { send, receive: { read, stop: (code: number) => receive.stop(code) } };
  };
}

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];
for (const draft of DRAFTS) {
  const tracksKind = draft >= 18 ? "subscribeTracks" : "subscribeNamespace";

  Deno.test(`draft ${draft}: nobody hears of what it publishes itself`, async () => {
    const at = testRelay();
    const peer = await peerAt(at, draft);
    const other = await peerAt(at, draft);
    for (const one of [peer, other]) {
      await (await one.ask("subscribeNamespace", { prefix: ns("a"), wanted: "both" }))
        .expect("requestOk");
      if (draft < 18) continue;
      await (await one.ask("subscribeTracks", { prefix: ns("a") })).expect("requestOk");
    }
    await (await peer.ask("publishNamespace", { namespace: ns("a", "b") })).expect("requestOk");
    const offer = await peer.ask("publish", { namespace: ns("a", "c"), track: VIDEO, alias: 3 });
    await offer.expect("requestOk");
    const published = [];
    for (let i = 0; i < (draft < 16 ? 2 : 1); i++) {
      published.push((await other.asked()).request.kind);
    }
    assert.deepEqual(published.sort(), draft < 16 ? ["publish", "publishNamespace"] : ["publish"]);
    await tick();
    assert.deepEqual([peer.waiting, peer.closed], [0, undefined]);
    await at.relay.close();
  });

  Deno.test(`draft ${draft}: a track that a session has asked for is not published to it as well`, async () => {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    const viewer = await peerAt(at, draft);
    const offer = await publisher.ask("publish", { namespace: ns("a"), track: VIDEO, alias: 3 });
    await offer.expect("requestOk");
    const parameters = { filter: { kind: "next-object" } } as const;
    const asked = await viewer.ask("subscribe", { namespace: ns("a"), track: VIDEO, parameters });
    await asked.expect("subscribeOk");
    const watch = await viewer.ask(tracksKind, { prefix: [], wanted: "tracks" });
    // Draft 14 has no empty prefix.
    if (draft >= 16) await watch.expect("requestOk");
    await tick();
    assert.equal(viewer.waiting, 0);
    await at.relay.close();
  });

  Deno.test(`draft ${draft}: prefixes of one kind do not overlap, and there are so many at the most`, async () => {
    const at = testRelay({ maxMessageRate: 0 });
    const peer = await peerAt(at, draft, { maxBidiStreams: 200 });
    const ask = async (...prefix: string[]) => {
      const asked = await peer.ask("subscribeNamespace", { prefix: ns(...prefix), wanted: "both" });
      await tick();
      at.clock.advance(200); // what it overlaps with might be on its way out
      const answer = await asked.next();
      return answer.kind === "requestError" ? answer.value.code : "ok";
    };
    const overlap = draft === 14 ? 5 : 0x30;
    assert.equal(await ask("a", "b"), "ok");
    assert.equal(await ask("a"), overlap);
    assert.equal(await ask("a", "b", "c"), overlap);
    assert.equal(await ask("a", "bc"), "ok");
    if (draft >= 18) {
      const tracks = await peer.ask("subscribeTracks", { prefix: ns("a", "b") });
      await tracks.expect("requestOk");
    }
    for (let i = draft >= 18 ? 3 : 2; i < 64; i++) assert.equal(await ask(`n${i}`), "ok");
    assert.notEqual(await ask("one more"), "ok");
    await at.relay.close();
  });

  if (draft >= 16) {
    Deno.test(`draft ${draft}: a peer that does not read hears of each namespace once, as it is when it reads`, async () => {
      const at = testRelay({ maxMessageRate: 0, maxAnnouncements: 0 });
      const gate = Promise.withResolvers<void>();
      const peer = await peerAt(at, draft, { windowBytes: 1000 });
      holdRequests(peer, gate.promise);
      const watch = await peer.ask("subscribeNamespace", { prefix: [], wanted: "namespaces" });
      await tick();
      const { origin } = at.relay;
      const source = { label: "here" } as never;
      const how = { hops: [], warm: 0, cold: 0 };
      for (let i = 0; i < 3000; i++) {
        const one = origin.announce(`room/${i % 10}`, source, how)!;
        if (i < 2995) one.end();
      }
      gate.resolve();
      await tick(20);
      await watch.expect("requestOk");
      const there = new Set<string>();
      const told = watch.waiting;
      while (watch.waiting > 0) {
        const { kind, value } = await watch.next();
        if (kind === "namespace") there.add(shown(value.suffix));
        else if (kind === "namespaceDone") assert.ok(there.delete(shown(value.suffix)));
      }
      assert.deepEqual([...there].sort(), ["room|5", "room|6", "room|7", "room|8", "room|9"]);
      assert.ok(told < 500, `${told} messages`);
      await at.relay.close();
    });
  }
}

for (const draft of [18, 22] as const) {
  Deno.test(`draft ${draft}: tracks are published without their objects to who wants them so, and go on when it says so`, async () => {
    const at = testRelay();
    const publisher = await peerAt(at, draft);
    const viewer = await peerAt(at, draft);
    const parameters = { forward: false };
    const watch = await viewer.ask("subscribeTracks", { prefix: ns("a"), parameters });
    await watch.expect("requestOk");
    const offer = await publisher.ask("publish", { namespace: ns("a"), track: VIDEO, alias: 3 });
    await offer.expect("requestOk");
    const published = await viewer.asked("publish");
    assert.equal(published.value("publish").parameters.forward, false);
    published.say("requestOk");
    await tick();
    const group = (await publisher.subgroup({ alias: 3, group: 1 })).objects("a");
    await tick();
    assert.equal(viewer.streams.length, 0);
    published.update({ forward: true });
    await published.expect("requestOk");
    group.objects("b").fin();
    const stream = await (await viewer.nextSubgroup()).done();
    assert.deepEqual(stream.words, ["1=b"]);
    watch.cancel();
    offer.say("publishDone", { code: 2, streams: 1 }).finish();
    assert.equal((await published.expect("publishDone")).streams, 1);
    await at.relay.close();
  });
}
