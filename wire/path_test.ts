import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodedOnce,
  hasPrefix,
  isHidden,
  joinPath,
  normalizePath,
  pathOfUrl,
  pathParts,
  prefixesOf,
  stripPrefix,
  urlOfPath,
} from "./path.ts";

const path = fc.array(fc.stringMatching(/^[a-c.é]{1,3}$/), { maxLength: 4 })
  .map((parts) => parts.join("/"));

Deno.test("normalizePath() drops outer and doubled slashes and nothing else", () => {
  assert.equal(normalizePath("//a//b c/%2F/"), "a/b c/%2F");
  assert.equal(normalizePath("/"), "");
  assert.equal(normalizePath("a/../."), "a/../.");
  // The composed and the decomposed letter are two names.
  assert.notEqual(normalizePath("\u00e9"), normalizePath("e\u0301"));
});

Deno.test("normalizePath() of a normalised path changes nothing", () => {
  fc.assert(fc.property(fc.string(), (raw) => {
    assert.equal(normalizePath(normalizePath(raw)), normalizePath(raw));
  }));
});

Deno.test("pathParts() counts segments, none in the empty path", () => {
  assert.deepEqual(["", "a", "a/b/c"].map(pathParts), [0, 1, 3]);
});

Deno.test("hasPrefix() covers whole segments only", () => {
  const covered = ["foo", "foo/bar", "foo/bar/baz"];
  for (const inside of covered) assert.equal(hasPrefix(inside, "foo"), true, inside);
  for (const outside of ["foobar", "fo", "", "bar/foo"]) {
    assert.equal(hasPrefix(outside, "foo"), false, outside);
  }
  assert.equal(hasPrefix("anything", ""), true);
});

Deno.test("stripPrefix() and joinPath() undo each other", () => {
  assert.equal(stripPrefix("foo", "foo"), "");
  assert.equal(stripPrefix("foobar", "foo"), undefined);
  fc.assert(fc.property(path, path, (prefix, suffix) => {
    assert.equal(stripPrefix(joinPath(prefix, suffix), prefix), suffix);
    assert.equal(pathParts(joinPath(prefix, suffix)), pathParts(prefix) + pathParts(suffix));
  }));
});

Deno.test("isHidden() looks at the start of each segment", () => {
  for (const hidden of [".a", "a/.b", ".", "a/.b/c"]) assert.equal(isHidden(hidden), true, hidden);
  for (const shown of ["", "a.b", "a/b.c", "a./b"]) assert.equal(isHidden(shown), false, shown);
});

Deno.test("pathOfUrl() gives one normal form to every spelling of a path, and decodes once", () => {
  for (const spelling of ["/live/cam", "live%2Fcam", "//live/%2F/cam/", "/%6Cive/c%61m"]) {
    assert.equal(pathOfUrl(spelling), "live/cam", spelling);
  }
  assert.equal(pathOfUrl("/caf%C3%A9"), "caf\u00e9");
  assert.equal(pathOfUrl("/caf\u00e9"), "caf\u00e9");
  assert.equal(pathOfUrl("/a%252Fb"), "a%2Fb"); // what comes out is not decoded again
  assert.equal(pathOfUrl("/"), "");
});

Deno.test("pathOfUrl() takes no path that does not decode, has control characters, or leads upwards", () => {
  const none = [
    "/%",
    "/%zz",
    "/%ff",
    "/%C0%AF",
    "/a%00b",
    "/a%0A",
    "/%7F",
    "/%C2%85",
    "/a/..",
    "/%2E%2E%2Fb",
    "/.",
  ];
  for (const wrong of none) assert.equal(pathOfUrl(wrong), undefined, wrong);
  assert.equal(decodedOnce("a%2Fb"), "a/b");
  assert.equal(decodedOnce("%0d"), undefined);
});

Deno.test("urlOfPath() writes what pathOfUrl() reads, and what the URL class leaves as it is", () => {
  const printable = fc.stringMatching(/^[ -~\u00a0-\u04ff]{1,12}$/).map(normalizePath);
  fc.assert(fc.property(printable, (path) => {
    fc.pre(pathOfUrl(urlOfPath(path)) !== undefined);
    assert.equal(pathOfUrl(urlOfPath(path)), path);
    assert.equal(new URL(`https://relay/${urlOfPath(path)}`).pathname, `/${urlOfPath(path)}`);
  }));
});

Deno.test("prefixesOf() goes from the path to the empty prefix", () => {
  assert.deepEqual([...prefixesOf("a/b/c")], ["a/b/c", "a/b", "a", ""]);
  assert.deepEqual([...prefixesOf("")], [""]);
});
