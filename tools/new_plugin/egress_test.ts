import assert from "node:assert/strict";
import { pluginKit } from "../../plugins/kit.ts";
import type { PluginRoute } from "../../plugins/plugin.ts";
import { MemoryRelay, runPlugin } from "../../tests/support/plugin_run.ts";
import { until } from "../../tests/support/server.ts";
import make from "./egress.ts";

const { create } = make(pluginKit);
const ASKED = new Request("http://relay/template");
const PEER = { remote: "127.0.0.1", network: "127.0.0.1" };

/** Runs it beside a broadcast. @param may Whether who asks may watch that. */
async function answer(may: boolean): Promise<Response> {
  await using at = new MemoryRelay();
  await using publisher = await at.client();
  publisher.publish("cam").track("lines").write("good morning");
  const routes = new Map<string, PluginRoute>();
  const run = await runPlugin(create(), at, {}, {
    ctx: {
      http: { route: (path, handler) => (routes.set(path, handler), { [Symbol.dispose]() {} }) },
      mayRead: () => Promise.resolve(may),
    },
  });
  await until(() => run.ctx.stats.framesIn > 0, "the line to be read");
  const response = await routes.get("/template")!(ASKED, PEER);
  await run.end();
  return response;
}

Deno.test("template answers with the newest line", async () => {
  assert.equal(await (await answer(true)).text(), "good morning");
});

Deno.test("template answers nobody who may not watch the broadcast", async () => {
  assert.equal((await answer(false)).status, 403);
});
