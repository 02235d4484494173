import assert from "node:assert/strict";
import { inSentence, shortened, visible } from "./visible_text.ts";

Deno.test("visible() writes out what moves a cursor, turns text around or cannot be seen", () => {
  const shown: readonly (readonly [string, string])[] = [
    ["a\x1b[2Jb\n", "a\\u001b[2Jb\\u000a"],
    ["abc\u202efdp.exe", "abc\\u202efdp.exe"],
    ["\u2066a\u2069", "\\u2066a\\u2069"],
    ["a\u200bb\ufeff", "a\\u200bb\\ufeff"],
    ["a\u2028b", "a\\u2028b"],
    ["\u3164", "\\u3164"],
    ["a\u00a0b\u3000", "a\\u00a0b\\u3000"],
    [" a  b ", "\\u0020a  b\\u0020"],
    ["a\u200db", "a\\u200db"],
    ["\ud800", "\\ud800"],
    ["\u{e0041}", "\\u{e0041}"],
  ];
  for (const [name, text] of shown) assert.equal(visible(name), text);
});

Deno.test("visible() leaves the names of every script as they are", () => {
  const names = [
    "live/abc def",
    "日本語/カメラ",
    "مباشر",
    "می\u200cخواهم",
    "👩\u200d🚀",
    "☀\ufe0f",
    "क्\u200dष",
  ];
  for (const name of names) assert.equal(visible(name), name);
});

Deno.test("visible() gives two names one text never", () => {
  assert.notEqual(visible("\\u202e"), visible("\u202e"));
  assert.notEqual(visible("\\\\u202e"), visible("\\\u202e"));
});

Deno.test("shortened() keeps the begin and the end, within the length", () => {
  assert.equal(shortened("abcdefghij", 10), "abcdefghij");
  assert.equal(shortened("abcdefghijk", 10), "abcdef…ijk");
  assert.equal(shortened("abcdefghijk", 2), "a…");
  assert.equal([...shortened("😀".repeat(300), 60)].length, 60);
});

Deno.test("inSentence() sets a name apart that is written from right to left", () => {
  assert.equal(inSentence("demo"), "demo");
  assert.equal(inSentence("שידור"), "\u2068שידור\u2069");
  assert.equal([...inSentence("x".repeat(300))].length, 60);
});
