import assert from "node:assert/strict";
import { ofBroadcast, StatusLines } from "./status_lines.ts";

Deno.test("a status stays short however many have something to say, and each change is told once", () => {
  const told: (string | undefined)[] = [];
  const lines = new StatusLines((text) => told.push(text));
  lines.set("a", "one");
  lines.set("a", "one");
  lines.set("b", ofBroadcast("x\n\u202e", "two"));
  assert.deepEqual(told, ["one", "one; x\\u000a\\u202e: two"]);
  for (let i = 0; i < 1000; i++) lines.set(`${i}`, "long ".repeat(1000));
  assert.ok(told.every((text) => text!.length < 480));
  assert.match(told.at(-1)!, /; 998 more$/);
  for (let i = 0; i < 1000; i++) lines.set(`${i}`, undefined);
  lines.set("a", undefined);
  lines.set("b", undefined);
  assert.equal(told.at(-1), undefined);
});
