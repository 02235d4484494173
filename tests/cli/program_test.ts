import assert from "node:assert/strict";
import { follow } from "../support/program.ts";

/** A program that writes "first" and stays until it is ended, or ends by itself. */
function program(then: string) {
  return follow(
    new Deno.Command(Deno.execPath(), {
      args: ["eval", `console.log("first"); ${then}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

Deno.test("a line that never comes is waited for as long as was said, and the error has what came", async () => {
  await using stays = program("setInterval(() => {}, 1000)");
  assert.equal(await stays.saw(/f.rst/), "first");
  await assert.rejects(stays.saw("second", 1), /did not write "second" within 1 ms: first\n/);
});

Deno.test("a program that ends without a line is not waited for", async () => {
  await using ends = program("");
  await assert.rejects(ends.saw("second"), /ended without "second": first\n/);
});
