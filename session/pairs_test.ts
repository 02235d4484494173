import assert from "node:assert/strict";
import type { MemoryPairOptions } from "../transport/memory/memory.ts";
import type { LiteVersion } from "../wire/lite/dialect.ts";
import { join, lite, testRelay, tick, VERSIONS, Viewer } from "./peers_test.ts";

const WAYS: readonly [name: string, pair: MemoryPairOptions][] = [
  ["whole chunks", {}],
  ["one byte at a time", { readBytes: 1 }],
  ["no resets", { canReset: false }],
  ["no resets, one byte at a time", { canReset: false, readBytes: 1 }],
];

/** One life of a broadcast: published by one version, watched by another. */
async function live(from: LiteVersion, to: LiteVersion, pair: MemoryPairOptions): Promise<void> {
  const at = testRelay();
  const publisher = await join(at, from, pair);
  const viewer = await join(at, to, pair);
  const heard = viewer.client.announced();

  const broadcast = publisher.client.publish("room/alice");
  const track = broadcast.track("video");
  await tick();
  const active = await heard.next();
  assert.deepEqual([active?.path, active?.active], ["room/alice", true]);

  { // A late joiner gets the group that is under way from its first frame.
    const early = track.group();
    early.write("a0", 1000);
    early.write("a1", 990); // timestamps may go back
    const watch = new Viewer(viewer.client.subscribe("room/alice", "video"));
    await tick();
    assert.equal(watch.text(0), "a0,a1");
    early.write("a2", 1040);
    await tick();
    assert.equal(watch.text(0), "a0,a1,a2");
    assert.deepEqual(watch.whole, []);
    early.close();
    await tick();
    assert.deepEqual(watch.whole, [0]);

    track.write("b0", 2000);
    await tick();
    assert.deepEqual(watch.whole, [0, 1]);
    const stamps = watch.timestamps.get(0)!;
    if (from >= 5 && to >= 5) assert.deepEqual(stamps, [1000, 990, 1040]);
    else assert.deepEqual(stamps, Array(3).fill(at.clock.wallMs()));

    if (lite(to).fetch !== undefined) {
      const group = await viewer.client.fetch("room/alice", "video", 0);
      const frames: string[] = [];
      for await (const { payload } of group) frames.push(new TextDecoder().decode(payload));
      assert.equal(frames.join(), "a0,a1,a2");
      await assert.rejects(
        viewer.client.fetch("room/alice", "video", 99),
        { code: "QUMO_NOT_FOUND" },
      );
    }

    track.close();
    await tick();
    at.clock.advance(1000); // up to 04 nobody says which group is the last: some time is left for it
    await tick();
    at.clock.advance(1000);
    await tick();
    assert.equal(watch.end, "ended");
    assert.deepEqual(watch.cut, []);
    if (from >= 5 && to >= 5) assert.equal(watch.subscription.endGroup, 2);
  }

  broadcast.close();
  await tick();
  const ended = await heard.next();
  assert.deepEqual([ended?.path, ended?.active], ["room/alice", false]);

  await publisher.client.close();
  await viewer.client.close();
  await tick();
  assert.equal(at.relay.sessionCount, 0);
  for (const end of [publisher.near, publisher.far, viewer.near, viewer.far]) {
    assert.deepEqual(end.openStreams, { sending: 0, receiving: 0 });
  }
  await at.relay.close();
}

for (const from of VERSIONS) {
  for (const to of VERSIONS) {
    Deno.test(`published on 0${from}, watched on 0${to}`, async (t) => {
      for (const [name, pair] of WAYS) {
        await t.step(name, () => live(from, to, pair));
      }
    });
  }
}
