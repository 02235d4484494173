import assert from "node:assert/strict";
import { type IetfPeer, ns, type PeerOptions } from "../../../tests/support/ietf_peer.ts";
import type { MemoryPairOptions } from "../../../transport/memory/memory.ts";
import { type Profile, PROFILES } from "../../../wire/ietf/profile.ts";
import { hex, peerAt, type TestRelay, testRelay, tick } from "../../peers_test.ts";
import { FIRST_MAX_REQUEST_ID, MAX_OPEN_REQUESTS } from "./request_ids.ts";

const track = new TextEncoder().encode("v");
const BIDI = PROFILES.filter((p) => p.control === "bidi");
const UNI = PROFILES.filter((p) => p.control === "uni");

/** A scripted peer at a relay, which has answered its SETUP. */
async function enter(
  relay: TestRelay,
  { draft }: Profile,
  pair: MemoryPairOptions = {},
  options: PeerOptions = {},
): Promise<IetfPeer> {
  const peer = await peerAt(relay, draft, pair, options);
  await tick();
  return peer;
}

/** What its session is closed with, once it is. */
function codeOf(peer: IetfPeer): number | undefined {
  return peer.closed?.code;
}

/** What the session is closed with after the peer has done something. */
async function codeAfter(
  profile: Profile,
  misdeed: (peer: IetfPeer) => void | Promise<unknown>,
): Promise<number | undefined> {
  const relay = testRelay();
  const peer = await enter(relay, profile);
  await misdeed(peer);
  await tick(2);
  relay.clock.advance(1000); // the end of a control stream may be that of the session
  await tick();
  return codeOf(peer);
}

const status = (requestId?: number) => ({
  namespace: ns("a"),
  track,
  ...(requestId === undefined ? {} : { requestId }),
});

for (const profile of BIDI) {
  Deno.test(`${profile.name}: requests are numbered without gaps, and by the side that makes them`, async () => {
    // With a stream for namespaces too, one request may overtake another.
    for (const id of profile.namespaceStream ? [1, 3] : [2, 1, 4]) {
      assert.equal(await codeAfter(profile, (peer) => peer.ask("trackStatus", status(id))), 4);
    }
    const twice = codeAfter(profile, async (peer) => {
      await peer.ask("trackStatus", status(0));
      await peer.ask("trackStatus", status(0));
    });
    assert.equal(await twice, 4);
  });

  Deno.test(`${profile.name}: a peer may make more requests as earlier ones are over, and no more`, async () => {
    const peer = await enter(testRelay(), profile);
    const asked = [];
    for (let i = 0; i < MAX_OPEN_REQUESTS; i++) asked.push(await peer.ask("trackStatus", status()));
    for (const ask of asked) await ask.expect("requestError");
    const raised = await peer.expect("maxRequestId");
    assert.equal(raised.requestId, FIRST_MAX_REQUEST_ID * 1.5);
    assert.equal(codeOf(peer), undefined);
    // Namespaces last: none of them frees a place.
    const unlimited = testRelay({ maxAnnouncements: 0, maxMessageRate: 0 });
    const holder = await enter(unlimited, profile);
    for (let i = 0; i < MAX_OPEN_REQUESTS; i++) {
      await holder.ask("publishNamespace", { namespace: ns(`n${i}`) });
    }
    await tick(5);
    assert.equal(codeOf(holder), undefined);
    await holder.ask("publishNamespace", { namespace: ns("too many") });
    await tick(5);
    assert.equal(codeOf(holder), 7);
  });

  Deno.test(`${profile.name}: the relay waits for MAX_REQUEST_ID, and says so once`, async () => {
    const relay = testRelay();
    const publisher = await enter(relay, profile, {}, { setup: { maxRequestId: 0 } });
    await (await publisher.ask("publishNamespace", { namespace: ns("a") })).expect("requestOk");
    const viewer = await enter(relay, profile);
    for (const name of ["v", "w"]) {
      await viewer.ask("subscribe", {
        namespace: ns("a"),
        track: new TextEncoder().encode(name),
        parameters: { filter: { kind: "next-object" } },
      });
    }
    assert.equal((await publisher.expect("requestsBlocked")).requestId, 0);
    await tick();
    assert.equal(publisher.waiting, 0);
    publisher.say("maxRequestId", { requestId: 2 });
    assert.equal((await publisher.asked("subscribe")).id, 1);
    assert.equal((await publisher.expect("requestsBlocked")).requestId, 2);
    publisher.say("maxRequestId", { requestId: 8 });
    assert.equal((await publisher.asked("subscribe")).id, 3);
    publisher.say("maxRequestId", { requestId: 8 });
    await tick();
    assert.equal(codeOf(publisher), 3);
  });

  Deno.test(`${profile.name}: messages about requests that nobody made, or in a wrong place, end the session`, async () => {
    const misdeeds: ((peer: IetfPeer) => void | Promise<unknown>)[] = [
      (peer) => peer.say("subscribeOk", { requestId: 1, alias: 1 }),
      (peer) => peer.say("publishDone", { requestId: 8, code: 2, streams: 0, reason: "" }),
      (peer) => peer.say("unsubscribe", { requestId: 6 }),
      async (peer) => {
        const ask = await peer.ask("publishNamespace", { namespace: ns("a") });
        await ask.expect("requestOk");
        ask.say("unsubscribe");
      },
      async (peer) => {
        const ask = await peer.ask("publishNamespace", { namespace: ns("a") });
        ask.say("requestOk");
      },
      (peer) => peer.say("clientSetup", { versions: [0xff00000e], options: {} }),
      (peer) => peer.say("serverSetup", { versions: [0xff00000e], options: {} }),
      (peer) => peer.control.write(hex("7f ff 00 00")), // an unknown type
      (peer) => peer.control.write(hex("03 00 01 00")), // a SUBSCRIBE that ends at once
      (peer) => peer.control.write(hex("03 ff ff")),
      (peer) => peer.control.finish(),
      (peer) => peer.control.reset(1),
    ];
    for (const [i, misdeed] of misdeeds.entries()) {
      assert.equal(await codeAfter(profile, misdeed), 3, `misdeed ${i}`);
    }
  });

  Deno.test(`${profile.name}: what crosses the end of a request is no fault`, async () => {
    const relay = testRelay();
    const publisher = await enter(relay, profile);
    await (await publisher.ask("publishNamespace", { namespace: ns("a") })).expect("requestOk");
    const viewer = await enter(relay, profile);
    const parameters = { filter: { kind: "next-object" } } as const;
    const wish = await viewer.ask("subscribe", { namespace: ns("a"), track, parameters });
    const asked = await publisher.asked("subscribe");
    viewer.connection.close();
    await tick();
    relay.clock.advance(60_000);
    await tick(2);
    await asked.expect("unsubscribe");
    asked.say("subscribeOk", { alias: 1 });
    asked.say("publishDone", { code: 2, streams: 0, reason: "" });
    await tick();
    assert.equal(codeOf(publisher), undefined);
    assert.ok(wish.id === 0);
  });
}

