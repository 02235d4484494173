import assert from "node:assert/strict";
import { withPart } from "./marked_part.ts";

const MARKS = { begin: "<!-- made -->", end: "<!-- end -->" };

Deno.test("withPart() replaces what stands between the marks, and only that", () => {
  const once = withPart("a\n<!-- made -->\nold\n<!-- end -->\nb\n", MARKS, "new");
  assert.equal(once, "a\n<!-- made -->\n\nnew\n\n<!-- end -->\nb\n");
  assert.equal(withPart(once, MARKS, "new"), once);
});

Deno.test("withPart() refuses a document that has lost a mark, or has one twice", () => {
  for (
    const document of [
      "nothing",
      "<!-- made -->",
      "<!-- end -->\n<!-- made -->",
      "<!-- made --><!-- made --><!-- end -->",
      "<!-- made --><!-- end --><!-- end -->",
    ]
  ) assert.throws(() => withPart(document, MARKS, "x"), /no place marked/, document);
});
