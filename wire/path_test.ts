import assert from "node:assert/strict";
import fc from "fast-check";
import { hasPrefix, isHidden, joinPath, normalizePath, pathParts, stripPrefix } from "./path.ts";

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
