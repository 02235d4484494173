import assert from "node:assert/strict";
import { MAX_EARLY_UNI } from "../intake.ts";
import { RawPeer, testRelay, tick } from "../peers_test.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import { IetfPeer, ns } from "../../tests/support/ietf_peer.ts";
import { PROFILES } from "../../wire/ietf/profile.ts";
import type { EntryWish } from "../session.ts";
import { acceptSession } from "../accept.ts";
import { newRelayStats } from "../../relay/stats.ts";
import { IMPLEMENTATION } from "./setup.ts";

const NAME = `${IMPLEMENTATION.length.toString(16).padStart(2, "0")} "${IMPLEMENTATION}"`;
const BIDI = PROFILES.filter((p) => p.control === "bidi");
const UNI = PROFILES.filter((p) => p.control === "uni");
const hex = (n: number) => n.toString(16).padStart(4, "0");
/** Dialogues begin with modules that are loaded on demand. */
const loaded = () => tick(5);

Deno.test("draft 14 is answered by version and number of requests, as aiomoqt asks", async () => {
  const at = testRelay();
  const peer = RawPeer.at(at, "moq-00");
  const control = await peer.bidi(
    '20 0030 01 c0000000ff00000e 04 0100 050f"localhost:14460" 070e"aiomoqt/0.13.3" 026710',
  );
  await loaded();
  const body = 8 + 1 + 3 + 2 + IMPLEMENTATION.length;
  await control.hears(`21 ${hex(body)} c0000000ff00000e 02 02 4800 07 ${NAME}`);
  assert.deepEqual([...at.relay.sessions()].map((s) => s.session.version), ["moq-transport-14"]);
});

Deno.test("draft 16 is answered without a version, as aiomoqt and moq-rs ask", async () => {
  const at = testRelay();
  const offers = [
    '20 0027 04 0100 016710 030f"localhost:14460" 020e"aiomoqt/0.13.3"',
    '20 0015 02 024064 030f"localhost:14443"',
    "20 0004 01 024064",
  ];
  for (const offer of offers) {
    const control = await RawPeer.at(at, "moqt-16").bidi(offer);
    await loaded();
    const body = 1 + 3 + 2 + IMPLEMENTATION.length;
    await control.hears(`21 ${hex(body)} 02 02 4800 05 ${NAME}`);
  }
  assert.equal(at.relay.sessionCount, 3);
});

for (const draft of [18, 20, 22]) {
  Deno.test(`draft ${draft} says SETUP on a stream each way at once, as aiomoqt does`, async () => {
    const at = testRelay();
    const peer = RawPeer.at(at, `moqt-${draft}`);
    await loaded();
    const theirs = await peer.nextUni();
    await theirs.hears(`af00 ${hex(2 + IMPLEMENTATION.length)} 07 ${NAME}`);
    assert.equal(at.relay.sessionCount, 0);
    await peer.uni('af00 0023 0100 040f"localhost:14460" 020e"aiomoqt/0.13.3"');
    await loaded();
    assert.deepEqual(
      [...at.relay.sessions()].map((s) => s.session.version),
      [`moq-transport-${draft}`],
    );
    assert.equal(theirs.end, undefined);
  });
}

Deno.test("one SETUP offers versions of both protocols, and the client's first one is taken", async () => {
  for (const protocol of ["", "moql", "moq-00"]) {
    for (
      const [offer, version] of [
        ["c0000000ff0dad02 c0000000ff0dad01 c0000000ff00000e", "moq-lite-02"],
        ["c0000000ff00000e c0000000ff0dad02 c0000000ff0dad01", "moq-transport-14"],
        ["c0000000ff0000ff c0000000ff0dad01 c0000000ff00000e", "moq-lite-01"],
      ] as const
    ) {
      const at = testRelay();
      await RawPeer.at(at, protocol).bidi(`20 001a 03 ${offer} 00`);
      await loaded();
      assert.deepEqual([...at.relay.sessions()].map((s) => s.session.version), [version]);
    }
  }
});

Deno.test("a version that is not spoken is refused with VERSION_NEGOTIATION_FAILED", async () => {
  const at = testRelay({ versions: ["moq-lite-06", "moq-transport-16"] });
  const unknown = RawPeer.at(testRelay(), "moq-00");
  await unknown.bidi("20 000a 01 c0000000ff00000b 00");
  const unwanted = RawPeer.at(at, "");
  await unwanted.bidi("20 000a 01 c0000000ff00000e 00");
  const others = ["moqt-18", "moqt-99", "moq-99"].map((protocol) => RawPeer.at(at, protocol));
  await loaded();
  assert.deepEqual([unknown, unwanted, ...others].map((p) => p.code), Array(5).fill(0x15));
  await RawPeer.at(at, "moqt-16").bidi("20 0004 01 024064");
  await loaded();
  assert.equal(at.relay.sessionCount, 1);
});

/** What admission hears of a client. */
async function wishFor(setup: object, draft: 14 | 16 | 18, path = "/") {
  const { alpn } = PROFILES.find((p) => p.draft === draft)!;
  const [near, far] = memoryPair({ protocol: alpn, path });
  let wish: EntryWish | undefined;
  const accepted = acceptSession({
    connection: far,
    hop: 0n,
    stats: newRelayStats(),
    enter(asked) {
      wish = asked;
      return Promise.resolve({ root: "", serve: undefined, consume: undefined });
    },
  });
  await IetfPeer.client(near, draft, { setup });
  const opened = await accepted.then(() => true, () => false);
  return { wish, opened, near };
}

