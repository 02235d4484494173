import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../../errors.ts";
import { type Draft, type Profile, profileOf, PROFILES } from "../profile.ts";
import { decodeDatagram, encodeDatagram, type ObjectDatagram } from "./datagram.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const hi = hex("6869");
const none = new Uint8Array();
const plain: ObjectDatagram = {
  alias: 7,
  group: 3,
  object: 0,
  priority: 128,
  properties: none,
  status: 0,
  endOfGroup: false,
  payload: hi,
};
const ALL = PROFILES.map(({ draft }) => draft);

/** As aiomoqt writes them. */
const VECTORS: readonly (readonly [readonly Draft[], ObjectDatagram, string])[] = [
  [ALL, plain, "04 07 03 80 6869"],
  [ALL, { ...plain, object: 4, priority: 0 }, "00 07 03 04 00 6869"],
  [
    ALL,
    { ...plain, object: 4, priority: 100, properties: hex("1005"), endOfGroup: true },
    "03 07 03 04 64 02 1005 6869",
  ],
  [ALL, { ...plain, object: 4, priority: 100, status: 4, payload: none }, "20 07 03 04 64 04"],
  [ALL.filter((d) => d !== 14), { ...plain, priority: undefined }, "0c 07 03 6869"],
  // Of moq-net.
  [[14, 15, 16], { ...plain, alias: 300, object: 4, priority: 100 }, "00 412c 03 04 64 6869"],
  [
    [17, 19, 21],
    { ...plain, alias: 300, object: 4, priority: 100, status: 3, payload: none },
    "20 812c 03 04 64 03",
  ],
];
for (const [drafts, datagram, text] of VECTORS) {
  Deno.test(`drafts ${drafts.join(", ")}: a datagram is ${text.replaceAll(" ", "")}`, () => {
    for (const draft of drafts) {
      const profile = profileOf(draft);
      assert.deepEqual(decodeDatagram(hex(text), profile), datagram);
      assert.equal(
        encodeDatagram(datagram, datagram.payload, profile).toHex(),
        hex(text).toHex(),
      );
    }
  });
}

const datagram = (profile: Profile): fc.Arbitrary<ObjectDatagram> =>
  fc.record({
    alias: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 2n ** 53n, max: profile.varints.max })),
    group: fc.maxSafeNat(),
    object: fc.oneof(fc.constant(0), fc.maxSafeNat()),
    priority: fc.option(fc.nat({ max: 255 }), { nil: profile.draft === 14 ? 3 : undefined }),
    properties: fc.uint8Array({ maxLength: 6 }),
    status: fc.constantFrom(...profile.statuses),
    endOfGroup: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 20 }),
  }, { noNullPrototype: true }).map((one) =>
    one.status === 0 ? one : {
      ...one,
      endOfGroup: false,
      payload: none,
      properties: profile.statusWithProperties ? one.properties : none,
    }
  );

for (const profile of PROFILES) {
  Deno.test(`${profile.name}: a datagram survives a round trip, and its head is refused when cut`, () => {
    fc.assert(fc.property(datagram(profile), (one) => {
      const bytes = encodeDatagram(one, one.payload, profile);
      assert.deepEqual(decodeDatagram(bytes, profile), one);
      for (let n = 0; n < bytes.length - one.payload.length; n++) {
        assert.throws(() => decodeDatagram(bytes.subarray(0, n), profile), ProtocolViolation);
      }
    }));
  });

  Deno.test(`${profile.name}: decodeDatagram() only ever throws ProtocolViolation, whatever the bytes`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        const one = decodeDatagram(bytes, profile);
        assert.ok(one === undefined || one.payload.length < bytes.length);
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  });

  Deno.test(`${profile.name}: every type of datagram there is is read, and no other`, () => {
    for (let type = 0; type < 0x80; type++) {
      const bytes = new Uint8Array(16);
      // Properties of one pair, or an object, priority and status of 0.
      const at = profile.varints.put(bytes, 0, type);
      bytes.fill(2, at + 2, 16);
      const low = type & 0x1f;
      const known = profile.draft === 14
        ? type <= 0x07 || type === 0x20 || type === 0x21
        : type <= 0x0f || type >= 0x20 && type <= 0x2f && (low & 0x02) === 0;
      const failed = assert.throws.bind(assert, () => decodeDatagram(bytes, profile));
      if (!known) failed(/unknown type/);
      else if (type < 0x20) assert.equal(decodeDatagram(bytes, profile)?.group, 0);
      else failed(/unknown status 2|varint|priority/);
    }
  });
}

Deno.test("empty properties, bytes behind a status, a payload with a status are refused", () => {
  for (const profile of PROFILES) {
    assert.throws(() => decodeDatagram(hex("0507038000"), profile), ProtocolViolation);
    assert.throws(() => decodeDatagram(hex("20070304800300"), profile), ProtocolViolation);
    assert.throws(() => encodeDatagram({ ...plain, status: 3 }, hi, profile), RangeError);
    assert.throws(() => encodeDatagram({ ...plain, status: 2 }, none, profile), RangeError);
    if (!profile.statusWithProperties) {
      assert.throws(() => decodeDatagram(hex("210703048002100503"), profile), ProtocolViolation);
    }
  }
});

Deno.test("a padding datagram is nothing, from 18 on", () => {
  assert.equal(decodeDatagram(hex("f0132b3e290000"), profileOf(18)), undefined);
  assert.throws(() => decodeDatagram(hex("f0132b3e29"), profileOf(17)), ProtocolViolation);
});

Deno.test("decodeDatagram() does not copy", () => {
  const bytes = hex("0407038068 69");
  assert.equal(decodeDatagram(bytes, profileOf(18))!.payload.buffer, bytes.buffer);
});
