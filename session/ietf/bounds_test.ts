/** What a peer of moq-transport can make the relay hold or repeat is bounded. */
import assert from "node:assert/strict";
import { IetfPeer, ns, raw } from "../../tests/support/ietf_peer.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";
import { peerAt, type TestRelay, testRelay, tick } from "../peers_test.ts";
import { MAX_UNFINISHED_BYTES } from "../unfinished.ts";
import { MAX_UNANSWERED } from "./requests/any_exchange.ts";
import { MAX_WAITING_REQUESTS, WaitingRequests } from "./requests/waiting_requests.ts";

const room = { namespace: ns("room"), track: raw("v") };
const filter = { kind: "next-object" } as const;

/** A publisher of one track, and its viewer. */
async function watched(at: TestRelay, draft: Draft) {
  const publisher = await peerAt(at, draft);
  await (await publisher.ask("publishNamespace", { namespace: ns("room") })).expect("requestOk");
  const viewer = await peerAt(at, draft);
  const wish = await viewer.ask("subscribe", { ...room, parameters: { filter } });
  const upstream = await publisher.asked("subscribe");
  upstream.say("subscribeOk", { alias: 7 });
  await wish.expect("subscribeOk");
  return { publisher, viewer, wish, upstream };
}

for (const draft of [15, 16, 18, 22] as const) {
  Deno.test(`draft ${draft}: a publisher that answers no update gets few, and the last one when it does`, async () => {
    const at = testRelay();
    const { wish, upstream } = await watched(at, draft);
    for (let i = 0; i < 101; i++) {
      wish.update({ forward: i % 2 === 1 });
      await tick();
    }
    assert.equal(upstream.waiting, MAX_UNANSWERED);
    for (let i = 0; i < MAX_UNANSWERED; i++) upstream.accept(await upstream.expect("update"));
    await tick(2);
    const last = await upstream.expect("update");
    assert.equal(last.parameters.forward, false);
    assert.equal(upstream.waiting, 0);
    await at.relay.close();
  });
}

Deno.test("heads of objects that are not whole are counted: their properties may be large", async () => {
  const at = testRelay();
  const { publisher } = await watched(at, 18);
  const [session] = [...at.relay.sessions()];
  const { unfinished } = session!.session.swept;
  // Id 0, 16,383 bytes of properties, and not all of them.
  const begun = new Uint8Array(8000);
  begun.set([0, 0xbf, 0xff]);
  const streams = [];
  for (let group = 0; group < 17; group++) {
    const stream = await publisher.subgroup({ alias: 7, group, properties: true });
    streams.push(stream.raw(begun));
    await tick();
    assert.ok(unfinished.bytes <= MAX_UNFINISHED_BYTES);
  }
  assert.equal(at.relay.stats.streamsMalformed, 1);
  assert.equal(publisher.closed, undefined);
  for (const stream of streams) stream.reset();
  await tick();
  assert.equal(unfinished.bytes, 0);
  await at.relay.close();
});

for (const draft of [14, 16] as const) {
  Deno.test(`draft ${draft}: answers to what nobody has asked any more count towards the message rate`, async () => {
    const at = testRelay({ maxMessageRate: 10 });
    const { publisher, wish, upstream } = await watched(at, draft);
    wish.cancel();
    await tick(2);
    for (let i = 0; i < 200; i++) upstream.say("subscribeOk", { alias: 7 });
    const late = await publisher.ask("publishNamespace", { namespace: ns("late") });
    await tick(5);
    assert.equal(late.waiting, 0, "it waits for its turn");
    for (let i = 0; i < 30; i++) {
      at.clock.advance(1000);
      await tick(2);
    }
    await late.expect("requestOk");
    await at.relay.close();
  });
}

for (const draft of [16, 18] as const) {
  Deno.test(`draft ${draft}: where the publisher allows no request, viewers that come and go leave a bounded number behind`, async () => {
    const at = testRelay();
    const [near, far] = memoryPair({ protocol: profileOf(draft).alpn, maxBidiStreams: 1 });
    void at.relay.accept(far);
    const setup = draft === 16 ? { maxRequestId: 2 } : {};
    const publisher = await IetfPeer.client(near, draft, { setup });
    await publisher.setup();
    const news = await publisher.ask("publishNamespace", { namespace: ns("room") });
    await news.expect("requestOk");
    await (await peerAt(at, draft)).ask("subscribe", { ...room, parameters: { filter } });
    await publisher.asked("subscribe"); // the only one that it allows
    let waiting = 0;
    const { until } = WaitingRequests.prototype;
    WaitingRequests.prototype.until = async function <T>(allowed: () => Promise<T>) {
      waiting++;
      try {
        return await until.call(this, allowed) as T;
      } finally {
        waiting--;
      }
    };
    try {
      const viewer = await peerAt(at, draft);
      const asks = [];
      for (let i = 0; i < MAX_WAITING_REQUESTS + 100; i++) {
        const track = raw(`t${i}`);
        const ask = await viewer.ask("subscribe", { ...room, track, parameters: { filter } });
        await tick();
        ask.cancel();
        asks.push(ask);
      }
      await tick(2);
      assert.equal(waiting, MAX_WAITING_REQUESTS);
      publisher.close();
      await tick(2);
      assert.equal(waiting, 0);
    } finally {
      WaitingRequests.prototype.until = until;
      await at.relay.close();
    }
  });
}
