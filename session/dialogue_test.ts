import assert from "node:assert/strict";
import { UPDATE_HOLD_MS } from "../relay/watchers.ts";
import { hex, RawPeer, show, testRelay, tick } from "./peers_test.ts";

const ALICE = '0a "room/alice"';

Deno.test("a whole lite-06 dialogue of publisher, relay and viewer, byte for byte", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true); // SETUP, hop 1000
  await (await publisher.nextUni()).hears("01 05 01 05 02 43 09", "fin"); // SETUP, hop 777
  const asked = await publisher.nextBidi();
  await asked.hears('01 02 01 "/"'); // ANNOUNCE_REQUEST for everything
  asked.say("03 43 e8 01"); // ANNOUNCE_OK hop 1000, one follows
  asked.say(`00 0e ${ALICE} 00 00 00`); // START id 0

  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true); // SETUP, nothing
  await (await viewer.nextUni()).hears("01 05 01 05 02 43 09", "fin");
  const news = await viewer.bidi("01 01 00");
  await news.hears(`03 43 09 01 00 10 ${ALICE} 01 43 e8 01 01`); // hops [1000], costs 1/1

  const info = await viewer.bidi(`06 0d ${ALICE} 01 "v"`); // TRACK
  const infoAsked = await publisher.nextBidi();
  await infoAsked.hears(`06 0d ${ALICE} 01 "v"`);
  infoAsked.say("05 7f 53 88 43 e8", true);
  await info.hears("05 7f 53 88 43 e8", "fin");
  info.send!.finish();

  const subscribe = await viewer.bidi(`02 15 05 ${ALICE} 01 "v" c8 41 f4 00 00 00 00`);
  await (await publisher.nextBidi()).hears(`06 0d ${ALICE} 01 "v"`); // asked anew for each copy
  const upstream = await publisher.nextBidi();
  await upstream.hears(`02 15 00 ${ALICE} 01 "v" c8 41 f4 00 00 00 00`);
  await subscribe.hears(""); // nothing before the first group is known
  upstream.say("00 01 05"); // START 5
  await publisher.uni('00 03 00 05 00 47 d0 05 "hello"', true);
  await subscribe.hears("00 01 05");
  await (await viewer.nextUni()).hears('00 03 05 05 00 47 d0 05 "hello"', "fin");

  upstream.say("01 01 06", true); // END 6, then FIN
  await subscribe.hears("01 01 06", "fin");
  await upstream.hears("", "fin");
  asked.say("01 01 00"); // announce END id 0
  await news.hears("01 01 00");

  void at.relay.drain(5000);
  const goaway = await viewer.nextBidi();
  // The relay asked the viewer for announcements before.
  await goaway.hears('01 02 01 "/"');
  await (await viewer.nextBidi()).hears("05 01 00", "fin");
  for (let i = 0; i < 4; i++) {
    at.clock.advance(500);
    await tick();
  }
  assert.deepEqual([viewer.code, publisher.code], [0, 0]);
});

Deno.test("gomoqt's lite-04 publisher is asked with its slashes, and its answer is passed on at once", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-04");
  const asked = await publisher.nextBidi();
  await asked.hears('01 04 01 "/" 43 09'); // ANNOUNCE_INTEREST "/", exclude 777
  asked.say('11 01 0e "interop/server" 00');

  const viewer = RawPeer.at(at, "moq-lite-04");
  await (await viewer.nextBidi()).hears('01 04 01 "/" 43 09');
  const news = await viewer.bidi('01 03 01 "/" 00');
  // The unknown publisher stands as hop 0, behind a name for its session; the relay has appended itself.
  await tick();
  const told = news.take();
  assert.equal(told.slice(0, 53), show(hex('1c 01 0e "interop/server" 03')));
  assert.match(told.slice(53), /^ c0( ..){7} 00 43 09$/);

  const subscribe = await viewer.bidi('02 17 01 0f "/interop/server" 00 00 00 00 00 00');
  const upstream = await publisher.nextBidi();
  await upstream.hears('02 17 00 0f "/interop/server" 00 00 00 00 00 00');
  await subscribe.hears("");
  upstream.say("00 05 00 00 00 02 00"); // OK, start group 1
  await subscribe.hears("00 05 00 00 00 00 00"); // as soon as the publisher has agreed
  await publisher.uni('00 02 00 01 05 "HELLO"', true);
  await (await viewer.nextUni()).hears('00 02 01 01 05 "HELLO"', "fin");
  await subscribe.hears("");

  const fetch = await viewer.bidi('03 13 0f "/interop/server" 00 00 01');
  await fetch.hears('05 "HELLO"', "fin");

  const probe = await viewer.bidi("04 05 80 0f 42 40 00");
  await probe.hears("02 00 00"); // unknown, honestly
  await (await viewer.bidi('02 0e 02 06 "/a/b/c" 00 00 00 00 00 00')).hears("", "reset 54");

  // Leaving takes FIN and STOP_SENDING, because gomoqt only watches its own side.
  subscribe.send!.finish();
  await tick();
  assert.equal(upstream.end, "fin");
  assert.equal(upstream.sent, "stopped");
});

