/** What one peer can make the relay hold: requests that never become whole, streams before SETUP, long names. */
import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { Client } from "../client/client.ts";
import type { SubscribeOptions } from "../client/subscription.ts";
import { SESSION_CODE } from "../wire/lite/codes.ts";
import { framed } from "../wire/message.ts";
import { AnnounceInit, MAX_INIT_PATHS } from "../wire/lite/announce.ts";
import { memoryPair } from "../transport/memory/memory.ts";
import { MAX_EARLY_UNI } from "./intake.ts";
import { newSessionHits } from "./limits.ts";
import { join, RawPeer, type RawStream, testRelay, tick, Viewer } from "./peers_test.ts";
import { STREAM_CODE } from "../wire/lite/codes.ts";
import { StreamReader } from "./stream_reader.ts";
import { MAX_UNFINISHED_BYTES, MESSAGE_TIMEOUT_MS, Unfinished } from "./unfinished.ts";

/** A stream of control messages, and what the account of its session says. */
function counted() {
  const clock = new ManualClock();
  const hits = newSessionHits();
  const unfinished = new Unfinished(clock, hits, STREAM_CODE.controlTimeout);
  const [near, far] = memoryPair({ protocol: "", canReset: true });
  const open = async () => {
    const send = await near.openUni();
    send.write(Uint8Array.of(0x02));
    const receive = (await far.acceptUni())!;
    return { send, reader: new StreamReader(receive, "stream type", unfinished) };
  };
  return { clock, hits, unfinished, open };
}

Deno.test("what has come of a message counts until it is whole, and not longer", async () => {
  const { unfinished, open } = counted();
  const { send, reader } = await open();
  assert.equal(await reader.varint(), 2);
  const body = reader.body("SUBSCRIBE");
  send.write(Uint8Array.of(0x44, 0x00)); // 1,024 bytes
  await tick();
  assert.deepEqual([unfinished.count, unfinished.bytes], [1, 0]);
  send.write(new Uint8Array(1000));
  await tick();
  assert.deepEqual([unfinished.count, unfinished.bytes], [1, 1000]);
  send.write(new Uint8Array(24));
  assert.equal((await body)?.length, 1024);
  assert.deepEqual([unfinished.count, unfinished.bytes], [0, 0]);
});

Deno.test("a session holds so many bytes of unfinished messages and no more", async () => {
  const { hits, unfinished, open } = counted();
  const bodies: Promise<unknown>[] = [];
  for (let i = 0; i < 300; i++) {
    const { send, reader } = await open();
    await reader.varint();
    bodies.push(reader.body("SUBSCRIBE").then(() => "whole", () => "refused"));
    send.write(Uint8Array.of(0x50, 0x00)); // 4,096 bytes
    send.write(new Uint8Array(4000));
  }
  await tick();
  assert.ok(unfinished.bytes <= MAX_UNFINISHED_BYTES, `${unfinished.bytes} bytes`);
  assert.ok(unfinished.bytes > MAX_UNFINISHED_BYTES / 2);
  assert.equal(hits.unfinishedBytes, 300 - unfinished.count);
  assert.equal(unfinished.count, Math.floor(MAX_UNFINISHED_BYTES / 4000));
});

Deno.test("90 SUBSCRIBE and 210 GROUP heads that each miss 16 bytes of 1 MiB hold nothing", async () => {
  const at = testRelay();
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  await tick();
  const length = "80 0f ff f0";
  const half = "00".repeat(5000);
  const streams: RawStream[] = [];
  try {
    for (let i = 0; i < 90; i++) streams.push(await peer.bidi(`02 ${length} ${half}`));
    for (let i = 0; i < 210; i++) streams.push(await peer.uni(`00 ${length} ${half}`));
  } catch { // the relay has had enough
  }
  await tick();
  assert.equal(peer.code, SESSION_CODE.protocolViolation);
  assert.ok(streams.every(({ sent }) => sent === "stopped" || sent === "lost"));
});

