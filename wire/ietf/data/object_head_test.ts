import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../../errors.ts";
import { type Draft, type Profile, profileOf, PROFILES } from "../profile.ts";
import {
  MAX_OBJECT_PROPERTY_BYTES,
  ObjectHeads,
  objectHeadSize,
  putObjectHead,
  STATUS,
} from "./object_head.ts";
import { readStreamHead } from "./stream_head.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

interface Seen {
  readonly id: number;
  readonly properties: string;
  readonly status: number;
  readonly payload: string;
}

/** Reads whole objects; the bytes are all there. */
function read(bytes: Uint8Array, profile: Profile, properties: boolean): Seen[] {
  const heads = new ObjectHeads(profile, properties);
  const seen: Seen[] = [];
  for (let at = 0; at < bytes.length;) {
    const behind = heads.next(bytes, at, bytes.length);
    assert.ok(behind > at, "a whole head");
    seen.push({
      id: heads.id,
      properties: bytes.subarray(heads.propertiesAt, heads.propertiesEnd).toHex(),
      status: heads.status,
      payload: bytes.subarray(behind, at = behind + heads.payloadLength).toHex(),
    });
  }
  return seen;
}

/** Streams as aiomoqt writes them: header, then an object with properties, a gap, an empty one, the end of the group. */
const VECTORS: readonly (readonly [readonly Draft[], string, string])[] = [
  [
    [14],
    "1107038000081070390d036366670461626364404500037878780000000000000003",
    "1070390d03636667",
  ],
  [
    [16],
    "1107038000080d036366670370390461626364404500037878780000000000000003",
    "0d03636667037039",
  ],
  [
    [18, 20, 22],
    "5107038000080d0363666703b03904616263644500037878780000000000000003",
    "0d0363666703b039",
  ],
];
for (const [drafts, text, properties] of VECTORS) {
  for (const draft of drafts) {
    Deno.test(`draft ${draft}: objects of a subgroup are read from the bytes of aiomoqt`, () => {
      const profile = profileOf(draft);
      const bytes = hex(text);
      const head = readStreamHead(bytes, profile)!;
      assert.ok(head.kind === "subgroup" && head.header.properties);
      assert.deepEqual(read(bytes.subarray(head.length), profile, true), [
        { id: 0, properties, status: STATUS.normal, payload: "61626364" },
        { id: 70, properties: "", status: STATUS.normal, payload: "787878" },
        { id: 71, properties: "", status: STATUS.normal, payload: "" },
        { id: 72, properties: "", status: STATUS.endOfGroup, payload: "" },
      ]);
    });
  }
}

Deno.test("objects without properties: the examples of the notes", () => {
  for (const profile of PROFILES) {
    assert.deepEqual(read(hex("000461626364 00026566 030167"), profile, false), [
      { id: 0, properties: "", status: 0, payload: "61626364" },
      { id: 1, properties: "", status: 0, payload: "6566" },
      { id: 5, properties: "", status: 0, payload: "67" },
    ]);
  }
});

interface Written {
  readonly skip: number;
  readonly properties: Uint8Array;
  readonly payload: Uint8Array;
  readonly status: number;
}
const object = (profile: Profile): fc.Arbitrary<Written> =>
  fc.record({
    skip: fc.oneof(fc.nat({ max: 3 }), fc.nat()),
    properties: fc.uint8Array({ maxLength: 5 }),
    payload: fc.uint8Array({ maxLength: 70 }),
    status: fc.constantFrom(...profile.statuses),
  }).map((o) =>
    o.status === 0 ? o : {
      ...o,
      payload: new Uint8Array(),
      properties: profile.statusWithProperties ? o.properties : new Uint8Array(),
    }
  );

function write(objects: readonly Written[], profile: Profile, has: boolean): Uint8Array {
  const parts: number[] = [];
  for (const { skip, properties, payload, status } of objects) {
    const raw = has ? properties : undefined;
    const size = objectHeadSize(profile.varints, skip, raw, payload.length, status);
    const head = new Uint8Array(size);
    assert.equal(
      putObjectHead(head, 0, profile.varints, skip, raw, payload.length, status),
      size,
    );
    parts.push(...head, ...payload);
  }
  return Uint8Array.from(parts);
}

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: objects survive a round trip, in pieces of any size`, () => {
    const objects = fc.array(object(profile), { maxLength: 6 });
    fc.assert(
      fc.property(objects, fc.boolean(), fc.integer({ min: 1, max: 9 }), (objects, has, piece) => {
        const bytes = write(objects, profile, has);
        let id = -1;
        const expected = objects.map((o) => ({
          id: id += o.skip + 1,
          properties: has ? o.properties.toHex() : "",
          status: o.status,
          payload: o.payload.toHex(),
        }));
        assert.deepEqual(read(bytes, profile, has), expected);

        // A window that grows: what is not whole changes nothing.
        const heads = new ObjectHeads(profile, has);
        const ids: number[] = [];
        for (let at = 0, end = 0; at < bytes.length; end = Math.min(end + piece, bytes.length)) {
          for (;;) {
            const before = heads.id;
            const behind = heads.next(bytes, at, end);
            if (behind < 0) {
              assert.equal(heads.id, before);
              break;
            }
            assert.ok(behind <= end);
            ids.push(heads.id);
            at = behind + heads.payloadLength;
          }
        }
        assert.deepEqual(ids, expected.map(({ id }) => id));
      }),
    );
  });

  Deno.test(`${profile.name}: the heads of objects only ever throw ProtocolViolation, whatever the bytes`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, has) => {
      const heads = new ObjectHeads(profile, has);
      try {
        for (let at = 0; at >= 0 && at <= bytes.length;) {
          const behind = heads.next(bytes, at, bytes.length);
          if (behind < 0) break;
          assert.ok(behind > at && behind <= bytes.length);
          at = behind + heads.payloadLength;
        }
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  });

  Deno.test(`${profile.name}: an unknown status and an id above 2^53-1 are refused`, () => {
    const at = (text: string, has = false) =>
      new ObjectHeads(profile, has).next(hex(text), 0, text.length / 2);
    assert.throws(() => at("000002"), /unknown status 2/);
    assert.equal(at("000004"), 3);
    if (profile.statuses.includes(1)) assert.equal(at("000001"), 3);
    else assert.throws(() => at("000001"), /unknown status 1/);
    if (profile.statusWithProperties) assert.equal(at("000202000003", true), 6);
    else assert.throws(() => at("000202000003", true), /properties with status 3/);

    const largest = new Uint8Array(20);
    const behind = putObjectHead(largest, 0, profile.varints, 2 ** 53 - 1, undefined, 1);
    const heads = new ObjectHeads(profile, false);
    assert.equal(heads.next(largest, 0, behind), behind);
    assert.equal(heads.id, 2 ** 53 - 1);
    assert.throws(() => heads.next(hex("0001"), 0, 2), /id above 2\^53-1/);
  });

  Deno.test(`${profile.name}: more bytes of properties than allowed are refused before they come`, () => {
    const head = new Uint8Array(9);
    const end = profile.varints.put(head, 1, MAX_OBJECT_PROPERTY_BYTES + 1);
    assert.throws(() => new ObjectHeads(profile, true).next(head, 0, end), ProtocolViolation);
    const most = profile.varints.put(head, 1, MAX_OBJECT_PROPERTY_BYTES);
    assert.equal(new ObjectHeads(profile, true).next(head, 0, most), -1);
  });
}
