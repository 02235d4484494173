import { deepStrictEqual } from "node:assert/strict";
import { isPattern, matchesPattern } from "./path_pattern.ts";

Deno.test("matchesPattern() takes * for one part and ** at the end for any", () => {
  const paths = ["live", "live/cam", "live/cam/hd", "lives/cam"];
  const matched = (pattern: string) => paths.filter((path) => matchesPattern(pattern, path));
  deepStrictEqual(matched("live/cam"), ["live/cam"]);
  deepStrictEqual(matched("live/*"), ["live/cam"]);
  deepStrictEqual(matched("*/cam"), ["live/cam", "lives/cam"]);
  deepStrictEqual(matched("live/**"), ["live", "live/cam", "live/cam/hd"]);
  deepStrictEqual(matched("**"), paths);
});

Deno.test("isPattern() refuses stars that would not do what they look like", () => {
  const texts = ["a/b", "*", "**", "a/**", "", "/a", "a/", "**/a", "a*", "a/***"];
  deepStrictEqual(texts.filter(isPattern), ["a/b", "*", "**", "a/**"]);
});