Deno.test("a request that has begun has to be whole in time; one that has not begun may wait", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  publisher.client.publish("a").track("v").write("x");
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  const served = await peer.bidi('02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00');
  const [type, half, update, group, nothing] = [
    await peer.bidi("02"),
    await peer.bidi('02 0b 02 01 "a"'),
    await peer.bidi('02 0b 03 01 "a" 01 "v" 00 00 00 00 00 00 07 00'),
    await peer.uni("00 03"),
    await peer.bidi(""),
  ];
  for (let ms = 0; ms < MESSAGE_TIMEOUT_MS - 1000; ms += 1000) {
    at.clock.advance(1000);
    await tick();
  }
  assert.deepEqual([type.sent, half.sent, update.sent, group.sent], Array(4).fill(undefined));
  for (let i = 0; i < 3; i++) {
    at.clock.advance(1000);
    await tick();
  }
  assert.deepEqual([type.sent, half.sent, update.sent, group.sent], Array(4).fill("stopped"));
  assert.deepEqual([type.end, half.end], ["reset 1", "reset 1"]);
  assert.equal(at.relay.hits.messageTime, 4);
  assert.equal(nothing.sent, undefined);
  assert.deepEqual([served.end, served.sent, peer.code], [undefined, undefined, undefined]);
});

Deno.test("before SETUP a connection has few streams and few bytes; what is in order is served afterwards", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  publisher.client.publish("a").track("v").write("x");
  const peer = RawPeer.at(at, "moq-lite-06");
  const asked = await peer.bidi("01 01 00");
  const small = await peer.uni("00 03 00 00 00 00 01 61");
  const streams: RawStream[] = [];
  for (let i = 0; i < 300; i++) streams.push(await peer.uni(`00 ${"00".repeat(20_000)}`));
  const loud = await peer.bidi(`02 ${"00".repeat(20_000)}`);
  await tick(2);
  assert.equal(streams.filter(({ sent }) => sent === "stopped").length, 300);
  assert.equal(loud.sent, "stopped");
  assert.equal(at.relay.hits.earlyStreams, 301);
  assert.equal(small.sent, undefined);
  assert.equal(asked.hex, "");
  await peer.uni("01 01 00", true);
  await tick(2);
  assert.equal(peer.code, undefined);
  assert.equal(at.relay.sessionCount, 2);
  assert.match(asked.hex, /^03 43 09 01/);
  assert.equal(small.sent, "stopped", "nobody subscribed to it");
});

Deno.test("a SETUP comes through although as many streams as are kept came before it", async () => {
  const at = testRelay();
  const peer = RawPeer.at(at, "moq-lite-05");
  for (let i = 0; i < MAX_EARLY_UNI - 1; i++) await peer.uni("00 02 00 00");
  await peer.uni("01 01 00", true);
  await tick(2);
  assert.equal(at.relay.sessionCount, 1);
  assert.equal(at.relay.hits.earlyStreams, 0);
});

Deno.test("a SETUP that is there before the client's session stands counts", async () => {
  const clock = new ManualClock();
  const [near, far] = memoryPair({ protocol: "moq-lite-06" });
  const server = new RawPeer(far);
  await server.uni("01 04 01 05 01 09", true);
  const asked = await server.bidi("01 01 00");
  await tick();
  const client = await Client.over(near, { versions: ["moq-lite-06"], clock });
  client.publish("a");
  await tick(2);
  assert.match(asked.hex, /01 61 00 00 00$/, "it told at once, without waiting for another SETUP");
});

Deno.test("requests that wait for their turn fill neither the relay nor the transport", async () => {
  const at = testRelay({ maxMessageRate: 1 });
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  for (let i = 0; i < 11; i++) await peer.bidi("04", true);
  await tick();
  const waiting = await peer.bidi("01 01 00");
  const flood = await peer.bidi(`02 ${"00".repeat(60_000)}`);
  await tick();
  assert.equal(flood.sent, "stopped");
  assert.equal(waiting.hex, "");
  at.clock.advance(5000);
  await tick(2);
  assert.notEqual(waiting.hex, "");
});

Deno.test("ANNOUNCE_INIT is read entry by entry: bounded by what may be announced, and others have their turn", async () => {
  const at = testRelay({ maxAnnouncements: 100 });
  const peer = RawPeer.at(at, "moql");
  await peer.bidi("20 00 0a 01 c0000000ff0dad02 00");
  const asked = await peer.nextBidi();
  const suffixes = Array.from({ length: 20_000 }, (_, i) => `${i}`);
  let turns = 0;
  let done = false;
  const others = (async () => {
    while (!done) {
      turns++;
      await tick();
    }
  })();
  asked.send!.write(framed(AnnounceInit.encode({ suffixes })));
  while (at.relay.hits.announcements < 20_000 - 100) await tick();
  done = true;
  await others;
  assert.equal(at.relay.origin.size, 100);
  assert.ok(turns > 20, `${turns} turns of others`);
  assert.equal(peer.code, undefined);
});

