import assert from "node:assert/strict";
import fc from "fast-check";
import { fileName, filePath, MAX_PART_BYTES } from "./file_name.ts";

/** What a file system may make of a name before it compares. */
const FILE_SYSTEMS: ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.normalize("NFD").toLowerCase(),
  (name) => name.normalize("NFC").toUpperCase(),
  (name) => name.normalize("NFKD").toUpperCase().toLowerCase(),
  (name) => name.replace(/[. ]+$/, ""),
];

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

const odd = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme", minLength: 60, maxLength: 300 }),
  fc.constantFrom(..."İ ı ß SS ss ﬁ fi é e\u0301 K k Å å \ud800 \udc00".split(" ")),
  fc.constantFrom("", ".", "..", "...", "a.", "a ", " a", "~", "%", "%25", "a~b", "*", "-"),
  fc.constantFrom("con", "CON", "nul.txt", "com¹", "lpt9.a.b", "a.part", "a.PART", "media.m3u8"),
  fc.constantFrom("界".repeat(100), "界".repeat(99) + "x", "x".repeat(120), "x".repeat(121)),
);

Deno.test("fileName() leaves names in lower case as they are", () => {
  for (const name of ["video0", "video0.m4s", "catalog.json", "a-b_c", "cam 1", "摄像机", "é"]) {
    assert.equal(fileName(name), name);
  }
});

Deno.test("fileName() makes one plain name of whatever a peer says", () => {
  fc.assert(fc.property(odd, (text) => {
    const name = fileName(text);
    assert.match(name, /^[\p{L}\p{N}._ %~-]+$/u);
    assert.doesNotMatch(name, /^[. ~]|[. ]$/);
    assert.doesNotMatch(name, /^(con|prn|aux|nul|(com|lpt)[\d¹²³])(\.|$)/i);
    assert.ok(bytesOf(name) <= MAX_PART_BYTES, `${bytesOf(name)} bytes`);
    assert.ok(name.isWellFormed());
  }));
  assert.equal(fileName("../../etc/passwd"), "%2e.%2f..%2fetc%2fpasswd");
  assert.deepEqual(["", ".", ".."].map(fileName), ["%", "%2e", "%2e%2e"]);
  assert.equal(fileName("con.txt"), "%63on.txt");
});

Deno.test("two names never share a file, whatever the file system takes for the same", () => {
  fc.assert(fc.property(odd, odd, (one, other) => {
    for (const [a, b] of [[one, other], [one, one.toUpperCase()], [one, one.normalize("NFD")]]) {
      if (a === b) continue;
      for (const seen of FILE_SYSTEMS) assert.notEqual(seen(fileName(a!)), seen(fileName(b!)));
    }
  }));
  const long = ["界".repeat(100), "界".repeat(100) + "x", "x".repeat(200), "X".repeat(200)];
  assert.equal(new Set(long.map((name) => fileName(name).toLowerCase())).size, 4);
});

Deno.test("filePath() is short enough for a key however long the path, and leads nowhere else", () => {
  const path = fc.array(odd, { maxLength: 40 }).map((parts) => parts.join("/"));
  fc.assert(fc.property(path, path, (one, other) => {
    const made = filePath(one);
    assert.ok(bytesOf(made) <= 512, `${bytesOf(made)} bytes`);
    assert.ok(made.split("/").every((part) => part !== "" && !part.startsWith(".")));
    assert.ok(!made.split("/").some((part) => /\.(part|mp4|m4s|m3u8)$/i.test(part)), made);
    const same = (text: string) => text.split("/").filter((part) => part !== "").join("/");
    if (same(one) !== same(other)) {
      assert.notEqual(made.toLowerCase(), filePath(other).toLowerCase());
    }
  }));
  assert.equal(filePath("live/cam 1"), "live/cam 1");
  assert.notEqual(filePath("a/" + "B/".repeat(400)), filePath("a/" + "B/".repeat(401)));
});