Deno.test("lite-02 begins with SETUP, answers SUBSCRIBE with an empty OK and lists its announcements", async () => {
  const at = testRelay();
  const offer = "20 00 1a 03 c0000000ff0dad02 c0000000ff0dad01 c0000000ff00000e 00";
  const publisher = RawPeer.at(at, "moql");
  await (await publisher.bidi(offer)).hears("21 00 09 c0000000ff0dad02 00");
  const asked = await publisher.nextBidi();
  await asked.hears('01 02 01 "/"');
  asked.say('07 01 05 "alice"');

  const viewer = RawPeer.at(at, "");
  await (await viewer.bidi("20 00 0a 01 c0000000ff0dad01 00")).hears(
    "21 00 09 c0000000ff0dad01 00",
  );
  const news = await viewer.bidi("01 01 00");
  await news.hears('07 01 05 "alice"');
  const subscribe = await viewer.bidi('02 0b 00 05 "alice" 02 "tv" 07');
  const upstream = await publisher.nextBidi();
  await upstream.hears('02 0c 00 06 "/alice" 02 "tv" 07');
  upstream.say("00"); // 02 with nothing
  await subscribe.hears("01 07"); // 01 answers with the priority
  await publisher.uni('00 02 00 00 02 "hi" 00', true);
  await (await viewer.nextUni()).hears('00 02 00 00 02 "hi" 00', "fin");
  asked.say('07 00 05 "alice"');
  await news.hears('07 00 05 "alice"');
});

Deno.test("lite-05 announces with ANNOUNCE_OK, appends at the receiver and repeats active for a new route", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-05");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  const asked = await publisher.nextBidi();
  await asked.hears('01 04 01 "/" 43 09'); // prefix "/", exclude 777
  asked.say('03 43 e8 01 08 01 05 "alice" 00');

  const viewer = RawPeer.at(at, "moq-lite-05");
  await viewer.uni("01 01 00", true);
  const news = await viewer.bidi("01 02 00 00");
  await news.hears('03 43 09 01 0a 01 05 "alice" 01 43 e8');
  asked.say('09 01 05 "alice" 01 09'); // the same broadcast, by way of hop 9
  await news.hears(""); // a change is held for a moment
  at.clock.advance(UPDATE_HOLD_MS);
  await news.hears('0b 01 05 "alice" 02 09 43 e8');
  asked.say('08 00 05 "alice" 00');
  await news.hears('08 00 05 "alice" 00');

  const nothing = await viewer.bidi("01 04 01 78 00 00");
  await tick();
  assert.equal(nothing.end, "reset 1", "bytes behind a message's last field end its stream");
  assert.equal(viewer.code, undefined);
});

