import assert from "node:assert/strict";
import { type Ask, IetfPeer, ns } from "../../../tests/support/ietf_peer.ts";
import { memoryPair, type MemoryPairOptions } from "../../../transport/memory/memory.ts";
import { type Draft, profileOf } from "../../../wire/ietf/profile.ts";
import { newRelayStats } from "../../../relay/stats.ts";
import { VERSIONS } from "../../../wire/versions.ts";
import { begin } from "../../open.ts";
import { type Halves, IetfSession } from "../session.ts";
import { hex, peerAt, type TestRelay, testRelay, tick } from "../../peers_test.ts";
import { MAX_QUEUED } from "./control_exchange.ts";

const track = new TextEncoder().encode("v");
const DRAFTS = [14, 16, 18, 22] as const;

async function enter(
  relay: TestRelay,
  draft: Draft,
  pair: MemoryPairOptions = {},
): Promise<IetfPeer> {
  const peer = await peerAt(relay, draft, pair);
  await tick();
  return peer;
}

for (const draft of DRAFTS) {
  Deno.test(`draft ${draft}: requests above the message rate wait, and none is lost`, async () => {
    const at = testRelay({ maxMessageRate: 10 });
    const peer = await enter(at, draft);
    const asked: Ask[] = [];
    // Those that wait are more bytes than one message may have.
    const namespace = ns("a".repeat(300));
    for (let i = 0; i < 150; i++) asked.push(await peer.ask("trackStatus", { namespace, track }));
    await tick(3);
    const answered = () => asked.filter((ask) => ask.waiting > 0 || ask.end !== undefined).length;
    assert.ok(answered() >= 90 && answered() <= 110, `${answered()} of 150 at once`);
    for (let i = 0; i < 60 && answered() < 150; i++) {
      at.clock.advance(100);
      await tick(3);
    }
    assert.equal(answered(), 150);
    assert.ok(at.relay.hits.messageRate > 0);
    assert.equal(peer.closed, undefined);
  });

  Deno.test(`draft ${draft}: a message that does not become whole ends the session`, async () => {
    const at = testRelay();
    const peer = await enter(at, draft);
    peer.control.write(hex("10 00"));
    await tick();
    at.clock.advance(12_000);
    await tick(2);
    at.clock.advance(2_000);
    await tick(2);
    assert.equal(codeOf(peer), 0x11);
    assert.equal(at.relay.hits.messageTime, 1);
  });

  Deno.test(`draft ${draft}: the head of a data stream that is late or cut ends that stream alone`, async () => {
    const at = testRelay();
    const peer = await enter(at, draft);
    const late = await peer.connection.openUni();
    late.write(hex("14 01"));
    const cut = await peer.connection.openUni();
    cut.write(hex("14 01"));
    cut.finish();
    await tick();
    at.clock.advance(12_000);
    await tick(2);
    assert.deepEqual([codeOf(peer), await late.closed], [undefined, "stopped"]);
    assert.equal(at.relay.stats.streamsMalformed, 2);
  });
}

for (const draft of [14, 15, 16] as const) {
  Deno.test(`draft ${draft}: a peer that reads no answers is dropped`, async () => {
    const at = testRelay({ maxMessageRate: 0 });
    const [near, far] = memoryPair({ protocol: profileOf(draft).alpn, windowBytes: 200 });
    void at.relay.accept(far);
    const stream = await near.openBidi();
    const peer = await IetfPeer.client(near, draft, { silent: true });
    const versions = draft === 14 ? [0xff00000e] : [];
    const say = (bytes: Uint8Array) => stream.send.flush(bytes);
    await say(peer.encode("clientSetup", { versions, options: { maxRequestId: 100 } }));
    for (let id = 0; id < 60; id += 2) {
      await say(peer.encode("trackStatus", { requestId: id, namespace: ns("a"), track }));
    }
    await tick(5);
    for (let i = 0; i < 15; i++) {
      at.clock.advance(1000);
      await tick();
    }
    assert.equal((await near.closed).code, 0x11);
    assert.equal(at.relay.hits.writeTime, 1);
  });

  Deno.test(`draft ${draft}: no more than ${MAX_QUEUED} messages wait for the handler of one request`, async () => {
    const [near, far] = memoryPair({ protocol: profileOf(draft).alpn });
    const options = { connection: far, hop: 0n, stats: newRelayStats(), versions: VERSIONS };
    const opened = begin(options, (opening) => {
      return IetfSession.open(opening, profileOf(draft), "server", DEAF);
    });
    const peer = await IetfPeer.client(near, draft);
    await peer.setup();
    await opened;
    const parameters = { filter: { kind: "next-object" } } as const;
    const wish = await peer.ask("subscribe", { namespace: ns("a"), track, parameters });
    const filter = { kind: "range", start: { group: 0, object: 0 } } as const;
    for (let i = 0; i < MAX_QUEUED; i++) wish.update({ filter });
    await tick();
    assert.equal(codeOf(peer), undefined);
    wish.update({ filter });
    await tick();
    assert.equal(codeOf(peer), 3);
  });
}

function codeOf(peer: IetfPeer): number | undefined {
  return peer.closed?.code;
}

/** Halves that never read what is said of a request. */
const DEAF = (() => {
  const half = {
    serve: () => new Promise<void>(() => {}),
    sent: { groups: new Set(), answers: new Map() },
    close() {},
  };
  return { serving: () => half, consuming: () => half } as unknown as Halves;
})();
