import assert from "node:assert/strict";
import fc from "fast-check";
import { isTemplate, nameOf, namePattern } from "./names.ts";

const AT_MS = Date.UTC(2026, 10, 21, 10, 30, 5, 7);

Deno.test("nameOf() puts broadcast and time into the template", () => {
  const name = nameOf("{broadcast}/{time}.mp4", "live/cam 1", AT_MS);
  assert.equal(name, "live/cam 1/2026-11-21T10-30-05-007Z.mp4");
  assert.equal(nameOf("{time}.mp4", "cam", AT_MS, 2), "2026-11-21T10-30-05-007Z-2.mp4");
});

Deno.test("no broadcast's name leads out of the directory, and each is recognized again", () => {
  const part = fc.oneof(fc.string(), fc.constantFrom("..", ".", "...", "a\\b", "\0", "$&"));
  fc.assert(fc.property(fc.array(part), (parts) => {
    const template = "{broadcast}/{time}.mp4";
    const name = nameOf(template, parts.join("/"), AT_MS);
    assert.ok(name.split("/").every((p) => p !== "" && !p.startsWith(".") && !/[\0\\]/.test(p)));
    assert.match(name, namePattern(template));
  }));
});

Deno.test("namePattern() knows the files of its template from all others", () => {
  const pattern = namePattern("tv-{time}.mp4");
  assert.match("tv-2026-11-21T10-30-05-007Z.mp4", pattern);
  for (const other of ["holiday.mp4", "tv-.mp4", "x/tv-2026-11-21T10-30-05-007Z.mp4"]) {
    assert.doesNotMatch(other, pattern);
  }
});

Deno.test("isTemplate() refuses what has no time, or leaves the directory", () => {
  assert.ok(isTemplate("{broadcast}/{time}.mp4"));
  for (
    const wrong of ["{broadcast}.mp4", "../{time}.mp4", "/{time}.mp4", "{time}", "{x}{time}.mp4"]
  ) {
    assert.ok(!isTemplate(wrong), wrong);
  }
});
