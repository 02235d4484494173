import assert from "node:assert/strict";
import { memoryPair, type MemoryPairOptions } from "../../transport/memory/memory.ts";
import { type Profile, PROFILES } from "../../wire/ietf/profile.ts";
import { IetfPeer, ns, type PeerOptions } from "../../tests/support/ietf_peer.ts";
import { type TestRelay, testRelay, tick } from "../peers_test.ts";

const track = new TextEncoder().encode("v");
const ROOM = ns("room", "alice");

/** A scripted peer at a relay. */
async function at(
  { relay }: TestRelay,
  { draft, alpn }: Pick<Profile, "draft" | "alpn">,
  pair: MemoryPairOptions = {},
  options: PeerOptions = {},
): Promise<IetfPeer> {
  const [near, far] = memoryPair({ protocol: alpn, ...pair });
  void relay.accept(far);
  const peer = await IetfPeer.client(near, draft, options);
  return peer;
}

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: a publisher's track reaches a viewer through the relay`, async () => {
    const relay = testRelay();
    const publisher = await at(relay, profile, { readBytes: 3 });
    const setup = await publisher.setup();
    assert.match(setup.options.implementation ?? "", /^qumo-relay\//);
    const news = await publisher.ask("publishNamespace", { namespace: ROOM });
    await news.expect("requestOk");
    assert.deepEqual([...relay.relay.sessions()].map((one) => one.session.version), [profile.name]);

    const viewer = await at(relay, profile);
    await viewer.setup();
    const wish = await viewer.ask("subscribe", {
      namespace: ROOM,
      track,
      parameters: { filter: { kind: "next-object" } },
    });
    const asked = await publisher.asked("subscribe");
    asked.say("subscribeOk", { alias: 7 });
    await wish.expect("subscribeOk");
    (await publisher.subgroup({ alias: 7, group: 3 })).objects("abcd", { id: 5, payload: "ef" })
      .fin();
    const seen = await (await viewer.nextSubgroup()).done();
    assert.match(`${seen}`, /\/3\/0 p128 \[0=abcd 5=ef\] fin$/);
    wish.cancel();
    publisher.connection.close();
  });
}

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: a relay that dials another brings in what is published there, and offers its own`, async () => {
    const versions = [profile.name];
    const [upstream, edge] = [testRelay({ versions }), testRelay({ versions, hop: 778n })];
    const [near, far] = memoryPair({ protocol: profile.alpn });
    void upstream.relay.accept(far);
    const joined = await edge.relay.join(near);
    assert.equal(joined.session.version, profile.name);

    for (const [from, to, name] of [[upstream, edge, "up"], [edge, upstream, "down"]] as const) {
      const publisher = await at(from, profile);
      await publisher.setup();
      const news = await publisher.ask("publishNamespace", { namespace: ns(name) });
      await news.expect("requestOk");
      await tick(3);
      const viewer = await at(to, profile);
      await viewer.setup();
      const wish = await viewer.ask("subscribe", {
        namespace: ns(name),
        track,
        parameters: { filter: { kind: "next-object" } },
      });
      (await publisher.asked("subscribe")).say("subscribeOk", { alias: 7 });
      await wish.expect("subscribeOk");
      (await publisher.subgroup({ alias: 7, group: 3 })).objects("abcd", { id: 5, payload: "ef" })
        .fin();
      const seen = await (await viewer.nextSubgroup()).done();
      assert.match(`${seen}`, /\/3\/0 p128 \[0=abcd 5=ef\] fin$/);
    }
  });
}

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: who is kicked, turned away or asked to leave gets codes of the draft`, async () => {
    const relay = testRelay({ maxSessions: 3 });
    const peers: IetfPeer[] = [];
    for (let i = 0; i < 3; i++) {
      const peer = await at(relay, profile);
      await peer.setup();
      peers.push(peer);
    }
    await tick();
    const [kicked, revoked, asked] = peers;
    const turnedAway = async () => {
      const [near, far] = memoryPair({ protocol: profile.alpn });
      void relay.relay.accept(far);
      return (await near.closed).code;
    };
    assert.equal(await turnedAway(), 1);

    const [first, second] = [...relay.relay.sessions()];
    relay.relay.kick(first!.id, "unauthorized", "go");
    assert.deepEqual([(await kicked!.connection.closed).code, first!.session.reasonFor(2)], [
      2,
      "unauthorized",
    ]);
    relay.relay.kick(second!.id, 77, "go");
    assert.equal((await revoked!.connection.closed).code, 77);

    const drained = relay.relay.drain(5000, "moqt://elsewhere/");
    assert.equal((await asked!.expect("goaway")).uri, "moqt://elsewhere/");
    for (let i = 0; i < 10; i++) {
      relay.clock.advance(100);
      await tick();
    }
    await drained;
    assert.equal((await asked!.connection.closed).code, 0);
    assert.equal(await turnedAway(), 0);
  });
}
