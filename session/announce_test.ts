/** What peers hear of each other's announcements, and what they may ask of us for it. */
import assert from "node:assert/strict";
import { UPDATE_HOLD_MS } from "../relay/watchers.ts";
import { ConnectionClosed } from "../transport/errors.ts";
import { FakeSource } from "../tests/support/fixtures/relay.ts";
import { memoryPair } from "../transport/memory/memory.ts";
import {
  hex,
  join,
  link,
  RawPeer,
  type RawStream,
  testRelay,
  tick,
  VERSIONS,
  Viewer,
} from "./peers_test.ts";

Deno.test("a publisher that lists itself in its hops reaches no other peer, and none of them is closed", async () => {
  const at = testRelay();
  const viewers = await Promise.all(VERSIONS.map((version) => join(at, version)));
  const selfish = RawPeer.at(at, "moq-lite-06");
  await selfish.uni("01 05 01 05 02 43 e8", true);
  (await selfish.nextBidi()).say('03 43 e8 00 00 09 03 "bad" 01 43 e8 00 00');
  await tick(3);
  assert.equal(at.relay.origin.size, 0);
  assert.equal(at.relay.stats.loopsRefused, 1);
  assert.equal(at.relay.sessionCount, VERSIONS.length + 1);

  const honest = await join(at, 6);
  honest.client.publish("good");
  for (const { client } of viewers) {
    const news = await client.announced().next();
    assert.equal(news?.path, "good");
  }
});

Deno.test("when another publisher comes while a lost one lingers, viewers of every version go on with it", async (t) => {
  for (const publishes of [2, 3, 4, 6] as const) {
    for (const version of VERSIONS) {
      await t.step(`published on 0${publishes}, watched on 0${version}`, async () => {
        const at = testRelay();
        const first = await join(at, publishes);
        first.client.publish("cam").track("v").write("one");
        const watching = await join(at, version);
        const heard: string[] = [];
        const viewers: Viewer[] = [];
        void (async () => {
          for await (const { path, active } of watching.client.announced()) {
            heard.push(active ? path : `no ${path}`);
            if (active) viewers.push(new Viewer(watching.client.subscribe(path, "v")));
          }
        })();
        await tick(5);
        assert.deepEqual([...viewers[0]!.groups.values()], [["one"]]);
        first.near.drop();
        await tick(2);
        const second = await join(at, publishes);
        second.client.publish("cam").track("v").write("two");
        await tick(5);
        at.clock.advance(UPDATE_HOLD_MS);
        await tick(5);
        assert.deepEqual(heard, ["cam", "no cam", "cam"]);
        assert.deepEqual([...viewers[1]!.groups.values()], [["two"]]);
      });
    }
  }
});

Deno.test("an anonymous publisher that another one follows has another name one relay further", async () => {
  const [near, far] = [testRelay({ hop: 777n }), testRelay({ hop: 888n })];
  await link(far.relay, near.relay, 6);
  const names: (bigint | undefined)[] = [];
  for (let i = 0; i < 2; i++) {
    const { client } = await join(near, 2);
    client.publish("cam");
    await tick(3);
    const [, all] = [...far.relay.origin.broadcasts()][0]!;
    names.push(all[0]!.publisher);
    assert.deepEqual(all[0]!.routes[0]!.hops.slice(1), [0n, 777n]);
    client.close();
    await tick(3);
  }
  assert.notEqual(names[0], names[1]);
});

Deno.test("a relay that dials waits for the other's SETUP before it tells, so that nothing comes back", async () => {
  const at = testRelay();
  const { client } = await join(at, 6);
  client.publish("mine");
  // A peer that asks at once, and says only then that it is hop 5 and what its link costs.
  const peer = await RawPeer.dialed(at, "moq-lite-06");
  const asked = await peer.bidi("01 01 00");
  const offered = await peer.nextBidi();
  offered.say('02 05 00 00 05 01 "a" 00 03 03');
  await tick(2);
  assert.equal(asked.hex, "");
  assert.equal(at.relay.origin.find("a"), undefined);
  await peer.uni("01 04 01 05 01 05", true);
  await tick(2);
  assert.notEqual(asked.hex, "");
});

Deno.test("a relay that dials serves nothing by a route through the other one, which says late who it is", async () => {
  const at = testRelay();
  at.relay.origin.announce("a", new FakeSource("back"), { hops: [9n, 5n, 6n], warm: 0, cold: 0 });
  const peer = await RawPeer.dialed(at, "moq-lite-06");
  const subscribe = await peer.bidi('02 0b 01 01 "a" 01 "v" 00 00 00 00 00 00');
  const info = await peer.bidi('06 04 01 "a" 01 "v"');
  await tick(2);
  assert.deepEqual([subscribe.end, info.end], [undefined, undefined]);
  await peer.uni("01 04 01 05 01 05", true);
  await tick(2);
  assert.match(`${subscribe.end} ${info.end}`, /^reset \d+ reset \d+$/);
  assert.equal(at.relay.stats.upstreamSubscriptions, 0);
});

