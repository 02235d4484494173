import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { start, startRelay } from "../../tests/support/program.ts";
import { UsageError } from "../../base/errors.ts";
import { urlOf } from "./health.ts";

const urlWith = (flags: Record<string, string>, ready = false) =>
  urlOf(parseConfig("", { flags }), ready).href;

Deno.test("health asks the admin address, else the public one, on this machine", () => {
  assert.equal(urlWith({}), "http://127.0.0.1:9090/health");
  assert.equal(urlWith({ "admin.address": "[::]:9091" }, true), "http://[::1]:9091/ready");
  assert.equal(urlWith({ "admin.address": "0.0.0.0:9091" }), "http://127.0.0.1:9091/health");
  assert.equal(urlWith({ "admin.address": "off" }), "http://[::1]:4433/health");
});

Deno.test("health says that it needs a URL where the configuration names no place", () => {
  assert.throws(() => urlWith({ "admin.address": "off" }, true), UsageError);
  assert.throws(() => urlWith({ "admin.address": "off", "server.http": "false" }), UsageError);
  assert.throws(() => urlWith({ "admin.address": "127.0.0.1:0" }), UsageError);
});

Deno.test("health ends with 0 for a relay that runs, and with 1 and the reason for none", async () => {
  await using relay = await startRelay();
  for (const url of [`${relay.adminUrl}/ready`, relay.adminUrl, relay.url]) {
    await using program = start(["health", url]);
    assert.equal(await program.ended(), 0, program.output());
  }
  for (const [url, says] of [[`${relay.adminUrl}/no`, /says 404/], ["x:", /is no URL/]] as const) {
    await using program = start(["health", url]);
    assert.notEqual(await program.ended(), 0);
    assert.match(program.output(), says);
  }
  relay.process.kill("SIGTERM");
  await relay.ended();
  await using program = start(["health", relay.adminUrl]);
  assert.equal(await program.ended(), 1);
  assert.match(program.output(), /Cannot ask/);
});
