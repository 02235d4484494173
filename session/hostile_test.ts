import assert from "node:assert/strict";
import fc from "fast-check";
import { hostileVisit } from "../tests/support/peers/hostile_streams.ts";
import { SESSION_CODE } from "../wire/lite/codes.ts";
import type { LiteVersion } from "../wire/lite/dialect.ts";
import { FAULT_FORGOTTEN_MS, MAX_FAULTS } from "./faults.ts";
import { join, lite, RawPeer, type TestRelay, testRelay, tick, Viewer } from "./peers_test.ts";
import { alpnOf } from "../wire/versions.ts";

/** A publisher and a viewer that have nothing to do with what a bad peer does beside them. */
class Bystanders {
  #written = 0;
  private constructor(
    readonly at: TestRelay,
    readonly watch: Viewer,
    readonly write: (text: string) => void,
  ) {}

  static async at(at: TestRelay): Promise<Bystanders> {
    const publisher = await join(at, 6);
    const track = publisher.client.publish("a").track("v");
    const viewer = await join(at, 5);
    await tick();
    const watch = new Viewer(viewer.client.subscribe("a", "v"));
    await tick();
    return new Bystanders(at, watch, (text) => track.write(text));
  }

  /** Whether a group written now still arrives. */
  async goOn(): Promise<void> {
    this.write("on");
    await tick(2);
    assert.equal(this.watch.text(this.#written++), "on");
  }
}

/** A raw peer past its handshake, in any version. */
async function greeted(at: TestRelay, version: LiteVersion): Promise<RawPeer> {
  const peer = RawPeer.at(at, alpnOf(lite(version).name));
  if (version >= 5) {
    await peer.uni("01 05 01 05 02 43 e8", true);
    await peer.nextUni();
  } else if (version <= 2) {
    await peer.bidi(`20 00 0a 01 c0000000ff0dad0${version} 00`);
  }
  return peer;
}

/** After how many faults a session is closed. */
const ENOUGH = MAX_FAULTS + 1;

/** What is said, on a stream of which kind, after the handshake, and the version it is said in. */
const VIOLATIONS: readonly [name: string, LiteVersion, kind: "uni" | "bidi", text: string][] = [
  ["a request cut off by FIN", 6, "bidi", "01 05 00 !"],
  ["a stream type cut off by FIN", 6, "bidi", "40 !"],
  ["a group head cut off by FIN", 4, "uni", "00 02 00 !"],
  ["bytes left over in ANNOUNCE_REQUEST", 6, "bidi", "01 02 00 00"],
  ["bytes left over in SUBSCRIBE", 4, "bidi", '02 0b 01 01 "a" 01 "v" 00 00 00 00 00 07'],
  ["a SUBSCRIBE that is too short", 5, "bidi", '02 06 01 01 "a" 01 "v" 00'],
  ["a message of 2 MiB", 6, "bidi", "01 80 20 00 00"],
  ["a message of 2^62-1 bytes", 6, "bidi", "01 ff ff ff ff ff ff ff ff"],
  ["text that is no UTF-8", 6, "bidi", "01 03 02 ff fe"],
  ["a path of 33 parts", 6, "bidi", `01 40 44 40 42 ${'"a/"'.repeat(33)}`],
  ["an update cut off by FIN", 6, "bidi", '02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00 07 00 !'],
  [
    "an update that is too long",
    4,
    "bidi",
    '02 0a 01 01 "a" 01 "v" 00 00 00 00 00 06 00 00 00 00 00 00',
  ],
  ["a last frame without a last group", 6, "bidi", '02 0b 01 01 "a" 01 "v" 00 00 00 00 00 01'],
  ["a FETCH whose last frame precedes its first", 6, "bidi", '03 08 01 "a" 01 "v" 00 00 05 02'],
  ["a group head of 65 bytes", 6, "uni", "00 40 41"],
  ["a request of 8,193 bytes", 6, "bidi", "02 60 01"],
  ["a path of 1,025 bytes", 6, "bidi", `01 44 03 44 01 ${'"x"'.repeat(1025)}`],
  [
    "a track name of 1,025 bytes",
    6,
    "bidi",
    `02 44 0c 01 01 "a" 44 01 ${'"é"'.repeat(512)} "x" 00 00 00 00 00 00`,
  ],
  ["a GOAWAY with bytes left over", 4, "bidi", "05 02 00 00"],
];

for (const [name, version, kind, text] of VIOLATIONS) {
  Deno.test(`${name} ends that stream alone; a session with ${ENOUGH} of them is closed with code 3`, async () => {
    const at = testRelay();
    const others = await Bystanders.at(at);
    const bad = await greeted(at, version);
    await tick();
    const before = bad.connection.openStreams;
    const say = () => bad[kind](text.replace("!", ""), text.endsWith("!"));
    const stream = await say();
    await tick(2);
    assert.equal(bad.code, undefined);
    assert.equal(stream.sent, text.endsWith("!") ? "finished" : "stopped");
    assert.equal(at.relay.stats.streamsMalformed, 1);
    assert.deepEqual(bad.connection.openStreams, before);
    for (let i = 1; i < ENOUGH; i++) await say();
    await tick(2);
    assert.equal(bad.code, SESSION_CODE.protocolViolation);
    assert.equal(at.relay.stats.streamsMalformed, ENOUGH);
    assert.equal(at.relay.counters.violations, 1);
    assert.equal(at.relay.sessionCount, 2);
    assert.deepEqual(bad.connection.openStreams, { sending: 0, receiving: 0 });
    await others.goOn();
    await at.relay.close();
  });
}

for (
  const [name, version, text] of [
    ["a second SETUP", 6, "01 01 00"],
    ["a parameter of SETUP twice", 5, "01 07 02 05 01 09 05 01 09"],
  ] as const
) {
  Deno.test(`${name} ends that session with code 3: the rest could mean anything`, async () => {
    const at = testRelay();
    const others = await Bystanders.at(at);
    const bad = await greeted(at, version);
    await bad.uni(text, true);
    await tick(2);
    assert.equal(bad.code, SESSION_CODE.protocolViolation);
    assert.equal(at.relay.sessionCount, 2);
    await others.goOn();
    await at.relay.close();
  });
}

Deno.test("faults are forgotten with time: a peer with a rare one is never closed", async () => {
  const at = testRelay();
  const others = await Bystanders.at(at);
  const peer = await greeted(at, 6);
  for (let i = 0; i < 3 * ENOUGH; i++) {
    await peer.bidi("01 05 00", true);
    await tick();
    at.clock.advance(FAULT_FORGOTTEN_MS);
  }
  assert.equal(peer.code, undefined);
  assert.equal(at.relay.stats.streamsMalformed, 3 * ENOUGH);
  await others.goOn();
  await at.relay.close();
});

Deno.test("a malformed datagram is dropped and counted; with many of them the session is closed", async () => {
  const at = testRelay();
  const others = await Bystanders.at(at);
  const peer = await greeted(at, 5);
  peer.connection.sendDatagram(Uint8Array.of(0x40));
  await tick();
  assert.equal(peer.code, undefined);
  assert.equal(at.relay.stats.datagramsMalformed, 1);
  for (let i = 1; i < ENOUGH; i++) peer.connection.sendDatagram(Uint8Array.of(0x40));
  await tick(2);
  assert.equal(peer.code, SESSION_CODE.protocolViolation);
  await others.goOn();
  await at.relay.close();
});

Deno.test("a SUBSCRIBE with an id in use is refused alone; one that is free again is served", async () => {
  const at = testRelay();
  const others = await Bystanders.at(at);
  const peer = await greeted(at, 6);
  const subscribe = '02 0b 07 01 "a" 01 "v" 00 00 00 00 00 00';
  const first = await peer.bidi(subscribe);
  await tick();
  first.send!.finish();
  await tick();
  const second = await peer.bidi(subscribe);
  await tick();
  assert.equal(second.end, undefined);
  const third = await peer.bidi(subscribe);
  await tick();
  assert.deepEqual([second.end, third.end], [undefined, "reset 1"]);
  assert.equal(at.relay.stats.streamsMalformed, 1);
  assert.equal(peer.code, undefined);
  await others.goOn();
  await at.relay.close();
});

/** What a publisher answers to our ANNOUNCE_REQUEST that is a violation. */
const CHAIN_33 = Array(33).fill("00").join(" ");
const BAD_ANNOUNCEMENTS: readonly [name: string, LiteVersion, text: string][] = [
  ["33 hops (06)", 6, `03 43 e8 01 00 26 01 "b" 21 ${CHAIN_33} 00 00`],
  ["33 hops (04)", 4, `25 01 01 "b" 21 ${CHAIN_33}`],
  ["33 hops (03)", 3, '04 01 01 "b" 21'],
  ["a hop twice in a chain", 6, '03 43 e8 01 00 07 01 "b" 02 05 05 00 00'],
  ["START for what is live", 6, '02 09 01 00 05 01 "b" 00 00 00 00 05 01 "b" 00 00 00'],
  ["END of an unknown id", 6, "02 09 00 01 01 00"],
  ["UPDATE of an unknown id", 6, "02 09 00 02 04 03 00 00 00"],
  ["a status nobody knows", 5, '02 09 01 04 03 01 "b" 00'],
  ["a path of 33 parts", 2, `40 45 01 40 42 ${'"p/"'.repeat(33)}`],
  ["a type without a body", 6, "02 09 00 00 !"],
];
for (const [name, version, text] of BAD_ANNOUNCEMENTS) {
  Deno.test(`an announcement with ${name} ends that announce stream; it is opened again`, async () => {
    const at = testRelay({ lingerMs: 0 });
    const others = await Bystanders.at(at);
    const bad = await greeted(at, version);
    const asked = await bad.nextBidi();
    asked.say(text.replace("!", ""), text.endsWith("!"));
    await tick(2);
    assert.equal(bad.code, undefined);
    assert.equal(at.relay.stats.streamsMalformed, 1);
    assert.equal(at.relay.origin.size, 1, "what it announced is gone");
    at.clock.advance(1000);
    const again = await bad.nextBidi();
    assert.match(again.hex, /^01 /);
    await others.goOn();
    await at.relay.close();
  });
}

/** What a publisher answers to our SUBSCRIBE that is a violation. */
const BAD_REPLIES: readonly [name: string, text: string][] = [
  ["an unknown type", "07 01 05"],
  ["START twice", "00 01 05 00 01 05"],
  ["END twice", "01 01 05 01 01 05"],
  ["START behind END", "01 01 05 00 01 05"],
  ["a START that is too long", "00 02 05 05"],
  ["a reply cut off by FIN", "00 01 !"],
];
for (const [name, text] of BAD_REPLIES) {
  Deno.test(`a SUBSCRIBE answered with ${name} ends that subscription, and no session`, async () => {
    const at = testRelay({ lingerMs: 0 });
    const others = await Bystanders.at(at);
    const bad = await greeted(at, 6);
    (await bad.nextBidi()).say('03 43 e8 01 00 05 01 "b" 00 00 00');
    const viewer = await join(at, 6);
    const watch = new Viewer(viewer.client.subscribe("b", "v"));
    await tick();
    const [track, subscribe] = bad.bidis;
    assert.equal(track!.take(), "06 04 01 62 01 76");
    subscribe!.say(text.replace("!", ""), text.endsWith("!"));
    await tick(2);
    assert.equal(bad.code, undefined);
    assert.equal(at.relay.stats.streamsMalformed, 1);
    assert.ok(watch.end !== undefined && watch.end !== "ended");
    assert.equal(at.relay.sessionCount, 4);
    await others.goOn();
    await at.relay.close();
  });
}

Deno.test("streams of unknown types are refused alone, and counted", async () => {
  const at = testRelay();
  const others = await Bystanders.at(at);
  for (const version of [1, 2, 3, 4, 5, 6] as const) {
    const peer = await greeted(at, version);
    const before = at.relay.stats.streamsRefused;
    const bidi = await peer.bidi("3f 01 02 03");
    const uni = await peer.uni("21 01 02 03");
    await tick();
    assert.equal(bidi.end, "reset 1");
    assert.deepEqual([bidi.sent, uni.sent], ["stopped", "stopped"]);
    assert.equal(at.relay.stats.streamsRefused, before + 2);
    assert.equal(peer.code, undefined);
  }
  await others.goOn();
  await at.relay.close();
});

Deno.test("streams cancelled before or inside their first message leave nothing behind", async () => {
  const at = testRelay();
  const others = await Bystanders.at(at);
  const peer = await greeted(at, 6);
  await tick();
  const before = peer.connection.openStreams;
  for (const text of ["", "02", '02 0b 01 01 "a"', "01", "06 09", "03", "04", "05"]) {
    const stream = await peer.bidi(text);
    stream.send!.reset(0);
    stream.receive!.stop(0);
    const whole = await peer.bidi("", true);
    await tick();
    assert.equal(whole.end, "fin");
  }
  for (const text of ["", "00", "00 03 01"]) (await peer.uni(text)).send!.reset(0);
  await peer.uni("", true);
  await tick();
  assert.deepEqual(peer.connection.openStreams, before);
  assert.equal(peer.code, undefined);
  await others.goOn();
  await at.relay.close();
});

Deno.test("a group for a subscription that nobody made is stopped, and so is one above the limit", async () => {
  const at = testRelay({ maxGroupBytes: 1000 });
  const others = await Bystanders.at(at);
  const peer = await greeted(at, 6);
  (await peer.nextBidi()).say('03 43 e8 01 00 05 01 "b" 00 00 00');
  const stray = await peer.uni("00 03 3e 00 00 00 00");
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("b", "v"));
  await tick();
  assert.equal(stray.sent, "stopped");
  const big = await peer.uni(`00 03 00 00 00 00 43 00 ${"00".repeat(768)} 00 43 00 "and"`);
  await tick(2);
  assert.equal(big.sent, "stopped");
  assert.deepEqual(watch.whole, []);
  await peer.uni('00 03 00 01 00 00 02 "ok"', true);
  await tick();
  assert.equal(watch.text(1), "ok");
  assert.equal(peer.code, undefined);
  await others.goOn();
  await at.relay.close();
});

Deno.test("a frame that claims more than 2^53 bytes, or a time before 0 or beyond 2^61, ends its group alone", async () => {
  const frames = [
    "00 ff ff ff ff ff ff ff ff", // size
    "01 01", // -1
    "04 01 61 05 01", // 2, then -1
    "ff ff ff ff ff ff ff ff 01", // -2^61
    "ff ff ff ff ff ff ff fe 01", // 2^61-1: later relays cannot write it down
    "d0 00 00 00 00 00 00 00 01 61 d0 00 00 00 00 00 00 01 01", // far, and all the way back
  ];
  const at = testRelay();
  const others = await Bystanders.at(at);
  const peer = await greeted(at, 6);
  (await peer.nextBidi()).say('03 43 e8 01 00 05 01 "b" 00 00 00');
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("b", "v"));
  await tick();
  for (const [i, frame] of frames.entries()) {
    const stream = await peer.uni(`00 03 00 0${i} 00 ${frame}`);
    await tick();
    assert.equal(stream.sent, "stopped", frame);
  }
  await peer.uni('00 03 00 0a 00 00 02 "ok"', true);
  await tick();
  assert.equal(watch.text(10), "ok");
  assert.deepEqual(watch.whole, [10]);
  assert.equal(at.relay.stats.streamsMalformed, frames.length);
  assert.equal(peer.code, undefined);
  await others.goOn();
  await at.relay.close();
});