Deno.test("ANNOUNCE_INIT of more paths than anybody has, or that does not add up, is malformed", async () => {
  for (
    const text of [
      "80 30 00 00 80 01 00 01", // 65,537 paths
      "04 04 00 00 00", // 4 paths, 3 bytes
      "05 01 01 61 00 00", // bytes behind the last
      "02 01 40", // cut off inside an entry
      "80 50 00 01 00", // above 4 MiB
      "44 05 01 44 02 2f", // a path of 1,026 bytes is the longest that may be written
    ]
  ) {
    const at = testRelay();
    const peer = RawPeer.at(at, "moql");
    await peer.bidi("20 00 0a 01 c0000000ff0dad02 00");
    const asked = await peer.nextBidi();
    asked.say(text, true);
    await tick(2);
    assert.equal(at.relay.stats.streamsMalformed, 1, text);
    assert.equal(at.relay.origin.size, 0);
    assert.equal(peer.code, undefined);
  }
  assert.equal(MAX_INIT_PATHS, 65_536);
});

Deno.test("STARTs above the limit leave nothing in the decoder, and their ids still count", async () => {
  const at = testRelay({ maxAnnouncements: 2 });
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  const asked = await peer.nextBidi();
  asked.say('02 09 00 00 05 01 "a" 00 00 00 00 05 01 "b" 00 00 00');
  for (let i = 0; i < 50; i++) asked.say('00 05 01 "c" 00 00 00'); // the same name each time: nobody remembers it
  await tick();
  assert.deepEqual([...at.relay.origin.broadcasts()].map(([path]) => path), ["a", "b"]);
  assert.equal(asked.sent, undefined);
  asked.say("01 01 05"); // END of one that was not kept
  asked.say("02 04 06 00 00 00"); // UPDATE of another
  asked.say("01 01 00"); // END a
  asked.say('00 05 01 "d" 00 00 00'); // START id 52
  asked.say("01 01 34");
  asked.say('00 05 01 "e" 00 00 00');
  await tick();
  assert.deepEqual([...at.relay.origin.broadcasts()].map(([path]) => path), ["b", "e"]);
  assert.equal(asked.sent, undefined);
  assert.equal(at.relay.stats.streamsMalformed, 0);
});

Deno.test("names of 1,024 bytes pass in every version; a root and a name that are longer together do not", async () => {
  const name = "é".repeat(512);
  for (const version of [1, 2, 3, 4, 5, 6] as const) {
    const at = testRelay();
    const publisher = await join(at, version);
    publisher.client.publish(name).track(name).write("x");
    const viewer = await join(at, version);
    const watch = new Viewer(viewer.client.subscribe(name, name));
    await tick(3);
    assert.equal(watch.text(0), "x");
    assert.equal(at.relay.stats.streamsMalformed, 0);
    const rooted = await join(at, version, { path: "/r" });
    rooted.client.publish(name);
    await tick(2);
    assert.equal(at.relay.origin.size, 1);
    await at.relay.close();
  }
});

Deno.test("the client says at once that a name is too long", async () => {
  const at = testRelay();
  const { client } = await join(at, 6);
  const long = "é".repeat(512) + "x";
  assert.throws(() => client.publish(long), RangeError);
  assert.throws(() => client.publish("a").track(long), RangeError);
  assert.throws(() => client.subscribe(long, "v"), RangeError);
  assert.throws(() => client.subscribe("a", long), RangeError);
  await assert.rejects(client.fetch("a", long, 0), RangeError);
});

Deno.test("subscriptions that were made and left leave no track behind", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  publisher.client.publish("a").track("v").write("x");
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  for (let i = 0; i < 80; i++) {
    const stream = await peer.bidi(
      `02 44 0c 01 01 "a" 44 00 ${'"n"'.repeat(1021)} "${100 + i}" 00 00 00 00 00 00`.replace(
        "44 0c",
        "44 0b",
      ),
    );
    await tick();
    stream.send!.finish();
  }
  await tick(2);
  const [, [broadcast]] = [...at.relay.origin.broadcasts()][0]!;
  assert.equal([...broadcast!.tracks()].length, 0);
  assert.equal(at.relay.stats.subscriptions, 80);
});

/** A publisher of one track, told over raw bytes, and a viewer of it. */
async function ending(options: SubscribeOptions = {}) {
  const at = testRelay();
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 05 01 05 02 43 e8", true);
  (await peer.nextBidi()).say('03 43 e8 01 00 05 01 "b" 00 00 00');
  const viewer = await join(at, 6);
  const watch = new Viewer(viewer.client.subscribe("b", "v", options));
  await tick();
  const [, subscribe] = peer.bidis;
  const group = (sequence: number) => peer.uni(`00 03 00 0${sequence} 00 00 01 61`, true);
  return { at, peer, watch, subscribe: subscribe!, group };
}

