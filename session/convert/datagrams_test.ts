import assert from "node:assert/strict";
import fc from "fast-check";
import { OBJECT_LAYOUTS, properties } from "../../tests/support/fixtures/bridge.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { type DatagramObject, DEFAULT_TRACK_INFO, OWN_TRACK_INFO } from "../../relay/reading.ts";
import { decodeDatagram, encodeDatagram } from "../../wire/ietf/data/datagram.ts";
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import { decodeProperties, encodeProperties } from "../../wire/ietf/pairs.ts";
import { datagramFor, datagramTime, isFrame } from "./datagrams.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { trackPropertiesFor } from "./track_properties.ts";

const layouts = fc.constantFrom(...OBJECT_LAYOUTS);
const object = (layout: ObjectLayout, more: Partial<DatagramObject> = {}): DatagramObject => ({
  object: 3,
  properties: new Uint8Array(),
  layout,
  priority: 9,
  status: STATUS.normal,
  endOfGroup: true,
  ...more,
});

Deno.test("a datagram keeps its object in every layout", () => {
  fc.assert(fc.property(layouts, layouts, properties, (from, to, pairs) => {
    const raw = encodeProperties(pairs, profileFor(from)).slice();
    const shown = datagramFor(to, 0, OWN_TRACK_INFO, object(from, { properties: raw }))!;
    assert.deepEqual(decodeProperties(shown.properties.slice(), profileFor(to)), pairs);
    assert.deepEqual({ ...shown, properties: 0 }, { ...object(to), properties: 0 });
  }));
});

Deno.test("a datagram of moq-lite is object 0 with its timestamp; back it is the same", () => {
  const clock = new ManualClock();
  const info = { ...OWN_TRACK_INFO, timescale: 90_000 };
  for (const to of OBJECT_LAYOUTS) {
    const profile = profileFor(to);
    const shown = datagramFor(to, 45_000, info, undefined)!;
    const head = { ...shown, alias: 1, group: 2 };
    const read = decodeDatagram(encodeDatagram(head, Uint8Array.of(7), profile), profile)!;
    assert.deepEqual([read.object, read.status, read.endOfGroup, read.payload.length], [
      0,
      0,
      false,
      1,
    ]);
    assert.equal(
      datagramTime({ properties: read.properties, layout: to }, OWN_TRACK_INFO, clock),
      500_000,
    );
    assert.equal(datagramFor(to, 1, DEFAULT_TRACK_INFO, undefined)!.properties.length, 0);
    assert.equal(datagramTime(object(to), OWN_TRACK_INFO, clock), clock.wallMs() * 1000);
  }
});

Deno.test("a status that a draft does not have is not sent; peers of moq-lite are shown object 0 only", () => {
  const gone = object("objects14", { status: STATUS.doesNotExist });
  assert.equal(datagramFor("objects16", 0, OWN_TRACK_INFO, gone), undefined);
  const broken = object("objects14", { properties: Uint8Array.of(0xff) });
  assert.equal(datagramFor("objects16", 0, OWN_TRACK_INFO, broken), undefined);
  const raw = encodeProperties([{ type: 2, value: 3 }], profileFor("objects14")).slice();
  const end = object("objects14", { status: STATUS.endOfGroup, properties: raw });
  assert.equal(datagramFor("objects18", 0, OWN_TRACK_INFO, end)!.properties.length, 0);
  assert.equal(datagramFor("objects14", 0, OWN_TRACK_INFO, end), end);
  const shown = [undefined, object("objects16"), object("objects16", { object: 0 }), {
    ...end,
    object: 0,
  }];
  assert.deepEqual(shown.map(isFrame), [true, false, true, false]);
});

Deno.test("a track's properties are its publisher's; of one of moq-lite they tell the units of timestamps", () => {
  const pairs = [{ type: 2, value: 3 }, { type: 0x0d, value: Uint8Array.of(1) }];
  for (const to of OBJECT_LAYOUTS) {
    const read = (bytes: Uint8Array) => decodeProperties(bytes, profileFor(to));
    const units = to === "objects18" ? [{ type: 8, value: 1_000_000 }] : [];
    assert.deepEqual(read(trackPropertiesFor(to, OWN_TRACK_INFO)), units);
    assert.deepEqual(read(trackPropertiesFor(to, DEFAULT_TRACK_INFO)), []);
    for (const layout of OBJECT_LAYOUTS) {
      const bytes = encodeProperties(pairs, profileFor(layout)).slice();
      const info = { ...OWN_TRACK_INFO, properties: { bytes, layout } };
      assert.deepEqual(read(trackPropertiesFor(to, info)), pairs);
    }
  }
});
