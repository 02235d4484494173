import assert from "node:assert/strict";
import type { StreamReset } from "../transport/errors.ts";
import { type MemoryConnection, memoryPair } from "../transport/memory/memory.ts";
import type { MemoryReceive } from "../transport/memory/memory_stream.ts";
import { FakeSource } from "../tests/support/fixtures/relay.ts";
import {
  hex,
  join,
  lite,
  RawPeer,
  type RawStream,
  type TestRelay,
  testRelay,
  tick,
  Viewer,
} from "./peers_test.ts";

/** A peer of lite-06 that publishes broadcast a, and is asked for its tracks. */
async function rawPublisher(at: TestRelay): Promise<RawPeer> {
  const publisher = RawPeer.at(at, "moq-lite-06");
  await publisher.uni("01 05 01 05 02 43 e8", true);
  (await publisher.nextBidi()).say('03 43 e8 01 00 05 01 "a" 00 00 00');
  await tick();
  return publisher;
}

async function rawViewer(at: TestRelay, protocol = "moq-lite-06", windowBytes?: number) {
  const viewer = RawPeer.at(at, protocol, windowBytes === undefined ? {} : { windowBytes });
  await viewer.uni("01 01 00", true);
  await viewer.nextUni(); // SETUP
  return viewer;
}

/** The send order that the relay gave a stream. */
const orderOf = (stream: RawStream) => (stream.receive as MemoryReceive).from.sendOrder;

/** SUBSCRIBE of lite-06 to a one-letter track of broadcast a. */
const subscribe06 = (id: string, track: string, rest = "00 00 00 00 00 00") =>
  `02 ${rest.split(" ").length === 6 ? "0b" : "0c"} ${id} 01 "a" 01 "${track}" ${rest}`;

Deno.test("a viewer who cannot be told gets no group without its beginning, and hears of the first it gets", async () => {
  for (
    const [protocol, subscribe] of [
      ["moq-lite-05", '02 0b 01 01 "a" 01 "v" 00 00 53 88 00 00'],
      ["moq-lite-06", subscribe06("01", "v", "00 53 88 00 00 00 00")],
    ] as const
  ) {
    const at = testRelay();
    const publisher = await rawPublisher(at);
    const viewer = await rawViewer(at, protocol);
    const asked = await viewer.bidi(subscribe);
    await tick();
    publisher.bidis.at(-1)!.say("00 01 05"); // START 5
    await publisher.uni('00 03 00 05 03 00 02 "hi"', true); // group 5 from frame 3
    await tick();
    assert.deepEqual(viewer.unis, [], protocol);
    await asked.hears("");
    await publisher.uni('00 03 00 06 00 00 02 "ho"', true);
    await asked.hears("00 01 06");
    const tail = protocol === "moq-lite-06" ? "00" : "";
    const head = protocol === "moq-lite-06" ? "00 03" : "00 02";
    await (await viewer.nextUni()).hears(`${head} 01 06 ${tail} 00 02 "ho"`, "fin");
    await publisher.uni('00 03 00 07 01 00 02 "hu"', true);
    await tick();
    assert.deepEqual(viewer.unis, [], protocol);
    assert.equal(viewer.code, undefined);
    await at.relay.close();
  }
});

Deno.test("the rest of a group goes to who asked for it from there on, and not to who asked for more", async () => {
  const at = testRelay();
  const publisher = await rawPublisher(at);
  const viewer = await rawViewer(at);
  await viewer.bidi(subscribe06("01", "v", "00 00 05 00 03 00")); // group 5 from frame 3
  await viewer.bidi(subscribe06("02", "v", "00 00 05 00 04 00")); // from frame 4
  await viewer.bidi(subscribe06("03", "v", "00 00 05 00 02 00")); // from frame 2, which is not there
  await tick();
  await publisher.uni('00 03 00 05 03 00 02 "hi" 00 02 "ho"', true);
  await (await viewer.nextUni()).hears('00 03 01 05 03 00 02 "hi" 00 02 "ho"', "fin");
  await (await viewer.nextUni()).hears('00 03 02 05 04 00 02 "ho"', "fin");
  assert.deepEqual(viewer.unis, []);
  await at.relay.close();
});