Deno.test("a track ends with its last group, without waiting for the FIN", async () => {
  const { watch, subscribe, group } = await ending();
  subscribe.say("00 01 03"); // START 3
  await group(3);
  subscribe.say("01 01 05"); // END 5
  await tick(2);
  assert.equal(watch.end, undefined, "group 4 is owed");
  await group(4);
  await tick(2);
  assert.equal(watch.end, "ended");
  assert.deepEqual(watch.whole, [3, 4]);
});

Deno.test("groups that overtake the first one and SUBSCRIBE_START are not taken for the first", async () => {
  const { watch, subscribe, group } = await ending();
  await group(5);
  await group(3);
  subscribe.say("00 01 03");
  await group(4);
  subscribe.say("01 01 06", true);
  await tick(2);
  assert.equal(watch.end, "ended");
  assert.deepEqual(watch.whole.toSorted(), [3, 4, 5]);
});

Deno.test("a viewer that asks from a group on misses none when SUBSCRIBE_START comes long after the newest ones", async () => {
  const { at, watch, subscribe, group } = await ending({ startGroup: 3, maxLatencyMs: 60_000 });
  await group(5);
  await tick(2);
  at.clock.advance(1000);
  await tick(2);
  assert.deepEqual(watch.whole, []);
  subscribe.say("00 01 04"); // 3 is not kept any more
  await group(4);
  await tick(2);
  assert.deepEqual(watch.whole.toSorted(), [4, 5]);
});

Deno.test("groups of a publisher that never says SUBSCRIBE_START come a moment later", async () => {
  const { at, watch, subscribe, group } = await ending();
  await group(5);
  await tick(2);
  assert.deepEqual(watch.whole, []);
  at.clock.advance(100);
  await tick(2);
  assert.deepEqual(watch.whole, [5]);
  await group(6);
  subscribe.say("01 01 07", true);
  await tick(2);
  assert.equal(watch.end, "ended");
  assert.deepEqual(watch.whole, [5, 6]);
});

Deno.test("groups that SUBSCRIBE_DROP names are not waited for", async () => {
  const { at, watch, subscribe, group } = await ending();
  subscribe.say("00 01 03");
  await group(3);
  subscribe.say("02 03 04 06 00"); // DROP 4 … 6
  await group(7);
  assert.equal(subscribe.sent, undefined);
  subscribe.say("01 01 08");
  await tick(2);
  assert.equal(subscribe.sent, "stopped", "the relay knows that it has all");
  at.clock.advance(300); // the viewer is told of no DROP
  await tick(2);
  assert.equal(watch.end, "ended");
  assert.deepEqual(watch.whole, [3, 7]);
});

Deno.test("behind a gap that nobody explains a track ends a moment after its last group and FIN", async () => {
  const { at, watch, subscribe, group } = await ending();
  subscribe.say("00 01 03");
  await group(3);
  await group(7);
  subscribe.say("01 01 08", true);
  await tick(2);
  assert.equal(at.relay.origin.find("b")!.tracks().next().value?.track.readers, 1);
  at.clock.advance(300);
  await tick(2);
  assert.equal(at.relay.origin.find("b")!.tracks().next().value?.track.readers, 0);
  at.clock.advance(300); // and as long again at the viewer
  await tick(2);
  assert.equal(watch.end, "ended");
});

Deno.test("a group that comes as a datagram too is passed on once, and no datagram above 1,200 bytes leaves", async () => {
  const { peer, watch, subscribe, group, at } = await ending();
  subscribe.say("00 01 03");
  const got: number[] = [];
  watch.subscription.ondatagram = ({ sequence }) => got.push(sequence);
  const datagram = (sequence: number, payload: number) =>
    peer.connection.sendDatagram(Uint8Array.of(0, sequence, 0, ...new Uint8Array(payload)));
  datagram(3, 10);
  datagram(3, 10);
  await tick();
  const twice = await group(3);
  await tick();
  assert.equal(twice.sent, "finished");
  await group(4);
  await tick();
  datagram(4, 10);
  datagram(5, 1196);
  datagram(6, 1197);
  datagram(7, 1198);
  await tick();
  assert.deepEqual([got, watch.whole], [[3, 5, 6], [4]]);
  assert.equal(at.relay.stats.groupsRefused, 3);
});
