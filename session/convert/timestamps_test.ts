import assert from "node:assert/strict";
import fc from "fast-check";
import { OBJECT_LAYOUTS } from "../../tests/support/fixtures/bridge.ts";
import { OWN_TRACK_INFO, type TrackInfo } from "../../relay/reading.ts";
import { encodeProperties, type Pair } from "../../wire/ietf/pairs.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { ObjectTimes, rescaled, timescaleOf, TimestampWriter } from "./timestamps.ts";

const encoded = (pairs: readonly Pair[], layout: ObjectLayout) =>
  encodeProperties(pairs, profileFor(layout)).slice();

function read(pairs: readonly Pair[], timescale = 1_000_000, layout: ObjectLayout = "objects18") {
  const bytes = encoded(pairs, layout);
  return new ObjectTimes(profileFor(layout)).read(bytes, 0, bytes.length, timescale);
}

Deno.test("a time keeps its value in other units, rounded to the nearest", () => {
  assert.equal(rescaled(90_000, 90_000, 1_000_000), 1_000_000);
  assert.equal(rescaled(1, 90_000, 1_000_000), 11);
  assert.equal(rescaled(1_763_000_000_123, 1000, 1_000_000), 1_763_000_000_123_000);
  assert.equal(rescaled(1_763_000_000_123_456_789, 1e9, 1_000_000), 1_763_000_000_123_457);
  fc.assert(fc.property(fc.nat({ max: 2 ** 40 }), fc.integer({ min: 1, max: 1e6 }), (t, scale) => {
    assert.equal(rescaled(rescaled(t, scale, 1_000_000), 1_000_000, scale), t);
  }));
});

Deno.test("the timestamp of an object is in microseconds, or in what its track or itself says", () => {
  assert.equal(read([{ type: 0x10, value: 5 }]), 5);
  assert.equal(read([{ type: 0x06, value: 5 }]), 5);
  assert.equal(read([{ type: 0x06, value: 4 }, { type: 0x10, value: 5 }]), 5);
  assert.equal(read([{ type: 0x10, value: 90 }], 90_000), 1000);
  assert.equal(read([{ type: 0x06, value: 2 }, { type: 0x08, value: 1000 }], 90_000), 2000);
  assert.equal(read([{ type: 0x08, value: 0 }, { type: 0x10, value: 7 }]), 7);
  assert.equal(read([{ type: 0x02, value: 7 }, { type: 0x0d, value: Uint8Array.of(1) }]), -1);
  assert.equal(read([]), -1);
  assert.equal(read([{ type: 0x10, value: 2n ** 60n }]), -1, "no number holds it");
  for (const layout of OBJECT_LAYOUTS) {
    const value = encoded([{ type: 0x08, value: 1000 }, { type: 0x10, value: 3 }], layout);
    assert.equal(read([{ type: 0x0b, value }], 1, layout), 3000, "in immutable properties");
  }
});

Deno.test("ObjectTimes.read() throws nothing, whatever the bytes", () => {
  fc.assert(fc.property(fc.constantFrom(...OBJECT_LAYOUTS), fc.uint8Array(), (layout, bytes) => {
    const time = new ObjectTimes(profileFor(layout)).read(bytes, 0, bytes.length, 1000);
    assert.ok(Number.isSafeInteger(time) && time >= -1);
  }));
});

Deno.test("the units of a track's timestamps stand in its properties", () => {
  const info = (pairs: readonly Pair[], layout: ObjectLayout): TrackInfo => ({
    ...OWN_TRACK_INFO,
    properties: { bytes: encoded(pairs, layout), layout },
  });
  for (const layout of OBJECT_LAYOUTS) {
    const pairs = [{ type: 2, value: 3 }, { type: 8, value: 48_000 }];
    assert.equal(timescaleOf(info(pairs, layout)), 48_000);
    assert.equal(timescaleOf(info([{ type: 8, value: 0 }], layout)), 1_000_000);
  }
  assert.equal(timescaleOf(OWN_TRACK_INFO), 1_000_000);
  const broken = { bytes: Uint8Array.of(0xff), layout: "objects16" } as const;
  assert.equal(timescaleOf({ ...OWN_TRACK_INFO, properties: broken }), 1_000_000);
});

Deno.test("what is written is read again; up to draft 16 under the type that players of those know", () => {
  for (const layout of OBJECT_LAYOUTS) {
    const writer = new TimestampWriter(layout);
    const info = { ...OWN_TRACK_INFO, timescale: 90_000 };
    const bytes = writer.properties(180_000, info);
    const type = layout === "objects18" ? 0x10 : 0x06;
    assert.deepEqual(bytes.slice(), encoded([{ type, value: 2_000_000 }], layout));
    const times = new ObjectTimes(profileFor(layout));
    assert.equal(times.read(bytes, 0, bytes.length, 1_000_000), 2_000_000);
    assert.equal(writer.properties(1, { ...info, untimed: true }).length, 0);
    assert.equal(writer.properties(2 ** 60, { ...info, timescale: 1 }).length, 0);
  }
});
