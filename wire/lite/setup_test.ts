import assert from "node:assert/strict";
import fc from "fast-check";
import { Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import { framed } from "../message.ts";
import { UNI } from "./dialect.ts";
import {
  decodeClientSetup,
  decodeServerSetup,
  decodeSetup,
  encodeClientSetup,
  encodeServerSetup,
  encodeSetup,
  LEGACY_VERSION,
  type LegacyParameters,
  type Setup,
} from "./setup.ts";

const body = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const { lite01, lite02 } = LEGACY_VERSION;

/** A body from raw parameters, for what our encoder does not write. */
function setupOf(...parameters: (readonly [id: number, value: string])[]): Uint8Array {
  const w = new Writer();
  w.varint(parameters.length);
  for (const [id, value] of parameters) {
    w.varint(id);
    w.varint(value.length / 2);
    w.put(body(value));
  }
  return w.done();
}

const vectors: readonly (readonly [name: string, setup: Setup, bytes: string])[] = [
  ["nothing", {}, "01 01 00"],
  ["hop 777", { hop: 777n }, "01 05 01 05 02 4309"],
  ["hop 1000", { hop: 1_000n }, "01 05 01 05 02 43e8"],
  ["cost 100", { cost: 100 }, "01 05 01 04 02 4064"],
  ["a relay", { probe: 1, hop: 777n }, "01 08 02 01 01 01 05 02 4309"],
  ["probe, cost, hop", { probe: 1, cost: 3, hop: 777n }, "01 0b 03 010101 040103 05024309"],
  [
    "a publisher's path",
    { path: "/room?jwt=x", role: 1, hop: 9n },
    "01 14 03 02 0b 2f726f6f6d3f6a77743d78 030101 050109",
  ],
];
for (const [name, setup, bytes] of vectors) {
  Deno.test(`SETUP with ${name} is ${bytes}`, () => {
    assert.equal(framed(encodeSetup(setup), UNI.setup).toHex(), bytes.replaceAll(" ", ""));
    assert.deepEqual(decodeSetup(body(bytes).subarray(2)), setup);
  });
}

const anySetup = fc.record({
  probe: fc.integer({ min: 0, max: 2 }),
  path: fc.string({ unit: "binary", maxLength: 20 }),
  role: fc.maxSafeNat(),
  cost: fc.oneof(fc.maxSafeNat(), fc.constant(Infinity)),
  hop: fc.bigInt({ min: 1n, max: (1n << 62n) - 1n }),
}, { noNullPrototype: true, requiredKeys: [] });

Deno.test("SETUP survives a round trip for any choice of parameters", () => {
  fc.assert(fc.property(anySetup, (setup) => {
    assert.deepEqual(decodeSetup(encodeSetup(setup)), setup);
  }));
});

Deno.test("SETUP refuses every proper prefix and any trailing byte", () => {
  fc.assert(fc.property(anySetup, (setup) => {
    const whole = encodeSetup(setup);
    for (let n = 0; n < whole.length; n++) {
      assert.throws(() => decodeSetup(whole.subarray(0, n)), ProtocolViolation);
    }
    assert.throws(() => decodeSetup(new Uint8Array([...whole, 0])), /1 bytes left/);
  }));
});

Deno.test("SETUP takes its parameters in any order", () => {
  assert.deepEqual(decodeSetup(setupOf([5, "09"], [1, "01"])), { probe: 1, hop: 9n });
});

Deno.test("SETUP skips parameters it does not know, whatever they hold", () => {
  assert.deepEqual(decodeSetup(setupOf([77, "ffffff"], [1, "01"], [6, ""])), { probe: 1 });
});

Deno.test("SETUP refuses a parameter that stands twice, known or not", () => {
  assert.throws(() => decodeSetup(setupOf([1, "00"], [1, "00"])), /parameter 1 stands twice/);
  assert.throws(() => decodeSetup(setupOf([77, ""], [77, ""])), /parameter 77 stands twice/);
});

Deno.test("SETUP takes 64 parameters and refuses 65", () => {
  const many = Array.from({ length: 65 }, (_, n) => [100 + n, ""] as const);
  assert.deepEqual(decodeSetup(setupOf(...many.slice(1))), {});
  assert.throws(() => decodeSetup(setupOf(...many)), /65 parameters, at most 64/);
});

Deno.test("SETUP refuses a number that does not fill its parameter", () => {
  for (const id of [1, 3, 4, 5]) {
    assert.throws(() => decodeSetup(setupOf([id, "0100"])), /1 bytes left/);
    assert.throws(() => decodeSetup(setupOf([id, ""])), ProtocolViolation);
  }
});

Deno.test("SETUP reads a probe level above 2 as 2, and hop 0 as unknown", () => {
  assert.deepEqual(decodeSetup(setupOf([1, "07"], [5, "00"])), { probe: 2 });
});

Deno.test("SETUP reads a cost that numbers cannot hold as Infinity, and keeps hop ids exact", () => {
  const wide = "c020000000000001"; // 2^53 + 1
  assert.deepEqual(decodeSetup(setupOf([4, wide], [5, wide])), {
    cost: Infinity,
    hop: 2n ** 53n + 1n,
  });
});

Deno.test("SETUP refuses a path that is not UTF-8", () => {
  assert.throws(() => decodeSetup(setupOf([2, "ff"])), /text is not UTF-8/);
});

Deno.test("CLIENT_SETUP has a length of 16 bits behind its type", () => {
  const bytes = encodeClientSetup([lite02, lite01, 0xff00000e]);
  const text = "c0000000ff0dad02 c0000000ff0dad01 c0000000ff00000e".replaceAll(" ", "");
  assert.equal(bytes.toHex(), `20001a03${text}00`);
  assert.deepEqual(decodeClientSetup(bytes.subarray(3)), {
    versions: [lite02, lite01, 0xff00000e],
    parameters: new Map(),
  });
  const long = encodeClientSetup([lite02], new Map([[1, new Uint8Array(300)]]));
  assert.equal(long.subarray(0, 3).toHex(), "200139"); // 313 bytes, where a varint would be 4139
  assert.throws(() => encodeClientSetup([], new Map([[1, new Uint8Array(65_536)]])), RangeError);
});

Deno.test("SERVER_SETUP for lite-02 is 21 0009 c0000000ff0dad02 00", () => {
  const bytes = encodeServerSetup(lite02);
  assert.equal(bytes.toHex(), "210009c0000000ff0dad0200");
  assert.deepEqual(decodeServerSetup(bytes.subarray(3)), {
    version: lite02,
    parameters: new Map(),
  });
});

Deno.test("CLIENT_SETUP reads what the browser library sends", () => {
  const implementation = new TextEncoder().encode("moq-lite-js");
  const parameters: LegacyParameters = new Map<number, number | Uint8Array>([
    [2, 42_069],
    [7, implementation],
    [0x40b5a, 1],
  ]);
  const bytes = encodeClientSetup([lite02, lite01, 0xff00000e], parameters);
  assert.deepEqual(decodeClientSetup(bytes.subarray(3)).parameters, parameters);
});

const anyParameters = fc.uniqueArray(
  fc.oneof(
    fc.tuple(fc.nat().map((n) => n * 2), fc.maxSafeNat()),
    fc.tuple(fc.nat().map((n) => n * 2 + 1), fc.uint8Array({ maxLength: 9 })),
  ),
  { selector: ([key]) => key, maxLength: 64 },
).map((entries) => new Map<number, number | Uint8Array>(entries));
const plain = (parameters: LegacyParameters) =>
  [...parameters].map(([k, v]) => [k, typeof v === "number" ? v : v.toHex()]);

Deno.test("the legacy pair survives a round trip, and refuses cuts and trailing bytes", () => {
  const versions = fc.array(fc.maxSafeNat(), { maxLength: 8 });
  fc.assert(
    fc.property(versions, anyParameters, (versions, parameters) => {
      const client = encodeClientSetup(versions, parameters).slice(3);
      const read = decodeClientSetup(client);
      assert.deepEqual(read.versions, versions);
      assert.deepEqual(plain(read.parameters), plain(parameters));
      const server = encodeServerSetup(versions[0] ?? lite01, parameters).slice(3);
      assert.equal(decodeServerSetup(server).version, versions[0] ?? lite01);
      for (
        const [bytes, decode] of [[client, decodeClientSetup], [server, decodeServerSetup]] as const
      ) {
        for (let n = 0; n < bytes.length; n += 1 + (n >> 4)) {
          assert.throws(() => decode(bytes.subarray(0, n)), ProtocolViolation);
        }
        assert.throws(() => decode(new Uint8Array([...bytes, 0])), /1 bytes left/);
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("the legacy pair refuses a key that stands twice and 65 parameters", () => {
  const version = "c0000000ff0dad02";
  assert.throws(
    () => decodeServerSetup(body(`${version} 02 0201 0201`)),
    /parameter 2 stands twice/,
  );
  assert.throws(() => decodeServerSetup(body(`${version} 4041`)), /65 parameters/);
  assert.throws(() => decodeClientSetup(body("4041")), /65 versions/);
});

Deno.test("SETUP decoders only ever throw ProtocolViolation, whatever the bytes", () => {
  for (const decode of [decodeSetup, decodeClientSetup, decodeServerSetup]) {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        assert.equal(typeof decode(bytes), "object");
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  }
});