for (const draft of [14, 16, 18] as const) {
  const value = new TextEncoder().encode("a.b.c");

  Deno.test(`path, query and token of a SETUP of draft ${draft} go to admission`, async () => {
    const tokens = [{ kind: "value", type: 0, value }, { kind: "value", type: 9, value }] as const;
    const { wish } = await wishFor({ path: "/live/a?jwt=x", tokens }, draft);
    assert.deepEqual(wish, {
      path: "/live/a?jwt=x",
      role: undefined,
      token: { kind: 0, value },
    });
    const plain = await wishFor({ path: "" }, draft);
    assert.deepEqual(plain.wish, { path: "/", role: undefined });
    // What is to be kept under an alias counts as a value: nothing is kept here.
    const kept = await wishFor({ tokens: [{ kind: "register", alias: 3, type: 0, value }] }, draft);
    assert.deepEqual(kept.wish?.token, { kind: 0, value });
  });

  Deno.test(`a SETUP of draft ${draft} that asks for the impossible is refused by the draft's code`, async () => {
    for (
      const [setup, code] of [
        [{ path: "live" }, 9],
        [{ tokens: [{ kind: "use", alias: 1 }] }, 3],
        [{ tokens: [{ kind: "delete", alias: 1 }] }, 3],
      ] as const
    ) {
      const { opened, near } = await wishFor(setup, draft);
      assert.equal(opened, false);
      assert.equal((await near.closed).code, code);
    }
  });
}

for (const { name, alpn } of PROFILES) {
  Deno.test(`${name}: who says no SETUP in time is turned away, whatever else it says`, async () => {
    const at = testRelay();
    const silent = RawPeer.at(at, alpn);
    const slow = RawPeer.at(at, alpn);
    await slow.uni("af");
    await loaded();
    at.clock.advance(10_000);
    await loaded();
    assert.deepEqual([silent.code, slow.code], [0x11, 0x11]);
    assert.equal(at.relay.hits.handshakeTime, 2);
  });
}

for (const { name, alpn } of BIDI) {
  Deno.test(`${name}: the first stream has to begin with CLIENT_SETUP`, async () => {
    for (const first of ["21 0004 01 024064", "03 0001 00", "7fff 0000", "20 ffff"]) {
      const peer = RawPeer.at(testRelay(), alpn);
      await peer.bidi(first);
      await loaded();
      assert.equal(peer.code, 3, first);
    }
  });
}

for (const { name, alpn, draft } of UNI) {
  Deno.test(`${name}: what comes before SETUP is kept, and handled behind it`, async () => {
    const at = testRelay();
    const [near, far] = memoryPair({ protocol: alpn, readBytes: 2 });
    void at.relay.accept(far);
    const peer = await IetfPeer.client(near, draft, { silent: true });
    const asked = await peer.ask("publishNamespace", { namespace: ns("a") });
    await peer.subgroup({ alias: 1, group: 0 });
    await loaded();
    assert.equal(asked.waiting, 0);
    const control = await near.openUni();
    control.write(peer.encode("clientSetup", { versions: [], options: {} }));
    await asked.expect("requestOk");
  });

  Deno.test(`${name}: no more than ${MAX_EARLY_UNI} early streams are kept`, async () => {
    const at = testRelay();
    const peer = RawPeer.at(at, alpn);
    const early = [];
    for (let i = 0; i < MAX_EARLY_UNI + 2; i++) early.push(await peer.uni("14 01 00 80"));
    await loaded();
    assert.deepEqual(early.map((s) => s.sent).filter((end) => end === "stopped").length, 2);
    await peer.uni("af00 0000");
    await loaded();
    // SETUP was one too many: it has to be among the first.
    assert.equal(at.relay.hits.earlyStreams, 3);
  });
}

for (const { name, draft, alpn, control, setupVersion } of PROFILES) {
  Deno.test(`${name}: who dials says path and authority, and refuses a server that does`, async () => {
    const [near, far] = memoryPair({ protocol: alpn });
    const dialed = { path: "/live?jwt=x", authority: "relay.example:4433" };
    const { relay } = testRelay({ versions: [name] });
    const joined = relay.join(near, dialed);
    const server = await IetfPeer.server(far, draft, { silent: control === "bidi" });
    const { options } = await server.setup();
    const versions = setupVersion === undefined ? [] : [setupVersion];
    if (control === "bidi") server.say("serverSetup", { versions, options: {} });
    assert.deepEqual([options.path, options.authority], [dialed.path, dialed.authority]);
    assert.equal(options.implementation, IMPLEMENTATION);
    await joined;

    const [end, otherEnd] = memoryPair({ protocol: alpn });
    const refused = relay.join(end).then(() => undefined, (error: Error) => error.message);
    await IetfPeer.server(otherEnd, draft, { setup: { path: "/x" } });
    assert.match(await refused ?? "", /a path from a server/);
    assert.equal((await otherEnd.closed).code, 8);
  });
}
