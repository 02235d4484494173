import assert from "node:assert/strict";
import fc from "fast-check";
import { type Amf, decodeAmf, encodeAmf, MAX_AMF_DEPTH, MAX_AMF_VALUES } from "./amf0.ts";
import { RtmpViolation } from "./errors.ts";

const { value } = fc.letrec<{ value: Amf; leaf: Amf }>((tie) => ({
  leaf: fc.oneof(
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.string({ unit: "binary" }),
    fc.constant(null),
    fc.constant(undefined),
  ),
  value: fc.oneof(
    { maxDepth: 3 },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string({ minLength: 1 }), tie("value")), { maxLength: 4 })
      .map((entries) => new Map(entries)),
  ),
}));

Deno.test("AMF values survive a round trip", () => {
  fc.assert(fc.property(fc.array(value, { maxLength: 4 }), (values) => {
    assert.deepEqual(decodeAmf(encodeAmf(values)), values);
  }));
});

Deno.test("decodeAmf() reads what a publisher's connect looks like in bytes", () => {
  const bytes = Uint8Array.fromHex(
    "020007636f6e6e656374" + "003ff0000000000000" + // "connect", 1
      "03" + "0003617070" + "0200046c697665" + "000009", // { app: "live" }
  );
  assert.deepEqual(decodeAmf(bytes), ["connect", 1, new Map([["app", "live"]])]);
  // ECMA array, whose count is but a hint; date; long text.
  const rest = Uint8Array.fromHex(
    "08ffffffff0001610500000" + "9" + "0b40000000000000000000" + "0c0000000161",
  );
  assert.deepEqual(decodeAmf(rest), [new Map([["a", null]]), 2, "a"]);
});

Deno.test("decodeAmf() only ever throws RtmpViolation, whatever the bytes", () => {
  const noise = fc.uint8Array({ maxLength: 300 });
  const nearly = fc.tuple(fc.array(value, { maxLength: 4 }), fc.nat(), fc.nat({ max: 255 })).map(
    ([values, at, byte]) => {
      const bytes = encodeAmf(values);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    },
  );
  fc.assert(
    fc.property(fc.oneof(noise, nearly), (bytes) => {
      try {
        decodeAmf(bytes);
      } catch (error) {
        assert.ok(error instanceof RtmpViolation, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("decodeAmf() refuses what is cut off, too deep, too many or referred to", () => {
  const whole = encodeAmf([
    "connect",
    1,
    new Map<string, Amf>([["app", "live"], ["list", [1, true]]]),
  ]);
  for (let length = 1; length < whole.length; length++) {
    const starts = [10, 19]; // between two values
    if (!starts.includes(length)) {
      assert.throws(() => decodeAmf(whole.subarray(0, length)), RtmpViolation);
    }
  }
  let deep: Amf = null;
  for (let i = 0; i <= MAX_AMF_DEPTH; i++) deep = [deep];
  assert.throws(() => decodeAmf(encodeAmf([deep])), /deeper/);
  assert.throws(() => decodeAmf(new Uint8Array(MAX_AMF_VALUES + 1).fill(5)), /more than 256/);
  assert.throws(() => decodeAmf(Uint8Array.fromHex("0affffffff" + "05".repeat(300))), /more than/);
  assert.throws(() => decodeAmf(Uint8Array.fromHex("070000")), /type 7/);
});
