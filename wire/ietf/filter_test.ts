import assert from "node:assert/strict";
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import type { Field } from "../message.ts";
import { type Filter, FILTER_PARAMETER, rangeFilter } from "./filter.ts";
import { VI64 } from "./vi64.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
function write<T>(field: Field<T>, value: T): string {
  const w = new Writer(VI64);
  field.write(w, value);
  return w.done().toHex();
}
function read<T>(field: Field<T>, text: string): T {
  const r = new Reader(hex(text), "FILTER", VI64);
  const value = field.read(r);
  assert.equal(r.left, 0);
  return value;
}
const { absolute, delta, counted, typed } = FILTER_PARAMETER;
const start = { group: 7, object: 3 };

/** Each filter as the four forms write it; "-" where a form has no way to. */
const ROWS: readonly (readonly [Filter, string, string, string, string])[] = [
  [{ kind: "next-object" }, "0102", "0102", "020000", "05"],
  [{ kind: "groups-back", groups: 0 }, "0101", "0101", "0100", "0100"],
  [{ kind: "groups-back", groups: 1 }, "-", "-", "0101", "0101"],
  [{ kind: "range", start }, "03030703", "03030703", "020703", "020703"],
  [
    { kind: "range", start, end: { group: 9 } },
    "0404070309",
    "0404070302",
    "03070302",
    "03070302",
  ],
  [
    { kind: "range", start, end: { group: 9, object: 4 } },
    "-",
    "-",
    "0407030204",
    "0407030204",
  ],
];
for (const [filter, ...forms] of ROWS) {
  Deno.test(`${JSON.stringify(filter)} is written in each form as the drafts say`, () => {
    for (const [i, field] of [absolute, delta, counted, typed].entries()) {
      if (forms[i] === "-") assert.throws(() => write(field, filter), RangeError);
      else {
        assert.equal(write(field, filter), forms[i]);
        assert.deepEqual(read(field, forms[i]!), filter);
      }
    }
  });
}

Deno.test("all is everything from the origin up to 19, no field in 20, type 0 in 22", () => {
  const all: Filter = { kind: "all" };
  assert.equal(write(absolute, all), "03030000");
  assert.equal(write(delta, all), "03030000");
  assert.equal(write(counted, all), "00");
  assert.equal(write(counted, { kind: "range", start: { group: 0, object: 0 } }), "00");
  assert.equal(write(typed, all), "00");
  assert.deepEqual(read(counted, "00"), all);
  assert.deepEqual(read(typed, "00"), all);
});

Deno.test("unknown types, too many fields, a range that ends before it starts are refused", () => {
  for (const text of ["0100", "0105", "050403030300"]) {
    assert.throws(() => read(absolute, text), ProtocolViolation);
  }
  assert.throws(() => read(absolute, "0404070306"), /end group 6 before 7/);
  assert.throws(() => read(counted, "050000000000"), /more than four fields/);
  assert.throws(() => read(typed, "06"), /filter of type 6/);
  for (const field of [absolute, delta, counted, typed]) {
    assert.throws(
      () => write(field, { kind: "range", start, end: { group: 6 } }),
      RangeError,
    );
  }
});

Deno.test("an end that a number does not hold is the last there is", () => {
  const endless = read(typed, "03 07 03 ffffffffffffffffff");
  assert.deepEqual(endless, { kind: "range", start, end: { group: Number.MAX_SAFE_INTEGER } });
});

Deno.test("a condition is written with differences, and the draft's example so", () => {
  const on = rangeFilter("object");
  const example = {
    on: "object",
    set: 0,
    ranges: [{ start: 3, end: 5 }, { start: 10, end: 15 }],
  } as const;
  assert.equal(write(on, example), "050003020505");
  assert.deepEqual(read(on, "050003020505"), example);
  assert.deepEqual(read(on, "00"), { on: "object", ranges: [] });
  const open = { on: "track-property", set: 2, property: 0x10, ranges: [{ start: 7 }] } as const;
  assert.equal(write(rangeFilter("track-property"), open), "03021007");
  assert.throws(
    () => write(on, { ...example, ranges: [{ start: 3 }, { start: 10, end: 15 }] }),
    RangeError,
  );
  assert.throws(
    () => write(on, { ...example, ranges: [{ start: 3, end: 5 }, { start: 4, end: 6 }] }),
    RangeError,
  );
});