Deno.test("a price in SETUP counts within bounds, and a stranger's is 1 at least", async () => {
  for (
    const [peer, said, counted] of [
      [false, "00", 1],
      [false, "ff ff ff ff ff ff ff ff", 1_000_000],
      [true, "00", 0],
      [true, "40 64", 100],
      [true, "ff ff ff ff ff ff ff ff", 1_000_000],
    ] as const
  ) {
    const at = testRelay();
    const [near, far] = memoryPair({ protocol: "moq-lite-06" });
    void at.relay.accept(far, undefined, { peer });
    const publisher = new RawPeer(near);
    const bytes = hex(said).length;
    const head = [6 + bytes, 2, 4, bytes].map((byte) => byte.toString(16).padStart(2, "0"));
    await publisher.uni(`01 ${head.join(" ")} ${said} 05 01 05`, true);
    // The costs in its announcement are the largest there are, or nothing.
    (await publisher.nextBidi()).say(
      '02 05 02 00 05 01 "a" 00 00 00 00 13 01 "b" 00 ff ff ff ff ff ff ff fe ff ff ff ff ff ff ff ff',
    );
    await tick(2);
    const [a, b] = ["a", "b"].map((path) => at.relay.origin.find(path)!.best()!);
    assert.deepEqual([a!.warm, a!.cold, b!.warm, b!.cold], [counted, counted, Infinity, Infinity]);
    await at.relay.close();
  }
});

Deno.test("at most four announce streams for one prefix; the fifth is refused and the session stays", async () => {
  const at = testRelay();
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  const streams: RawStream[] = [];
  for (let i = 0; i < 5; i++) streams.push(await peer.bidi("01 02 01 61"));
  await tick();
  assert.deepEqual(streams.map(({ end }) => end), [...Array(4).fill(undefined), "reset 493"]);
  assert.equal(at.relay.hits.announceStreams, 1);
  streams[0]!.send!.finish();
  await tick();
  assert.equal((await peer.bidi("01 02 01 61")).end, undefined);
  assert.equal(peer.code, undefined);
  // In whatever order they end: what still runs goes on to count.
  for (const { send } of streams) send!.finish();
  await tick();
  const again: RawStream[] = [];
  for (let i = 0; i < 5; i++) again.push(await peer.bidi("01 02 01 61"));
  await tick();
  const refused = again.filter(({ end }) => end === "reset 493");
  assert.equal(refused.length, 2, "one of the first round runs still");
});

Deno.test("who reads none of the announcements is kept 64 KiB of them, and hears what is true when it reads again", async () => {
  const at = testRelay({ maxMessageRate: 0 });
  const { client } = await join(at, 6);
  const [near, far] = memoryPair({ protocol: "moq-lite-06", windowBytes: 4096 });
  void at.relay.accept(far);
  const setup = await near.openUni();
  setup.write(hex("01 01 00"));
  setup.finish();
  const { send, receive } = await near.openBidi();
  send.write(hex("01 01 00"));
  await tick(3);
  for (let i = 0; i < 3000; i++) {
    client.publish(`flap/${i % 7}`.padEnd(500, "n")).close();
    if (i % 100 === 0) await tick();
  }
  client.publish("here");
  await tick(5);
  let bytes = 0;
  let last = "";
  const reading = (async () => {
    for (let chunk; (chunk = await receive.read());) {
      bytes += chunk.length;
      last = (last + new TextDecoder().decode(chunk)).slice(-2000);
    }
  })();
  await tick(50);
  assert.match(last, /here/);
  assert.ok(bytes > 1000 && bytes < 66_000, `${bytes} bytes`);
  near.close();
  await assert.rejects(reading, ConnectionClosed);
});

Deno.test("what is told at once counts as messages: who asks again and again waits for it", async () => {
  const at = testRelay({ maxMessageRate: 100 }); // 1,000 at once
  const { client } = await join(at, 6, {}, {});
  for (let i = 0; i < 400; i++) client.publish(`room/${i % 20}/${i}`);
  for (let i = 0; i < 20; i++) {
    await tick();
    at.clock.advance(1000);
  }
  await tick(3);
  assert.equal(at.relay.origin.size, 400);
  const peer = RawPeer.at(at, "moq-lite-06");
  await peer.uni("01 01 00", true);
  const streams: RawStream[] = [];
  for (const prefix of ["00", "05 2f 72 6f 6f 6d", "04 72 6f 6f 6d", "05 72 6f 6f 6d 2f"]) {
    streams.push(await peer.bidi(`01 0${prefix.split(" ").length} ${prefix}`));
  }
  await tick(3);
  const told = () => streams.filter(({ hex }) => hex.length > 1000).length;
  assert.equal(told(), 3);
  at.clock.advance(10_000);
  await tick(3);
  assert.equal(told(), 4);
});

Deno.test("ANNOUNCE_INIT with one path many times over is one announcement, and does not hold up others", async () => {
  const at = testRelay({ maxAnnouncements: 100 });
  const peer = RawPeer.at(at, "moql");
  await peer.bidi("20 00 0a 01 c0000000ff0dad02 00");
  const asked = await peer.nextBidi();
  // 60,000 entries: "", "1" and "2" in turn.
  const body = `80 00 ea 60 ${Array(20_000).fill("00 01 31 01 32").join(" ")}`;
  asked.say(`80 01 86 a4 ${body}`);
  await tick(5);
  assert.deepEqual([...at.relay.origin.broadcasts()].map(([path]) => path).sort(), ["", "1", "2"]);
});