Deno.test("ids of lite-06 announcements count from 0 and are never used again", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  const asked = await publisher.nextBidi();
  asked.say('03 43 e8 00 00 05 01 "a" 00 00 00 00 05 01 "b" 00 00 00');
  await tick();
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  const news = await viewer.bidi("01 01 00");
  await news.hears('03 43 09 02 00 07 01 "a" 01 43 e8 01 01 00 07 01 "b" 01 43 e8 01 01');
  asked.say("01 01 00"); // END a
  await news.hears("01 01 00");
  asked.say("09 02 aa bb"); // unknown: stepped over, takes no id
  asked.say('00 05 01 "a" 00 05 06'); // START id 2, costs 5/6
  await news.hears('00 07 01 "a" 01 43 e8 06 07');
  asked.say("02 04 02 00 00 09"); // UPDATE id 2, costs 0/9, then 0/7: told as one
  asked.say("02 04 02 00 00 07");
  await news.hears("");
  at.clock.advance(UPDATE_HOLD_MS);
  await news.hears("02 06 02 01 43 e8 01 08");
  asked.say("02 04 02 00 00 07"); // no news
  await news.hears("");
  asked.say("01 01 02 01 01 01");
  await news.hears("01 01 02 01 01 01");
  asked.say("01 01 02"); // ended already
  await tick();
  assert.equal(asked.sent, "stopped");
  assert.equal(publisher.code, undefined);
});

Deno.test("a price in the peer's SETUP is added to its routes", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 09 02 04 02 40 64 05 02 43 e8", true); // Cost 100
  (await publisher.nextBidi()).say('03 43 e8 01 00 05 01 "a" 00 00 00');
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  await (await viewer.bidi("01 01 00")).hears(
    '03 43 09 01 00 09 01 "a" 01 43 e8 40 64 40 64',
  );
});

Deno.test("TRACK is answered as often as it is asked, and refused for what nobody announces", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  (await publisher.nextBidi()).say('03 43 e8 01 00 05 01 "a" 00 00 00');
  const viewer = RawPeer.at(at, "moq-lite-05");
  await viewer.uni("01 01 00", true);
  for (let i = 0; i < 3; i++) {
    const info = await viewer.bidi('06 04 01 "a" 01 "v"');
    const asked = await publisher.nextBidi();
    await asked.hears('06 04 01 "a" 01 "v"');
    assert.equal(asked.sent, undefined, "the request stays open until its answer");
    asked.say("05 7f 53 88 43 e8", true);
    await info.hears("06 7f 00 53 88 43 e8", "fin"); // 05 has the ordered byte
    info.send!.finish();
  }
  await (await viewer.bidi('06 04 01 "z" 01 "v"')).hears("", "reset 54");
  const refused = await viewer.bidi('06 04 01 "a" 01 "x"');
  (await publisher.nextBidi()).send!.reset(51);
  await refused.hears("", "reset 51");
  // A request below an announced path goes to its publisher.
  await viewer.bidi('06 06 03 "a/b" 01 "v"');
  await (await publisher.nextBidi()).hears('06 06 03 "a/b" 01 "v"');
});

Deno.test("viewers who ask for TRACK at once share one question", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  (await publisher.nextBidi()).say('03 43 e8 01 00 05 01 "a" 00 00 00');
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  const asked = await Promise.all([1, 2, 3].map(() => viewer.bidi('06 04 01 "a" 01 "v"')));
  (await publisher.nextBidi()).say("05 7f 53 88 43 e8", true);
  for (const one of asked) await one.hears("05 7f 53 88 43 e8", "fin");
  assert.equal(publisher.bidis.length, 0);
});

Deno.test("GOAWAY devalues the peer's routes and is told once; a second one counts as malformed", async () => {
  const at = testRelay();
  const [first, second] = [RawPeer.at(at, "moq-lite-06"), RawPeer.at(at, "moq-lite-06")];
  await first.uni("01 05 01 05 02 43 e8", true);
  await second.uni("01 04 01 05 01 09", true);
  // The same publisher (hop 5) by two peers, the first at a better price.
  (await first.nextBidi()).say('03 43 e8 01 00 06 01 "a" 01 05 00 00');
  (await second.nextBidi()).say('03 40 09 01 00 06 01 "a" 01 05 07 07');
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  const news = await viewer.bidi("01 01 00");
  await news.hears('03 43 09 01 00 08 01 "a" 02 05 43 e8 01 01');
  const goaway = await first.bidi("05 01 00", true);
  await goaway.hears("", "fin");
  at.clock.advance(UPDATE_HOLD_MS);
  await news.hears("02 06 00 02 05 09 08 08"); // now by the second
  assert.equal(first.code, undefined);
  await first.bidi("05 01 00", true);
  await tick();
  assert.equal(at.relay.stats.streamsMalformed, 1);
  assert.equal(first.code, undefined);
});

