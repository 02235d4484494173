import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../../errors.ts";
import type { GroupOrder } from "../fields.ts";
import { type Draft, type Profile, profileOf, PROFILES } from "../profile.ts";
import { type FetchedObject, FetchHeads, FetchWriter, type Missing } from "./fetch_objects.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

type Seen = (FetchedObject & { readonly payload: string }) | {
  readonly missing: Missing;
  readonly group: number;
  readonly object: number;
};

/** Reads what is there, as if all had come but what is behind `end`. */
function read(bytes: Uint8Array, profile: Profile, order: GroupOrder, end = bytes.length): Seen[] {
  const heads = new FetchHeads(profile, order);
  const seen: Seen[] = [];
  for (let at = 0; at < end;) {
    const behind = heads.next(bytes, at, end);
    if (behind < 0) break;
    const { group, subgroup, object, priority, datagram, status, missing } = heads;
    const properties = bytes.slice(heads.propertiesAt, heads.propertiesEnd);
    const payload = bytes.subarray(behind, at = behind + heads.payloadLength).toHex();
    if (missing !== undefined) seen.push({ missing, group, object });
    else seen.push({ group, subgroup, object, priority, datagram, properties, status, payload });
  }
  return seen;
}

const none = new Uint8Array();
const first = {
  group: 300,
  subgroup: 0,
  object: 0,
  priority: 128,
  datagram: false,
  properties: none,
  status: 0,
  payload: "6162",
};
const objects = (lastGroup: number) => [
  first,
  { ...first, object: 1, payload: "63" },
  { ...first, subgroup: 1, object: 5, priority: 7, properties: hex("1005"), payload: "" },
  { ...first, group: lastGroup, subgroup: 1, object: 2, priority: 7, payload: "7a7a" },
];
/** Four objects as aiomoqt writes them, the last of another group: 310, or 290 when groups descend. */
const VECTORS: readonly (readonly [readonly Draft[], GroupOrder, string])[] = [
  [
    [14],
    "ascending",
    "412c00008000026162412c000180000163412c0105070210050000413601020700027a7a",
  ],
  [
    [14],
    "descending",
    "412c00008000026162412c000180000163412c0105070210050000412201020700027a7a",
  ],
  [
    [16],
    "ascending",
    "1f412c0000800261621f412c00018001633f412c010507021005001f4136010207027a7a",
  ],
  [
    [16],
    "descending",
    "1f412c0000800261621f412c00018001633f412c010507021005001f4122010207027a7a",
  ],
  ...(["ascending", "descending"] as const).map((order) =>
    [[18, 20, 22], order, "1c812c0080026162000163360407021005000d0902027a7a"] as const
  ),
];
for (const [drafts, order, text] of VECTORS) {
  for (const draft of drafts) {
    Deno.test(`draft ${draft}: fetched objects are read from the ${order} bytes of aiomoqt`, () => {
      const last = order === "ascending" ? 310 : 290;
      assert.deepEqual(read(hex(text), profileOf(draft), order), objects(last));
    });
  }
}

Deno.test("the first object names all, as moq-net writes it", () => {
  const o = { ...first, subgroup: 200, object: 4, priority: 7, properties: hex("1005") };
  for (const { draft, varints, fetchLayout } of PROFILES) {
    if (fetchLayout === "full") continue;
    const text = varints === profileOf(14).varints
      ? "3f 412c 40c8 04 07 02 1005"
      : "3f 812c 80c8 04 07 02 1005";
    assert.deepEqual(read(hex(text + "02 6162"), profileOf(draft), "ascending"), [o]);
    assert.equal(new FetchWriter(profileOf(draft)).object(o, 2).toHex(), hex(text + "02").toHex());
  }
});

Deno.test("18 and later write what aiomoqt writes; 16 leaves out what the object before has said", () => {
  const written = (draft: Draft) => {
    const w = new FetchWriter(profileOf(draft));
    return objects(310).map((o) => w.object(o, o.payload.length / 2).toHex() + o.payload).join("");
  };
  for (const draft of [18, 20, 22] as const) {
    assert.equal(written(draft), "1c812c0080026162000163360407021005000d0902027a7a");
  }
  assert.equal(written(16), "1c412c0080026162" + "000163" + "36050702100500" + "0d413602027a7a");
  assert.equal(written(14), VECTORS[0]![2]);
});

Deno.test("an object that was a datagram has no subgroup from 16 on; before, its own id", () => {
  assert.deepEqual(read(hex("5c812c0680 0164"), profileOf(18), "ascending"), [
    { ...first, object: 6, datagram: true, payload: "64" },
  ]);
  assert.deepEqual(read(hex("405c412c0680 0164"), profileOf(16), "ascending"), [
    { ...first, object: 6, datagram: true, payload: "64" },
  ]);
  const w = new FetchWriter(profileOf(15));
  const head = w.object({ ...first, object: 6, datagram: true }, 1);
  assert.equal(head.toHex(), "1f412c068001".replace("412c06", "412c0606"));
  assert.throws(() => read(hex("405c412c06800164"), profileOf(15), "ascending"), ProtocolViolation);
});

