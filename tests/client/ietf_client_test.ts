import assert from "node:assert/strict";
import type { TrackProducer } from "../../client/mod.ts";
import { launch, type Launched, until } from "../support/server.ts";

const payload = (group: number, frame: number) => {
  const bytes = new Uint8Array(frame * 500 + 3);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (group * 31 + frame * 7 + i) & 0xff;
  return bytes;
};
const T0 = 1_700_000_000_000;

/** Five groups of four frames from one client to the other, each of its own version. */
async function carry(relay: Launched, from: string, to: string, scheme: "moqt" | "https") {
  await using publisher = await relay.client(scheme, { versions: [from] });
  await using viewer = await relay.client(scheme, { versions: [to] });
  assert.deepEqual([publisher.version, viewer.version], [from, to]);
  const path = `${from}/${to}`;
  const announced = viewer.announced(path);
  const told = announced.next();
  const broadcast = publisher.publish(path);
  const track = broadcast.track("video", { timescale: 1000 });
  const written = write(track);
  assert.equal((await told)?.path, path);
  using subscription = viewer.subscribe(path, "video");
  /** Without timestamps, and without a word for the end of a track: that takes seconds. */
  const isOld = /lite-0[1-4]/.test(from + to);
  const groups: number[] = [];
  for await (const group of subscription) {
    groups.push(group.sequence);
    let frame = 0;
    for await (const { payload: got, timestamp } of group) {
      assert.deepEqual(got, payload(group.sequence, frame), `${group.sequence}/${frame}`);
      if (!isOld) {
        const at = (T0 + group.sequence * 1000 + frame * 40) * (subscription.info.timescale / 1000);
        assert.equal(timestamp, at);
      }
      // Where streams cannot be reset, the end of a group may be known only with the next one.
      if (++frame === 4) written.more();
    }
    assert.equal(frame, 4);
    if (isOld && group.sequence === 4) break;
  }
  assert.deepEqual(groups, groups.map((_, i) => groups[0]! + i));
  assert.equal(groups.at(-1), 4);
}

/** The first group once somebody reads, each other one when it is asked for. */
function write(track: TrackProducer) {
  let next = 0;
  const more = () => {
    if (next === 5) return track.close();
    const group = track.group(next);
    for (let frame = 0; frame < 4; frame++) {
      group.write(payload(next, frame), T0 + next * 1000 + frame * 40);
    }
    group.close();
    next++;
  };
  track.onsubscribed = (any) => {
    if (any && next === 0) queueMicrotask(more);
  };
  return { more };
}

const SIXTEEN = "moq-transport-16";
const EIGHTEEN = "moq-transport-18";
const PAIRS = [
  [SIXTEEN, SIXTEEN],
  [EIGHTEEN, EIGHTEEN],
  [SIXTEEN, EIGHTEEN],
  [EIGHTEEN, SIXTEEN],
  ["moq-transport-14", "moq-transport-22"],
  ["moq-lite-06", EIGHTEEN],
  [EIGHTEEN, "moq-lite-06"],
  ["moq-lite-05", SIXTEEN],
  [SIXTEEN, "moq-lite-05"],
  ["moq-lite-04", "moq-transport-14"],
  ["moq-transport-14", "moq-lite-03"],
] as const;

for (const workers of ["1", "2"]) {
  Deno.test(`groups and frames cross from every protocol to every other by the library, byte for byte; workers: ${workers}`, async (t) => {
    await using relay = await launch({ flags: { "server.workers": workers } });
    for (const [from, to] of PAIRS) {
      await t.step(`${from} -> ${to}`, () => carry(relay, from, to, "moqt"));
    }
    for (const [from, to] of [[EIGHTEEN, SIXTEEN], ["moq-lite-06", EIGHTEEN]] as const) {
      await t.step(`${from} -> ${to} by WebTransport`, () => carry(relay, from, to, "https"));
    }
  });
}

Deno.test("a group that was written before anybody came is there for whoever comes, from and to every protocol", async (t) => {
  await using relay = await launch();
  for (const [from, to] of [["moq-transport-14", "moq-lite-06"], ...PAIRS] as const) {
    await t.step(`${from} -> ${to}`, async () => {
      await using publisher = await relay.client("moqt", { versions: [from] });
      await using viewer = await relay.client("moqt", { versions: [to] });
      const track = publisher.publish(`still/${from}/${to}`).track("catalog.json");
      track.write("static");
      using subscription = viewer.subscribe(`still/${from}/${to}`, "catalog.json");
      using group = (await subscription.group())!;
      assert.equal(new TextDecoder().decode((await group.frame())!.payload), "static");
    });
  }
});

Deno.test("a viewer may begin with a group that the relay has kept, in every protocol", async (t) => {
  await using relay = await launch();
  await using publisher = await relay.client("moqt", { versions: [EIGHTEEN] });
  await using keeper = await relay.client();
  const track = publisher.publish("kept").track("audio");
  using keeping = keeper.subscribe("kept", "audio");
  await until(() => track.subscribers > 0, "the relay to subscribe");
  for (let i = 0; i < 60; i++) {
    track.write(`${i}`);
    (await keeping.group())!.close();
  }
  for (
    const version of ["moq-transport-14", SIXTEEN, EIGHTEEN, "moq-transport-22", "moq-lite-06"]
  ) {
    await t.step(version, async () => {
      await using viewer = await relay.client("moqt", { versions: [version] });
      using subscription = viewer.subscribe("kept", "audio", {
        startGroup: 10,
        maxLatencyMs: 60_000,
      });
      const seen = new Set<number>();
      while (seen.size < 50) {
        using group = (await subscription.group())!;
        const { payload } = (await group.frame())!;
        assert.equal(new TextDecoder().decode(payload), `${group.sequence}`);
        seen.add(group.sequence);
      }
      assert.deepEqual([Math.min(...seen), Math.max(...seen)], [10, 59]);
    });
  }
});
