import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import { parseString, parseStringList, printString, printStringList } from "./structured_field.ts";

Deno.test("parseStringList() reads what Chromium offers", () => {
  assert.deepEqual(parseStringList('"moq-lite-05", "moq-lite-04"'), ["moq-lite-05", "moq-lite-04"]);
});

Deno.test("parseStringList() reads parameters away, tabs around commas and escapes", () => {
  assert.deepEqual(parseStringList(' "a";q=1;x;y="\\"z" \t,\t"b\\"c\\\\" '), ["a", 'b"c\\']);
  assert.deepEqual(parseStringList(""), []);
});

Deno.test("parseStringList() refuses what is not a list of strings", () => {
  for (const field of ["moq", '"a",', ',"a"', '"a" "b"', '"a', '"a\\n"', '"é"', "1", '("a")']) {
    assert.throws(() => parseStringList(field), ProtocolViolation, field);
  }
});

Deno.test("parseString() reads one string and nothing more", () => {
  assert.equal(parseString('"moq-lite-05"'), "moq-lite-05");
  assert.throws(() => parseString('"a", "b"'), ProtocolViolation);
  assert.throws(() => parseString(""), ProtocolViolation);
});

Deno.test("what is printed reads back; what cannot travel is refused", () => {
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[\x20-\x7e]*$/)), (values) => {
    assert.deepEqual(parseStringList(printStringList(values)), values);
  }));
  assert.throws(() => printString("é"), RangeError);
});

Deno.test("parseStringList() only ever throws ProtocolViolation, whatever the text", () => {
  fc.assert(fc.property(fc.string(), (field) => {
    try {
      parseStringList(field);
    } catch (thrown) {
      assert.ok(thrown instanceof ProtocolViolation);
    }
  }));
});