Deno.test("the end of a range is read as aiomoqt writes it, where the draft has such an end", () => {
  const rows: [Draft, string, Missing][] = [
    [16, "408c412c09", "nonexistent"],
    [16, "410c412c09", "unknown"],
    [18, "808c812c09", "nonexistent"],
    [18, "810c812c09", "unknown"],
    [22, "820c812c09", "timedOut"],
  ];
  for (const [draft, text, missing] of rows) {
    const profile = profileOf(draft);
    assert.deepEqual(read(hex(text), profile, "ascending"), [{ missing, group: 300, object: 9 }]);
    assert.equal(new FetchWriter(profile).missing(missing, 300, 9).toHex(), text);
  }
  assert.throws(() => read(hex("820c812c09"), profileOf(18), "ascending"), ProtocolViolation);
  assert.throws(() => read(hex("408c412c09"), profileOf(15), "ascending"), ProtocolViolation);
  assert.throws(() => new FetchWriter(profileOf(18)).missing("timedOut", 1, 1), RangeError);
});

Deno.test("behind the end of a range, group and object go on from there, the rest from the last object", () => {
  const marker = "810c 00 09";
  const text = "1f 00 03 00 07 0161" + marker + "01 0162";
  assert.deepEqual(read(hex(text), profileOf(18), "ascending"), [
    { ...first, group: 0, subgroup: 3, priority: 7, payload: "61" },
    { missing: "unknown", group: 0, object: 9 },
    { ...first, group: 0, subgroup: 3, object: 10, priority: 7, payload: "62" },
  ]);
  // No object has come: nobody has said the priority, or the subgroup.
  assert.throws(() => read(hex(marker + "00 0162"), profileOf(18), "ascending"), /priority/);
  assert.throws(() => read(hex(marker + "11 07 0162"), profileOf(18), "ascending"), /subgroup/);
});

Deno.test("the first object cannot refer to one before, and no unknown flag is read", () => {
  for (const profile of PROFILES.filter(({ fetchLayout }) => fetchLayout !== "full")) {
    const fails = (text: string, why: RegExp) =>
      assert.throws(() => read(hex(text), profile, "ascending"), why);
    fails("14 00 80 0161", /group/);
    fails("18 00 80 0161", /the id/);
    fails("0c 00 00 0161", /priority/);
    fails("1d 00 00 80 0161", /subgroup/);
    fails(profile.varints === profileOf(14).varints ? "4080" : "8080", /flags 128/);
  }
});

Deno.test("descending groups do not go below 0", () => {
  assert.throws(
    () => read(hex("1c 01 00 80 0161 0c 01 00 0161"), profileOf(18), "descending"),
    /group -1/,
  );
});

interface Step {
  readonly what: "object" | "gap";
  readonly group: number;
  readonly skip: number;
  readonly one: Omit<FetchedObject, "group" | "object"> & { readonly payload: Uint8Array };
}
const steps = (profile: Profile): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      what: profile.rangeMarkers.length > 0
        ? fc.constantFrom("object", "object", "gap")
        : fc.constant("object"),
      group: fc.nat({ max: 2 }),
      skip: fc.oneof(fc.constant(0), fc.nat({ max: 200 })),
      one: fc.record({
        subgroup: fc.oneof(fc.nat({ max: 2 }), fc.maxSafeNat()),
        priority: fc.constantFrom(7, 128),
        datagram: profile.fetchDatagrams ? fc.boolean() : fc.constant(false),
        properties: fc.uint8Array({ maxLength: 4 }),
        status: profile.fetchStatus ? fc.constantFrom(...profile.statuses) : fc.constant(0),
        payload: fc.uint8Array({ maxLength: 5 }),
      }),
    }) as fc.Arbitrary<Step>,
    { maxLength: 6 },
  );

for (const profile of PROFILES) {
  for (const order of ["ascending", "descending"] as const) {
    Deno.test(`${profile.name}: fetched objects survive a round trip, ${order}, and no prefix says more`, () => {
      fc.assert(fc.property(steps(profile), (steps) => {
        const w = new FetchWriter(profile, order);
        const bytes: number[] = [];
        const expected: Seen[] = [];
        let [group, object] = [1_000, -1];
        for (const { what, group: step, skip, one: { payload, ...one } } of steps) {
          if (step > 0) object = -1;
          group += order === "ascending" ? step : -step;
          object += 1 + skip;
          if (what === "gap") {
            bytes.push(...w.missing("unknown", group, object));
            expected.push({ missing: "unknown", group, object });
            continue;
          }
          const odd = one.status !== 0;
          const fetched = {
            ...one,
            group,
            object,
            subgroup: one.datagram ? 0 : one.subgroup,
            properties: odd && !profile.statusWithProperties
              ? none
              : Uint8Array.from(one.properties),
          };
          const raw = odd ? none : payload;
          bytes.push(...w.object(fetched, raw.length), ...raw);
          expected.push({ ...fetched, payload: raw.toHex() });
        }
        const all = Uint8Array.from(bytes);
        assert.deepEqual(read(all, profile, order), expected);
        const cut = read(all, profile, order, Math.max(0, all.length - 1));
        assert.deepEqual(cut.slice(0, -1), expected.slice(0, Math.max(0, cut.length - 1)));
      }));
    });
  }

  Deno.test(`${profile.name}: the heads of fetched objects only ever throw ProtocolViolation, whatever the bytes`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        read(bytes, profile, "descending");
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  });
}