Deno.test("nanoseconds since 1970 pass as timestamps, in groups and in datagrams, to 256 of them", async () => {
  const at = testRelay();
  const peer = await greeted(at, 6);
  (await peer.nextBidi()).say('03 43 e8 01 00 05 01 "b" 00 00 00');
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("b", "v"));
  await tick();
  const start = 1_790_000_000_123_456_789n;
  const zigzag = (delta: bigint) => ((delta * 2n) | (3n << 62n)).toString(16);
  const step = 33_333_333n;
  const frames = Array.from({ length: 30 }, (_, i) => `${zigzag(i === 0 ? start : step)} 01 61`);
  await peer.uni(`00 03 00 00 00 ${frames.join(" ")}`, true);
  await tick();
  const stamps = watch.timestamps.get(0)!;
  assert.equal(stamps.length, 30);
  for (const [i, stamp] of stamps.entries()) {
    const off = BigInt(stamp) - (start + step * BigInt(i));
    assert.ok(off >= -256n && off <= 256n, `frame ${i} is off by ${off}`);
  }
  assert.equal(peer.code, undefined);
  await at.relay.close();
});

Deno.test("a peer that sends no SETUP in time is closed with the control timeout", async () => {
  for (const protocol of ["moq-lite-06", "moq-lite-05", "moql", ""]) {
    const at = testRelay({ handshakeTimeoutMs: 3000 });
    const peer = RawPeer.at(at, protocol);
    await tick();
    at.clock.advance(2999);
    await tick();
    assert.equal(peer.code, undefined);
    at.clock.advance(1);
    await tick();
    assert.equal(peer.code, SESSION_CODE.controlTimeout);
    assert.equal(at.relay.counters.handshakesFailed, 1);
    assert.equal(at.relay.sessionCount, 0);
    await at.relay.close();
  }
});

