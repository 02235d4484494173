import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../../errors.ts";
import { type Draft, profileOf, PROFILES } from "../profile.ts";
import {
  encodeFetchHeader,
  encodeSubgroupHeader,
  MAX_STREAM_HEAD_BYTES,
  readStreamHead,
  type SubgroupHeader,
} from "./stream_head.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

const plain: SubgroupHeader = {
  alias: 7,
  group: 3,
  subgroup: 0,
  priority: 128,
  properties: false,
  endOfGroup: false,
  firstObject: undefined,
};
const other = { ...plain, alias: 300, subgroup: 2, properties: true, endOfGroup: true };

/** As aiomoqt writes them. */
const VECTORS: readonly (readonly [readonly Draft[], SubgroupHeader, string])[] = [
  [[14, 15, 16, 17], plain, "14 07 03 00 80"],
  [[18, 19, 20, 21, 22], { ...plain, firstObject: true }, "54 07 03 00 80"],
  [[14, 15, 16], other, "1d 412c 03 02 80"],
  [[17], other, "1d 812c 03 02 80"],
  [[18, 19, 20, 21, 22], { ...other, firstObject: true }, "5d 812c 03 02 80"],
  [
    [15, 16],
    { ...plain, alias: 300, subgroup: undefined, priority: undefined },
    "32 412c 03",
  ],
  [
    [18, 20, 22],
    { ...plain, alias: 300, subgroup: undefined, priority: undefined, firstObject: false },
    "32 812c 03",
  ],
];
for (const [drafts, header, text] of VECTORS) {
  for (const draft of drafts) {
    Deno.test(`draft ${draft}: a subgroup's header is read from ${text.replaceAll(" ", "")}`, () => {
      const bytes = hex(text);
      const head = readStreamHead(bytes, profileOf(draft));
      assert.deepEqual(head, { kind: "subgroup", length: bytes.length, header });
    });
  }
}

Deno.test("a subgroup 0 needs no field; the header of aiomoqt that has one means the same", () => {
  assert.equal(encodeSubgroupHeader(plain, profileOf(16)).toHex(), "10070380");
  const first = { ...plain, firstObject: true };
  assert.equal(encodeSubgroupHeader(first, profileOf(18)).toHex(), "50070380");
  assert.deepEqual(readStreamHead(hex("50070380"), profileOf(18)), {
    kind: "subgroup",
    length: 4,
    header: first,
  });
});

Deno.test("every type of subgroup that a draft lists is read, and no other", () => {
  const listed: Record<number, readonly (readonly [number, number])[]> = {
    14: [[0x10, 0x15], [0x18, 0x1d]],
    16: [[0x10, 0x15], [0x18, 0x1d], [0x30, 0x35], [0x38, 0x3d]],
    18: [
      ...[[0x10, 0x15], [0x18, 0x1d], [0x30, 0x35], [0x38, 0x3d]] as const,
      ...[[0x50, 0x55], [0x58, 0x5d], [0x70, 0x75], [0x78, 0x7d]] as const,
    ],
  };
  const like: Record<Draft, 14 | 16 | 18> = {
    14: 14,
    15: 16,
    16: 16,
    17: 16,
    18: 18,
    19: 18,
    20: 18,
    21: 18,
    22: 18,
  };
  for (const profile of PROFILES) {
    for (let type = 0; type < 0x100; type++) {
      const width = profile.varints.size(type);
      const bytes = new Uint8Array(width + 8);
      profile.varints.put(bytes, 0, type);
      const known = listed[like[profile.draft]]!.some(([a, b]) => type >= a && type <= b);
      if (known) assert.equal(readStreamHead(bytes, profile)?.kind, "subgroup");
      else if (type !== 0x05) {
        assert.throws(() => readStreamHead(bytes, profile), ProtocolViolation, `${type}`);
      }
    }
  }
});

const header = (draft: Draft): fc.Arbitrary<SubgroupHeader> => {
  const { varints, subgroupTypeMask } = profileOf(draft);
  return fc.record({
    alias: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 2n ** 53n, max: varints.max })),
    group: fc.maxSafeNat(),
    subgroup: fc.option(fc.maxSafeNat(), { nil: undefined }),
    priority: fc.option(fc.nat({ max: 255 }), { nil: draft === 14 ? 9 : undefined }),
    properties: fc.boolean(),
    endOfGroup: fc.boolean(),
    firstObject: subgroupTypeMask > 0x3f ? fc.boolean() : fc.constant(undefined),
  }, { noNullPrototype: true });
};

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: a header survives a round trip, and no prefix of it is taken for one`, () => {
    fc.assert(
      fc.property(header(profile.draft), fc.uint8Array({ maxLength: 9 }), (header, more) => {
        const bytes = encodeSubgroupHeader(header, profile);
        const head = { kind: "subgroup", length: bytes.length, header };
        assert.deepEqual(readStreamHead(Uint8Array.of(...bytes, ...more), profile), head);
        assert.ok(bytes.length <= MAX_STREAM_HEAD_BYTES);
        for (let n = 0; n < bytes.length; n++) {
          assert.equal(readStreamHead(bytes.subarray(0, n), profile), undefined);
        }
      }),
    );
  });

  Deno.test(`${profile.name}: readStreamHead() only ever throws ProtocolViolation, whatever the bytes`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        const head = readStreamHead(bytes, profile);
        if (bytes.length >= MAX_STREAM_HEAD_BYTES) assert.ok(head !== undefined);
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  });

  Deno.test(`${profile.name}: the answer to a fetch begins with its request`, () => {
    const bytes = encodeFetchHeader(4, profile);
    assert.equal(bytes.toHex(), "0504");
    assert.deepEqual(readStreamHead(bytes, profile), { kind: "fetch", length: 2, requestId: 4 });
    assert.equal(readStreamHead(bytes.subarray(0, 1), profile), undefined);
  });
}

Deno.test("padding streams are known from 18 on, and control streams from 17 on", () => {
  const padding = hex("f0132b3e28");
  assert.deepEqual(readStreamHead(padding, profileOf(18)), { kind: "padding", length: 5 });
  assert.throws(() => readStreamHead(padding, profileOf(17)), ProtocolViolation);
  assert.throws(() => readStreamHead(hex("932b3e28"), profileOf(16)), ProtocolViolation);
  assert.deepEqual(readStreamHead(hex("af00"), profileOf(17)), { kind: "control", length: 0 });
  assert.equal(readStreamHead(hex("af"), profileOf(17)), undefined);
  assert.throws(() => readStreamHead(hex("6f00"), profileOf(16)), ProtocolViolation);
});

Deno.test("draft 14 has no subgroup without a priority", () => {
  assert.throws(
    () => encodeSubgroupHeader({ ...plain, priority: undefined }, profileOf(14)),
    RangeError,
  );
});
