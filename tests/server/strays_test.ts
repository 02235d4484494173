/** Failures that nobody handles: the rule is the same in each thread, with plugins and without. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { startRelay } from "../support/program.ts";
import { until } from "../support/server.ts";

const script = new URL("../support/programs/stray_program.js", import.meta.url).href;

Deno.test("a failure that reaches nobody is counted and logged, and ends neither the program nor a thread", async () => {
  const flags = ["--server.workers", "2", "--auth.anonymous", "true"];
  const file = await Deno.makeTempFile();
  await Deno.remove(file);
  const env = { QUMO_TEST_STRAY_FILE: file };
  await using relay = await startRelay(flags, { script, env, runFlags: ["--unstable-net"] });
  const client = await connect(relay.url);
  const strays = async () => {
    const text = await (await fetch(`${relay.adminUrl}/metrics`)).text();
    return Number(/^qumo_stray_failures_total (\d+)$/m.exec(text)?.[1]);
  };
  assert.equal(await strays(), 0);
  await Deno.writeTextFile(file, "");
  await until(async () => await strays() === 4, "two failures of two threads", 60_000);
  const lines = relay.output().split("\n").filter((line) => line.includes("reached nobody"));
  assert.equal(lines.filter((line) => line.includes("a stray promise")).length, 2);
  assert.equal(lines.filter((line) => line.includes("a stray timer")).length, 2);
  assert.doesNotMatch(relay.output(), /a worker died/);
  client.publish("still/there");
  await until(async () => {
    return (await (await fetch(`${relay.url}announced`)).text()) === "still/there\n";
  }, "the session to go on");
  await client.close();
  await Deno.remove(file);
});