Deno.test("a GOAWAY waits for the peer's first ANNOUNCE_REQUEST, but not for long", async () => {
  const at = testRelay();
  const quick = RawPeer.at(at, "moq-lite-04");
  const slow = RawPeer.at(at, "moq-lite-04");
  const old = RawPeer.at(at, "moq-lite-03");
  await tick();
  void at.relay.drain(5000, "https://b/");
  await quick.nextBidi();
  await slow.nextBidi();
  await old.nextBidi();
  await quick.bidi("01 02 00 00");
  await (await quick.nextBidi()).hears('05 0b 0a "https://b/"', "fin");
  assert.equal(slow.bidis.length, 0);
  at.clock.advance(500);
  await (await slow.nextBidi()).hears('05 0b 0a "https://b/"', "fin");
  assert.equal(old.bidis.length, 0, "03 has no GOAWAY");
});

Deno.test("SUBSCRIBE and FETCH of lite-06 are served from the frame they name to the frame they name", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  (await publisher.nextBidi()).say('03 43 e8 01 00 05 01 "a" 00 00 00');
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  await viewer.nextUni(); // SETUP
  // From group 5 frame 2 through group 6 frame 1.
  const subscribe = await viewer.bidi('02 0c 01 01 "a" 01 "v" 00 40 64 05 07 02 02');
  await publisher.nextBidi();
  const upstream = await publisher.nextBidi();
  await upstream.hears('02 0c 00 01 "a" 01 "v" 00 40 64 05 07 00 00'); // whole groups are cached
  // Timestamps 1000, 1010, 1005, 1025.
  const five = await publisher.uni('00 03 00 05 00 47 d0 01 "0" 14 01 "1" 09 01');
  const out = await viewer.nextUni();
  await out.hears("00 03 01 05 02 47 da 01"); // frame 2 at 1005, absolute again
  five.say('"2" 28 00', true);
  await out.hears('"2" 28 00', "fin");
  await publisher.uni('00 03 00 06 00 47 d0 01 "0" 02 01 "1" 02 01 "2" 02', false);
  await (await viewer.nextUni()).hears('00 03 01 06 00 47 d0 01 "0" 02 01 "1"', "fin");
  await subscribe.hears("00 01 05");

  const fetch = await viewer.bidi('03 08 01 "a" 01 "v" 80 05 01 03'); // frames 1 to 2
  await fetch.hears('47 e4 01 "1" 09 01 "2"', "fin");
  const rest = await viewer.bidi('03 08 01 "a" 01 "v" 80 05 03 00'); // from frame 3
  await rest.hears("48 02 00", "fin");
  const beyond = await viewer.bidi('03 08 01 "a" 01 "v" 80 05 09 00');
  await beyond.hears("", "fin");
  subscribe.send!.finish();
  await tick();
  at.relay.close();
  await tick();
  at.clock.advance(60_000);
  assert.equal(at.relay.pool.stats.inUse, 0);
});

Deno.test("a group that begins in its middle keeps its frame's index for viewers who asked for it", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  (await publisher.nextBidi()).say('03 43 e8 01 00 05 01 "a" 00 00 00');
  const viewer = RawPeer.at(at, "moq-lite-06");
  await viewer.uni("01 01 00", true);
  await viewer.nextUni(); // SETUP
  await viewer.bidi('02 0b 01 01 "a" 01 "v" 00 00 05 00 03 00'); // group 5 from frame 3
  await tick();
  await publisher.uni('00 03 00 05 03 47 d0 02 "hi"', true);
  await (await viewer.nextUni()).hears('00 03 01 05 03 47 d0 02 "hi"', "fin");
});