for (const profile of UNI) {
  Deno.test(`${profile.name}: each number is used once, by the side that it belongs to, in any order`, async () => {
    assert.equal(await codeAfter(profile, (peer) => peer.ask("trackStatus", status(1))), 4);
    const twice = codeAfter(profile, async (peer) => {
      await peer.ask("trackStatus", status(6));
      await peer.ask("trackStatus", status(6));
    });
    assert.equal(await twice, 4);
    const peer = await enter(testRelay(), profile);
    for (const id of [8, 0, 2, 6, 4]) {
      await (await peer.ask("trackStatus", status(id))).expect("requestError");
    }
    await peer.ask("trackStatus", status(2));
    await tick();
    assert.equal(codeOf(peer), 4);
  });

  Deno.test(`${profile.name}: streams that begin with no request, and second answers, end the session`, async () => {
    const bidi = (bytes: string) => async (peer: IetfPeer) => {
      const stream = await peer.connection.openBidi();
      stream.send.write(hex(bytes));
      return stream;
    };
    const misdeeds: ((peer: IetfPeer) => void | Promise<unknown>)[] = [
      bidi("07 00 01 00"), // REQUEST_OK
      bidi("10 00 02 00 00"), // GOAWAY
      bidi("3f 00 00"),
      bidi("03 00 01 00"),
      async (peer) => {
        const ask = await peer.ask("publishNamespace", { namespace: ns("a") });
        await ask.expect("requestOk");
        ask.say("requestOk");
      },
      async (peer) => (await peer.connection.openUni()).write(hex("af 00 00 00")),
      async (peer) => (await peer.connection.openUni()).write(hex("3f 00")),
      (peer) => peer.control.write(hex("03 00 01 00")),
      (peer) => peer.control.finish(),
      (peer) => peer.control.reset(1),
    ];
    for (const [i, misdeed] of misdeeds.entries()) {
      assert.equal(await codeAfter(profile, misdeed), 3, `misdeed ${i}`);
    }
  });

  Deno.test(`${profile.name}: a stream that is given up before its first byte is no fault`, async () => {
    const peer = await enter(testRelay(), profile);
    const stream = await peer.connection.openBidi();
    stream.send.finish();
    await tick();
    assert.equal(await stream.receive.read(), undefined);
    (await peer.connection.openUni()).finish();
    await tick();
    assert.equal(codeOf(peer), undefined);
  });

  Deno.test(
    `${profile.name}: the end of a subscriber's side ${
      profile.finCancels ? "takes its request back" : "only says that it has no more to say"
    }`,
    async () => {
      const relay = testRelay();
      const publisher = await enter(relay, profile);
      await (await publisher.ask("publishNamespace", { namespace: ns("a") })).expect("requestOk");
      const viewer = await enter(relay, profile);
      const wish = await viewer.ask("subscribe", { namespace: ns("a"), track });
      const asked = await publisher.asked("subscribe");
      asked.say("subscribeOk", { alias: 1 });
      await wish.expect("subscribeOk");
      wish.finish();
      await tick();
      const [session] = [...relay.relay.sessions()].slice(-1);
      assert.equal(session!.session.servedCount, profile.finCancels ? 0 : 1);
      wish.stream!.receive.stop(1);
      await tick();
      assert.equal(session!.session.servedCount, 0);
    },
  );

  Deno.test(`${profile.name}: without resets a request that is given up still ends at the other side`, async () => {
    const relay = testRelay();
    const publisher = await enter(relay, profile, { canReset: false });
    await (await publisher.ask("publishNamespace", { namespace: ns("a") })).expect("requestOk");
    const viewer = await enter(relay, profile, { canReset: false });
    await viewer.ask("subscribe", { namespace: ns("a"), track });
    const asked = await publisher.asked("subscribe");
    asked.say("subscribeOk", { alias: 1 });
    await tick();
    viewer.connection.close();
    // The relay keeps the subscription for a while.
    while (asked.waiting === 0 && asked.end === undefined) {
      relay.clock.advance(500);
      await tick();
    }
    if (!profile.finCancels) {
      const update = await asked.expect("update");
      assert.equal(update.parameters.forward, false);
      assert.equal(asked.end, undefined);
      const second = asked.expect("update");
      asked.accept(update);
      await second;
    }
    assert.equal(await asked.ended(), "fin");
    assert.equal(asked.sent, "stopped");
  });
}

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: GOAWAY is said and heard once, and a client names no place`, async () => {
    const relay = testRelay();
    const peer = await enter(relay, profile);
    const [session] = [...relay.relay.sessions()];
    await session!.session.goaway("moqt://elsewhere/");
    await session!.session.goaway("moqt://nowhere/");
    assert.equal((await peer.expect("goaway")).uri, "moqt://elsewhere/");
    peer.say("goaway");
    await tick();
    assert.equal(codeOf(peer), undefined);
    peer.say("goaway");
    await tick();
    assert.equal(codeOf(peer), 3);
    assert.equal(await codeAfter(profile, (one) => one.say("goaway", { uri: "moqt://x/" })), 3);
  });

  Deno.test(`${profile.name}: what a message of another draft would be ends the session, whatever its bytes`, async () => {
    let seed = 7;
    const random = () => (seed = (seed * 48271) % 0x7fffffff) & 0xff;
    for (let turn = 0; turn < 20; turn++) {
      const peer = await enter(testRelay(), profile);
      const length = 1 + random() % 40;
      const bytes = Uint8Array.from({ length }, random);
      const stream = await peer.connection.openBidi();
      stream.send.write(bytes);
      stream.send.finish();
      peer.control.write(bytes);
      peer.control.finish();
      await tick(2);
      assert.ok([3, 4, 6].includes(codeOf(peer) ?? -1), `${bytes.toHex()}: ${codeOf(peer)}`);
    }
  });
}

for (const profile of PROFILES.filter((p) => p.padding)) {
  Deno.test(`${profile.name}: padding is read and dropped`, async () => {
    const peer = await enter(testRelay(), profile, { windowBytes: 1000 });
    const stream = await peer.connection.openUni();
    stream.write(hex("f0 13 2b 3e 28"));
    for (let i = 0; i < 10; i++) await stream.flush(new Uint8Array(900));
    stream.finish();
    await tick();
    assert.equal(codeOf(peer), undefined);
  });
}
