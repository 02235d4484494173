import assert from "node:assert/strict";
import { parseConfig } from "../config/load.ts";
import { SETTINGS } from "../config/settings.ts";
import { compareConfigs, inUse, isLive } from "./reload.ts";

const BEFORE = parseConfig(`
server: { address: "127.0.0.1:4433", drain_timeout: 5s }
logging: { level: info }
`);
const READ = parseConfig(`
server: { address: "127.0.0.1:5544", drain_timeout: 9s, versions: [moq-lite-06] }
logging: { level: debug, format: json }
limits: { max_sessions: 5 }
plugins:
  - { name: a, plugin: file, options: { path: x } }
`);

Deno.test("compareConfigs() names what is in use now, and what needs a restart", () => {
  assert.deepEqual(compareConfigs(BEFORE, READ), {
    applied: ["server.drain_timeout", "limits.max_sessions", "logging.level", "plugins"],
    needsRestart: ["server.address", "server.versions", "logging.format"],
  });
  assert.deepEqual(compareConfigs(READ, READ), { applied: [], needsRestart: [] });
});

Deno.test("inUse() keeps what needs a restart as it was, so that it is named again", () => {
  const used = inUse(BEFORE, READ);
  assert.equal(used.config.server.address.port, 4433);
  assert.deepEqual([used.config.server.drainTimeout, used.config.limits.maxSessions], [9000, 5]);
  const shown = used.settings.find(({ setting }) => setting.path === "server.address");
  assert.equal(shown!.value, "127.0.0.1:4433");
  assert.deepEqual(compareConfigs(used, READ).applied, []);
  assert.deepEqual(compareConfigs(used, READ).needsRestart.length, 3);
});

Deno.test("every name in the table of live settings is one of a setting or a section", () => {
  const live = SETTINGS.filter(({ path }) => isLive(path)).map(({ path }) => path);
  for (
    const path of ["auth.key_file", "limits.max_sessions", "server.cert_file", "relay.max_age"]
  ) {
    assert.ok(live.includes(path), path);
  }
  for (const path of ["server.address", "server.workers", "relay.linger", "logging.format"]) {
    assert.ok(!live.includes(path), path);
  }
});
