import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import { decodeHuffman } from "./huffman.ts";
import { decodeHeaders, encodeHeaders, headerMap } from "./qpack.ts";
import { type HeaderField, STATIC_TABLE } from "./static_table.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

/** The header block of Chromium 156 for a session at /room?jwt=abc. */
const CONNECT =
  "0000d7cf508a089d5c0b8170dc69a699518a62c39e9ff3a784c038c92f00b95d8749c87a3f89f058d3" +
  "60ea4567b13f2f0e4148b782c69b07522b3d895a74a6b65692c1ca900b01315f4b8f9d29aee30c50720e89ce84" +
  "dc780fbf2f09f09587dc66a071d055abb0e9390f423f97fe693f65a8324ab01bfe7e94fe693f65a8324ab01afe7f";
const CONNECT_FIELDS: HeaderField[] = [
  [":scheme", "https"],
  [":method", "CONNECT"],
  [":authority", "127.0.0.1:4443"],
  [":path", "/room?jwt=abc"],
  [":protocol", "webtransport"],
  ["sec-webtransport-http3-draft02", "1"],
  ["origin", "http://localhost:8099"],
  ["wt-available-protocols", '"moq-lite-05", "moq-lite-04"'],
];

Deno.test("decodeHeaders() reads the CONNECT of Chromium 156", () => {
  assert.deepEqual(decodeHeaders(hex(CONNECT)), CONNECT_FIELDS);
});

Deno.test("decodeHeaders() gives no full answer for any proper prefix of a block", () => {
  const block = hex(CONNECT);
  for (let end = 0; end < block.length; end++) {
    let fields: HeaderField[] = [];
    try {
      fields = decodeHeaders(block.subarray(0, end));
    } catch (thrown) {
      assert.ok(thrown instanceof ProtocolViolation);
    }
    assert.deepEqual(fields, CONNECT_FIELDS.slice(0, fields.length));
    assert.ok(fields.length < CONNECT_FIELDS.length);
  }
});

Deno.test("encodeHeaders() writes static entries where there are, literals where not", () => {
  assert.equal(encodeHeaders([[":status", "404"]]).toHex(), "0000db");
  assert.equal(encodeHeaders([[":status", "401"]]).toHex(), "00005f0903343031");
  assert.equal(encodeHeaders([["wt", "é"]]).toHex(), "00002277" + "74" + "02c3a9");
});

Deno.test("decodeHeaders() gives back what encodeHeaders() wrote", () => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 200 });
  const any = fc.oneof(fc.constantFrom(...STATIC_TABLE), fc.tuple(text, text));
  fc.assert(fc.property(fc.array(any, { maxLength: 20 }), (fields) => {
    assert.deepEqual(decodeHeaders(encodeHeaders(fields)), fields);
  }));
});

Deno.test("decodeHeaders() refuses every use of a dynamic table", () => {
  for (const block of ["0200d1", "000080", "000040", "000010", "000000"]) {
    assert.throws(() => decodeHeaders(hex(block)), ProtocolViolation, block);
  }
});

Deno.test("decodeHeaders() refuses an entry past the table and endless integers", () => {
  assert.throws(() => decodeHeaders(hex("0000ff24")), ProtocolViolation);
  assert.throws(() => decodeHeaders(hex("0000ff" + "ff".repeat(9) + "01")), ProtocolViolation);
});

Deno.test("decodeHeaders() refuses a small block that would stand for very many fields", () => {
  assert.throws(() => decodeHeaders(hex("0000" + "d1".repeat(300))), ProtocolViolation);
});

Deno.test("decodeHeaders() only ever throws ProtocolViolation, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        decodeHeaders(Uint8Array.of(0, 0, ...bytes));
      } catch (thrown) {
        assert.ok(thrown instanceof ProtocolViolation);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("decodeHuffman() reads the examples of RFC 7541, appendix C.4", () => {
  assert.equal(decodeHuffman(hex("f1e3c2e5f23a6ba0ab90f4ff")), "www.example.com");
  assert.equal(decodeHuffman(hex("a8eb10649cbf")), "no-cache");
  assert.equal(decodeHuffman(hex("25a849e95ba97d7f")), "custom-key");
  assert.equal(decodeHuffman(hex("25a849e95bb8e8b4bf")), "custom-value");
  assert.equal(decodeHuffman(hex("")), "");
});

Deno.test("decodeHuffman() refuses EOS, a whole byte of padding, and padding of zeros", () => {
  assert.throws(() => decodeHuffman(hex("ffffffff")), ProtocolViolation);
  assert.throws(() => decodeHuffman(hex("a8eb10649cbfff")), ProtocolViolation);
  assert.throws(() => decodeHuffman(hex("00")), ProtocolViolation);
});

Deno.test("STATIC_TABLE has its 99 entries where RFC 9204 puts them", () => {
  assert.equal(STATIC_TABLE.length, 99);
  const places: [number, HeaderField][] = [
    [0, [":authority", ""]],
    [15, [":method", "CONNECT"]],
    [28, [":status", "503"]],
    [41, ["cache-control", "public, max-age=31536000"]],
    [54, ["content-type", "text/plain;charset=utf-8"]],
    [71, [":status", "500"]],
    [90, ["origin", ""]],
    [98, ["x-frame-options", "sameorigin"]],
  ];
  for (const [index, field] of places) assert.deepEqual(STATIC_TABLE[index], field);
});

Deno.test("headerMap() joins repeated fields and refuses doubled or late pseudo-headers", () => {
  assert.equal(headerMap([["a", "1"], ["a", "2"]]).get("a"), "1, 2");
  assert.throws(() => headerMap([[":path", "/"], [":path", "/"]]), ProtocolViolation);
  assert.throws(() => headerMap([["a", "1"], [":path", "/"]]), ProtocolViolation);
});
