import assert from "node:assert/strict";
import { found } from "./find_broadcast.ts";

Deno.test("found() takes words in any order, whatever their case and accents", () => {
  const names = ["Café/Live one", "cafe/two", "studio/ONE", "a.b*c"];
  assert.deepEqual(found(names, "one cafe"), ["Café/Live one"]);
  assert.deepEqual(found(names, "CAFÉ"), ["Café/Live one", "cafe/two"]);
  assert.deepEqual(found(names, "b*c"), ["a.b*c"]);
  assert.deepEqual(found(names, "none of these"), []);
  assert.equal(found(names, "  "), names);
});
