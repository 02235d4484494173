import assert from "node:assert/strict";
import fc from "fast-check";
import { isPath, normalizePath } from "../../wire/path.ts";
import { MAX_FULL_NAME_BYTES, MAX_NAMESPACE_FIELDS } from "../../wire/ietf/names.ts";
import { namespaceOf, pathOf, trackBytesOf, trackNameOf } from "./names.ts";

const utf8 = new TextEncoder();
/** Bytes that are hard to name: separators, escapes, parts of characters, controls. */
const HARD = [0x00, 0x2e, 0x2f, 0x5c, 0x65, 0x73, 0x78, 0x41, 0x43, 0x33, 0x39, 0x80, 0xa9, 0xc3];
const field = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.array(fc.constantFrom(...HARD), { maxLength: 10 }).map((bytes) => Uint8Array.from(bytes)),
  fc.string({ unit: "grapheme", maxLength: 8 }).map((text) => utf8.encode(text)),
);
const name = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: fc.constantFrom("\\", "s", "e", "xC3", "xA9", "/", ".", "\0", "é") }),
);
const hex = (fields: readonly Uint8Array[]) => fields.map((field) => field.toHex());
const runs = { numRuns: 2000 };

Deno.test("a namespace survives as a path, whatever its bytes; the path is a normal one", () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 4 }), (namespace) => {
      const path = pathOf(namespace);
      assert.equal(normalizePath(path), path);
      assert.deepEqual(hex(namespaceOf(path)), hex(namespace));
    }),
    runs,
  );
});

Deno.test("a path survives as a namespace, whatever its text, so no two of them share one", () => {
  fc.assert(
    fc.property(name, (text) => {
      const path = normalizePath(text);
      assert.equal(pathOf(namespaceOf(path)), path);
    }),
    runs,
  );
});

Deno.test("the name of a track survives both ways", () => {
  fc.assert(
    fc.property(field, name, (bytes, text) => {
      assert.equal(trackBytesOf(trackNameOf(bytes)).toHex(), bytes.toHex());
      assert.equal(trackNameOf(trackBytesOf(text)), text);
    }),
    runs,
  );
});

const FIELDS: readonly (readonly [string | Uint8Array, string])[] = [
  ["moq-test", "moq-test"],
  ["live", "live"],
  ["été 🎥", "été 🎥"],
  ["", "\\e"],
  ["a/b", "a\\sb"],
  ["a\\/b", "a\\\\\\sb"],
  ["a\\b", "a\\b"],
  ["\\e", "\\\\e"],
  ["a\\sb", "a\\\\sb"],
  ["a\\\\sb", "a\\\\\\\\sb"],
  ["\\xC3", "\\\\xC3"],
  ["\\xC3\\xA9", "\\xC3\\xA9"], // it would be "é", which needs no escape
  ["\\x41", "\\x41"],
  [Uint8Array.of(0x61, 0xff), "a\\xFF"],
  [Uint8Array.of(0xc3, 0xa9, 0xc3), "é\\xC3"],
  [Uint8Array.of(0xed, 0xa0, 0x80), "\\xED\\xA0\\x80"],
  [Uint8Array.of(0xef, 0xbb, 0xbf), "\ufeff"],
  [".", "."],
  ["..", ".."],
  ["\0\n", "\0\n"],
];
Deno.test("a field is its own segment, escaped only where it has to be", () => {
  for (const [field, segment] of FIELDS) {
    const bytes = typeof field === "string" ? utf8.encode(field) : field;
    assert.equal(pathOf([bytes]), segment);
    assert.equal(namespaceOf(segment)[0]!.toHex(), bytes.toHex());
  }
  assert.equal(pathOf([]), "");
  assert.deepEqual(namespaceOf(""), []);
  assert.equal(pathOf([utf8.encode("a"), utf8.encode(""), utf8.encode("b")]), "a/\\e/b");
});

Deno.test("the name of a track may have slashes, and be empty", () => {
  for (const text of ["", "video/hd", "/", "catalog.json", "a\\sb", "\\e"]) {
    assert.equal(trackNameOf(utf8.encode(text)), text);
  }
  assert.equal(trackNameOf(Uint8Array.of(0x2f, 0x80)), "/\\x80");
  assert.equal(trackNameOf(utf8.encode("\\x80")), "\\\\x80");
});

Deno.test("a prefix of a namespace is a prefix of its path by whole segments", () => {
  fc.assert(fc.property(fc.array(field, { maxLength: 4 }), field, (prefix, more) => {
    const path = pathOf([...prefix, more]);
    assert.ok(prefix.length === 0 || path.startsWith(`${pathOf(prefix)}/`));
  }));
});

Deno.test("the largest namespace survives, though no peer of moq-lite would take its path", () => {
  const fields = Array.from(
    { length: MAX_NAMESPACE_FIELDS },
    () => new Uint8Array(MAX_FULL_NAME_BYTES / MAX_NAMESPACE_FIELDS).fill(0xff),
  );
  const path = pathOf(fields);
  assert.ok(!isPath(path));
  assert.deepEqual(hex(namespaceOf(path)), hex(fields));
  const backslashes = "\\".repeat(MAX_FULL_NAME_BYTES);
  assert.equal(trackNameOf(trackBytesOf(backslashes)), backslashes);
});
