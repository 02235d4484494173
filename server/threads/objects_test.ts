import assert from "node:assert/strict";
import { counting, FakeReader } from "../../tests/support/fixtures/relay.ts";
import { Nodes, reading } from "../../tests/support/fixtures/nodes.ts";
import { objects, ObjectWriter } from "../../tests/support/fixtures/objects.ts";
import { until } from "../../tests/support/fixtures/http.ts";
import type { TrackInfo } from "../../relay/reading.ts";
import type { Track } from "../../relay/track.ts";

const TOLD: TrackInfo = {
  priority: 3,
  maxAgeMs: 700,
  timescale: 1_000_000,
  properties: { bytes: counting(100).subarray(7, 10), layout: "objects16" },
};
const REQUEST = { priority: 1, maxLatencyMs: 0 };

/** What a new reader finds when the track is known to it. */
async function found(track: Track) {
  const reader = new FakeReader(REQUEST, "objects16");
  const { promise, resolve } = Promise.withResolvers<void>();
  reader.whenKnown = resolve;
  track.add(reader);
  await promise;
  return { info: track.info, largest: track.largest };
}

Deno.test("the facts of a track reach readers at another node, also those that come when it is known already", async () => {
  using nodes = new Nodes(3);
  const { source, track } = await reading(nodes, REQUEST, "kept");
  source.last.sink.accepted({ info: TOLD, largest: { group: 5, object: 2 } });
  assert.deepEqual(await found(track), { info: TOLD, largest: { group: 5, object: 2 } });
  const writer = new ObjectWriter(source.last.sink.openGroup(6, 0, objects(0))!);
  writer.object({ id: 2 ** 33, payload: counting(9) });
  const largest = { group: 6, object: 2 ** 33 };
  await until(() => track.largest?.group === 6);
  assert.deepEqual(track.largest, largest);
  const late = nodes.all[2]!.origin.find("p")!.track("p", "t");
  assert.deepEqual(await found(late), { info: TOLD, largest });
  assert.deepEqual(await nodes.all[2]!.origin.find("p")!.trackInfo("p", "t"), TOLD);
});
