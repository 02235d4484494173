import assert from "node:assert/strict";
import fc from "fast-check";
import {
  allContained,
  BadPattern,
  compacted,
  isPlainPattern,
  matcherOf,
  Pattern,
} from "./path_pattern.ts";

const below = (pattern: string, path: string) =>
  compacted(Pattern.parse(pattern).below(path)).map(String).sort();

Deno.test("Pattern.matches() reads *, heads and tails, and ** as the grants mean them", () => {
  const rows: [pattern: string, path: string, matches: boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["**", "", true],
    ["**", "a/b/c", true],
    ["foo/**", "foo", true],
    ["foo/**", "foo/bar/x", true],
    ["foo/**", "foobar", false],
    ["foo", "foo/bar", false],
    ["/foo//bar/", "foo/bar", true],
    ["*/cam", "alice/cam", true],
    ["*/cam", "cam", false],
    ["*/cam", "a/b/cam", false],
    ["cam-*", "cam-1", true],
    ["cam-*", "cam-", true],
    ["a*a", "a", false],
    ["live/**/hd", "live/hd", true],
    ["live/**/hd", "live/a/b/hd", true],
    ["live/**/hd", "live/a/b/sd", false],
    ["**", "a/*", false],
    ["*", "*", false],
  ];
  for (const [pattern, path, matches] of rows) {
    assert.equal(Pattern.parse(pattern).matches(path), matches, `${pattern} on ${path}`);
  }
});

Deno.test("Pattern.parse() refuses what is no pattern", () => {
  for (const text of ["a*b*c", "**x", "**/a/**", "a/***", Array(33).fill("a").join("/")]) {
    assert.throws(() => Pattern.parse(text), BadPattern, text);
  }
  assert.throws(() => Pattern.subtree("a/*"), BadPattern);
  assert.throws(() => Pattern.parse("a").under("b*"), BadPattern);
});

Deno.test("Pattern.below() is what is left below a path, several where ** can end in several places", () => {
  assert.deepEqual(below("alice/**", "alice"), ["**"]);
  assert.deepEqual(below("alice/**", "alice/cam"), ["**"]);
  assert.deepEqual(below("alice/**", "bob"), []);
  assert.deepEqual(below("rooms/*/cam", "rooms/1"), ["cam"]);
  assert.deepEqual(below("**/hd", "live/hd"), ["", "**/hd"]);
  assert.deepEqual(below("alice", "alice"), [""]);
  assert.deepEqual(below("alice", "alice/cam"), []);
});

Deno.test("Pattern.contains() holds scopes: per segment, not per letter", () => {
  const contains = (a: string, b: string) => Pattern.parse(a).contains(Pattern.parse(b));
  assert.ok(contains("live/**", "live/room/**"));
  assert.ok(contains("live/**", "live"));
  assert.ok(!contains("live/**", "lively/**"));
  assert.ok(!contains("live/*", "live/**"));
  assert.ok(contains("*/**", "**/x"));
  assert.ok(contains("**/x", "**/x"));
  assert.ok(contains("cam-*", "cam-1-*"));
  assert.ok(!contains("cam-1-*", "cam-*"));
  assert.ok(allContained([Pattern.parse("a/**"), Pattern.parse("b")], [Pattern.parse("b")]));
  assert.ok(!allContained([], [Pattern.parse("b")]));
});

const segment = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "**");
const pattern = fc.array(segment, { maxLength: 4 })
  .filter((parts) => parts.filter((p) => p === "**").length < 2).map((p) => p.join("/"));
const path = fc.array(fc.constantFrom("a", "b", "ab", "c"), { maxLength: 5 })
  .map((parts) => parts.join("/"));

Deno.test("what contains() and below() say agrees with what matches() does, for any pattern and path", () => {
  fc.assert(fc.property(pattern, pattern, path, path, (first, second, at, rest) => {
    const [a, b] = [Pattern.parse(first), Pattern.parse(second)];
    if (a.contains(b) && b.matches(at)) assert.ok(a.matches(at));
    const whole = [at, rest].filter((p) => p !== "").join("/");
    assert.equal(a.below(at).some((p) => p.matches(rest)), a.matches(whole));
    assert.equal(a.under("x/y").matches(`x/y/${at}`), a.matches(at));
    assert.equal(compacted([a, b]).some((p) => p.matches(at)), a.matches(at) || b.matches(at));
  }));
});

Deno.test("matcherOf() takes * for one part and ** at the end for any", () => {
  const paths = ["live", "live/cam", "live/cam/hd", "lives/cam"];
  const matched = (pattern: string) => paths.filter(matcherOf([pattern]));
  assert.deepEqual(matched("live/cam"), ["live/cam"]);
  assert.deepEqual(matched("live/*"), ["live/cam"]);
  assert.deepEqual(matched("*/cam"), ["live/cam", "lives/cam"]);
  assert.deepEqual(matched("live/**"), ["live", "live/cam", "live/cam/hd"]);
  assert.deepEqual(matched("**"), paths);
});

Deno.test("isPlainPattern() refuses stars that would not do what they look like", () => {
  const texts = ["a/b", "*", "**", "a/**", "", "/a", "a/", "**/a", "a*", "a/***"];
  assert.deepEqual(texts.filter(isPlainPattern), ["a/b", "*", "**", "a/**"]);
});