const BAD_HANDSHAKES: readonly [string, string, "uni" | "bidi", string, number][] = [
  [
    "legacy SETUP without a common version",
    "moql",
    "bidi",
    "20 00 0a 01 c0000000ff00000d 00",
    0x15,
  ],
  ["an unknown protocol", "moqt-99", "bidi", "01 01 00", 0x15],
  ["legacy SETUP of the wrong type", "moql", "bidi", "01 01 00", 3],
  ["legacy SETUP cut off", "moql", "bidi", "20 00 0a 01 !", 3],
  ["SETUP cut off", "moq-lite-06", "uni", "01 05 01 !", 3],
  ["SETUP of 70,000 bytes", "moq-lite-06", "uni", "01 80 01 11 70", 3],
  ["65 parameters in SETUP", "moq-lite-06", "uni", "01 02 40 41", 3],
];
for (const [name, protocol, kind, text, code] of BAD_HANDSHAKES) {
  Deno.test(`${name} is refused with code ${code}`, async () => {
    const at = testRelay();
    const others = await Bystanders.at(at);
    const peer = RawPeer.at(at, protocol);
    await peer[kind](text.replace("!", ""), text.endsWith("!"));
    await tick(2);
    assert.equal(peer.code, code);
    assert.equal(at.relay.counters.handshakesFailed, 1);
    await others.goOn();
    await at.relay.close();
  });
}