Deno.test("a version that cannot tell a group's first frame refuses to encode one", () => {
  const head = { subscribe: 1, sequence: 5, startFrame: 3 };
  for (const version of [1, 5] as const) {
    assert.throws(() => lite(version).group.encode(head), RangeError);
    lite(version).group.encode({ ...head, startFrame: 0 });
  }
  lite(6).group.encode(head);
});

Deno.test("of tracks of equal priority the older subscription goes first, whatever their groups are called", async () => {
  const at = testRelay();
  const { client } = await join(at, 6);
  const broadcast = client.publish("a");
  const [audio, video] = [broadcast.track("s"), broadcast.track("v")];
  const viewer = await rawViewer(at);
  for (const [id, track] of [["01", "s"], ["02", "v"]] as const) {
    await viewer.bidi(subscribe06(id, track));
    await tick();
  }
  const orders: number[] = [];
  const next = async () => {
    await tick();
    orders.push(...viewer.unis.splice(0).map(orderOf));
  };
  for (const sequence of [1, 2, 2 ** 22 - 1, 2 ** 22]) { // small, and where 22 bits end
    const group = video.group(1_000_000_000_000_000 + sequence * 33_333);
    group.write("video");
    const other = audio.group(sequence);
    other.write("audio");
    await next();
    group.close();
    other.close();
    await tick();
  }
  assert.equal(orders.length, 8);
  const [videos, audios] = [0, 1].map((at) => orders.filter((_, i) => i % 2 === at)) as [
    number[],
    number[],
  ];
  assert.ok(Math.min(...audios) > Math.max(...videos), "the older subscription first, always");
  for (const one of [audios, videos]) assert.deepEqual(one, one.toSorted((a, b) => a - b));
  assert.equal(new Set(orders).size, 8, "within each the newer first");
  await at.relay.close();
});

Deno.test("what answers a SUBSCRIBE goes before all groups", async () => {
  const at = testRelay();
  const { client } = await join(at, 6);
  const track = client.publish("a").track("v");
  const viewer = await rawViewer(at);
  const asked = await viewer.bidi(subscribe06("01", "v", "ff 00 00 00 00 00"));
  await tick();
  track.group(1).write("one");
  await tick();
  assert.ok(orderOf(asked) > orderOf(viewer.unis[0]!));
  await at.relay.close();
});

Deno.test("a changed priority moves the groups that are on their way", async () => {
  const at = testRelay();
  const { client } = await join(at, 6);
  const broadcast = client.publish("a");
  const [first, second] = [broadcast.track("s"), broadcast.track("v")];
  const viewer = await rawViewer(at);
  await viewer.bidi(subscribe06("01", "s"));
  await tick();
  const asked = await viewer.bidi(subscribe06("02", "v"));
  await tick();
  first.group(1).write("one");
  await tick();
  second.group(1).write("two");
  await tick();
  const [one, two] = viewer.unis as [RawStream, RawStream];
  assert.ok(orderOf(one) > orderOf(two));
  asked.say("06 07 00 00 00 00 00"); // SUBSCRIBE_UPDATE: priority 7
  await tick();
  assert.ok(orderOf(one) < orderOf(two));
  await at.relay.close();
});

/** A viewer without any code of ours that takes streams only when it is told to. */
class Reader {
  private constructor(readonly connection: MemoryConnection) {}

  static async at({ relay }: TestRelay, protocol: string, subscribe: string): Promise<Reader> {
    const [near, far] = memoryPair({ protocol, windowBytes: 64 });
    void relay.accept(far);
    const setup = await near.openUni();
    setup.write(hex("01 01 00"));
    setup.finish();
    (await near.openBidi()).send.write(hex(subscribe));
    await near.acceptUni().then((theirs) => theirs!.read());
    await tick();
    return new Reader(near);
  }

  /** The next stream. @returns What reads it to its end. */
  async next(): Promise<() => Promise<string>> {
    const stream = (await this.connection.acceptUni())!;
    return async () => {
      try {
        while (await stream.read() !== undefined);
        return "whole";
      } catch (error) {
        return `reset ${(error as StreamReset).peerCode}`;
      }
    };
  }
}