Deno.test("a SETUP that comes after other streams, or whose stream is cancelled at first, still counts", async () => {
  const at = testRelay();
  const peer = RawPeer.at(at, "moq-lite-06");
  (await peer.uni("")).send!.reset(1);
  const early = await peer.uni("00 03 00 00 00");
  await peer.bidi("01 01 00");
  await peer.uni("01 05 01 05 02 43 e8", true);
  await tick(2);
  assert.equal(at.relay.sessionCount, 1);
  assert.equal(early.sent, "stopped");
  assert.equal([...at.relay.sessions()][0]!.session.peerHop, 1000n);
  await at.relay.close();
});

Deno.test("announcements that come with the end of their session leave no broadcast behind", async () => {
  const names = Array.from({ length: 100 }, (_, i) => 0x100 + i).map((n) => n.toString(16));
  // Anywhere in the middle of them: 200 turns of the microtask queue are more than it takes to read all.
  for (let turns = 0; turns < 200; turns += 10) {
    const version = turns % 20 === 0 ? 6 : 3;
    const at = testRelay({ lingerMs: 0 });
    const others = await Bystanders.at(at);
    const bad = await greeted(at, version);
    const asked = await bad.nextBidi();
    const many = names.map((n) =>
      version === 6 ? `00 07 03 "${n}" 00 00 00` : `06 01 03 "${n}" 00`
    );
    asked.say(`${version === 6 ? "03 43 e8 01" : ""} ${many.join(" ")}`);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    bad.connection.close();
    await tick(2);
    at.clock.advance(1);
    await tick();
    assert.equal(at.relay.sessionCount, 2);
    assert.equal(at.relay.origin.size, 1);
    await others.goOn();
    await at.relay.close();
  }
});