Deno.test("a group that sticks is cut as soon as there is a newer one for who wants no older", async () => {
  for (
    const [protocol, subscribe, cut] of [
      ["moq-lite-06", subscribe06("01", "v"), true],
      ["moq-lite-05", '02 0a 01 01 "a" 01 "v" 00 00 00 00 00', true],
      ["moq-lite-06", subscribe06("01", "v", "00 53 88 00 00 00 00"), false], // 5 s
      ["moq-lite-05", '02 0b 01 01 "a" 01 "v" 00 00 53 88 00 00', false],
    ] as const
  ) {
    const at = testRelay();
    const { client } = await join(at, 6, {}, { groupCacheSize: 100 });
    const track = client.publish("a").track("v");
    await tick();
    const viewer = await Reader.at(at, protocol, subscribe);
    const write = async () => {
      track.write(new Uint8Array(1000));
      await tick();
      at.clock.advance(1050);
    };
    await write();
    const first = await viewer.next();
    await write();
    assert.equal(await first(), cut ? "reset 2" : "whole", `${protocol} ${subscribe}`);
    await at.relay.close();
  }
});

Deno.test("a viewer who wants no older group than the newest misses none on a sound network", async () => {
  for (const version of [4, 5, 6] as const) {
    const at = testRelay();
    const { client } = await join(at, 6, {}, { groupCacheSize: 200 });
    const track = client.publish("a").track("v");
    await tick();
    // Each write of 1,000 bytes is blocked for a while, and several groups are on their way at once.
    const viewer = await join(at, version, { windowBytes: 64 });
    const watch = new Viewer(viewer.client.subscribe("a", "v", { maxLatencyMs: 0 }));
    await tick();
    for (let i = 0; i < 100; i++) {
      track.write(new Uint8Array(1000));
      if (i % 3 === 0) await tick();
      at.clock.advance(5);
    }
    await tick(3);
    assert.equal(watch.whole.length, 100, `version ${version}`);
    assert.equal(at.relay.stats.groupsCutOut + at.relay.stats.groupsSkipped, 0);
    await at.relay.close();
  }
});

Deno.test("before 05 a subscription is agreed to when the track is known to be there, and else refused", async () => {
  for (const [version, ok] of [[4, "00 05 07 00 00 00 00"], [3, "00 05 07 00 00 00 00"]] as const) {
    const at = testRelay();
    const publisher = await join(at, 6);
    publisher.client.publish("a").track("v"); // has no group yet
    await tick();
    const viewer = RawPeer.at(at, `moq-lite-0${version}`);
    const nothing = await viewer.bidi('02 0b 01 02 "/a" 01 "x" 07 00 00 00 00');
    await nothing.hears("", "reset 51");
    const empty = await viewer.bidi('02 0b 02 02 "/a" 01 "v" 07 00 00 00 00');
    await empty.hears(ok);
    const more = await viewer.bidi('02 0b 03 02 "/a" 01 "v" 07 00 00 00 00');
    await more.hears(ok);
    await at.relay.close();
  }
});

Deno.test("a viewer gets a track that its publisher offers a moment after another one, and no other", async () => {
  const at = testRelay();
  const source = new FakeSource("single tracks");
  const published = at.relay.origin.announce("a", source, {
    ...{ hops: [5n, 0n], warm: 0, cold: 0 },
    ...{ onlyTracks: true, tracks: new Set(["u"]) },
  })!;
  const viewer = await rawViewer(at);
  const info = await viewer.bidi('06 04 01 "a" 01 "v"');
  const asked = await viewer.bidi(subscribe06("01", "v", "00 53 88 00 00 00 00"));
  const other = await viewer.bidi(subscribe06("02", "w", "00 53 88 00 00 00 00"));
  const below = await viewer.bidi('06 06 03 "a/b" 01 "v"');
  await below.hears("", "reset 54");
  await asked.hears("");
  published.offer("v");
  await tick();
  source.last.group(7);
  await asked.hears("00 01 07");
  await info.hears("05 7f 53 88 43 e8", "fin");
  await other.hears("");
  at.clock.advance(2000);
  await other.hears("", "reset 54");
});