Deno.test("an announcement that waits for its turn when its session ends leaves no broadcast behind", async () => {
  const at = testRelay({ lingerMs: 0, maxMessageRate: 1 });
  const bad = await greeted(at, 6);
  const names = Array.from({ length: 20 }, (_, i) => 0x100 + i).map((n) => n.toString(16));
  const many = names.map((n) => `00 07 03 "${n}" 00 00 00`).join(" ");
  (await bad.nextBidi()).say(`03 43 e8 01 ${many}`);
  await tick(2);
  assert.ok(at.relay.origin.size > 0 && at.relay.origin.size < names.length);
  bad.connection.close();
  await tick(2);
  at.clock.advance(60_000);
  await tick(2);
  assert.equal(at.relay.origin.size, 0);
  await at.relay.close();
});

Deno.test("whatever bytes come on whatever streams, others are not disturbed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...[1, 2, 3, 4, 5, 6] as const),
      hostileVisit,
      async (version, operations) => {
        const at = testRelay();
        const others = await Bystanders.at(at);
        const peer = await greeted(at, version);
        for (const { uni, bytes, end } of operations) {
          const text = bytes.toHex();
          const stream = await peer[uni ? "uni" : "bidi"](text, end === "fin").catch(() =>
            undefined
          );
          if (stream === undefined) break; // the relay has had enough
          if (end === "reset") stream.send!.reset(7);
          if (end === "stop") stream.receive?.stop(7);
          if (bytes.length % 3 === 0) await tick();
        }
        peer.connection.sendDatagram(Uint8Array.of(0x40));
        await tick(2);
        const code = peer.code ?? 0;
        assert.ok(code === 0 || code === SESSION_CODE.protocolViolation, `closed with ${code}`);
        assert.equal(at.relay.counters.violations, code === 0 ? 0 : 1);
        if (version >= 5) assert.ok(code !== 0 || at.relay.stats.datagramsMalformed === 1);
        await others.goOn();
        peer.connection.drop();
        await tick();
        assert.equal(at.relay.sessionCount, 2);
        await at.relay.close();
      },
    ),
    { numRuns: 60 },
  );
});
