/**
 * Plugins within a whole server: the example by its path, the admin API, HTTP paths, and modules that are broken.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fromFileUrl } from "../../tools/file_url.ts";
import { connect } from "../../client/mod.ts";
import { start, startRelay } from "../support/program.ts";
import { launch, until } from "../support/server.ts";

const EXAMPLE = fromFileUrl(new URL("../../examples/plugin/", import.meta.url));
const CLOCK = `${EXAMPLE}clock.ts`;

interface PluginJson {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly reason: string | null;
  readonly restarts: number;
  readonly options: unknown;
}

/** Makes a file for as long as `work` takes. */
async function withFile(name: string, text: string, work: (path: string) => Promise<void>) {
  const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  try {
    await Deno.writeTextFile(`${dir}/${name}`, text);
    await work(`${dir}/${name}`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const instances = (...list: unknown[]) => `plugins: ${JSON.stringify(list)}\n`;
const clockOf = (name: string, options = {}) => ({
  name,
  module: CLOCK,
  options: { broadcast: name, every: "20ms", ...options },
});

Deno.test("The example's plugin is loaded by its path and published as its README says", async () => {
  await using relay = await startRelay(["--config", `${EXAMPLE}config.yaml`]);
  await using client = await connect(relay.url);
  const group = await client.subscribe("clock", "time").group();
  assert.match(new TextDecoder().decode((await group!.frame())!.payload), /^\d{4}-\d\d-\d\dT/);
  const now = await fetch(new URL("/clock/now", relay.url));
  assert.match(await now.text(), /^\d{4}-\d\d-\d\dT[\d:.]+Z\n$/);
  assert.equal(now.headers.get("x-content-type-options"), "nosniff");
});

Deno.test("The plugin that docs/plugins.md prints runs, and imports nothing but types", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/plugins.md", import.meta.url));
  const printed = /^```ts\n(.*?)^```/ms.exec(page)![1]!;
  assert.deepEqual(printed.match(/^import \S+/gm), ["import type"]);
  await withFile("printed.ts", printed, async (module) => {
    await using relay = await launch({ yaml: instances({ name: "printed", module }) });
    await using client = await relay.client();
    const group = await client.subscribe("clock", "time").group();
    assert.match(new TextDecoder().decode((await group!.frame())!.payload), /^\d{4}-/);
  });
});

const OF_A_CLASS = `
class Noted {
  initialize(_ctx, config) { this.given = config; }
  async run(ctx, store) {
    ctx.http.route("/noted", () => Response.json({ given: this.given, store: store.type }));
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
  }
  stop() {}
}
export default { kind: "egress", name: "noted", create: () => new Noted() };`;

Deno.test("A module may export an object that makes its plugin, as before plugin() was there", async () => {
  await withFile("noted.js", OF_A_CLASS, async (module) => {
    const clock = fromFileUrl(new URL("../support/fixtures/object_clock.ts", import.meta.url));
    await using relay = await launch({
      yaml: instances(
        { name: "old", module: clock, options: { every: "20ms", broadcast: "old" } },
        { name: "noted", module, options: { retry_after: "2s" } },
      ),
    });
    await using client = await relay.client();
    await until(async () => (await plugins(relay)).every((p) => p.state === "running"), "both");
    const group = await client.subscribe("old", "time").group();
    assert.match(new TextDecoder().decode((await group!.frame())!.payload), /^\d{4}-/);
    const noted = await fetch(`http://127.0.0.1:${relay.port}/noted`);
    assert.deepEqual(await noted.json(), { given: { retry_after: "2s" }, store: "memory" });
  });
});

Deno.test("Several instances of one plugin run side by side, and a viewer gets their frames", async () => {
  await using relay = await launch({ yaml: instances(clockOf("one"), clockOf("two")) });
  await using client = await relay.client();
  for (const name of ["one", "two"]) {
    await until(
      async () => (await plugins(relay)).find((p) => p.name === name)?.state === "running",
      name,
    );
    const group = await client.subscribe(name, "time").group();
    assert.match(new TextDecoder().decode((await group!.frame())!.payload), /^\d{4}-/);
  }
  const sessions = await relay.api<{ sessions: { transport: string; remote: string }[] }>(
    "/api/v1/sessions",
  );
  const inMemory = sessions.sessions.filter(({ transport }) => transport === "memory");
  assert.deepEqual(inMemory.map(({ remote }) => remote).sort(), ["plugin:one", "plugin:two"]);
  const metrics = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  const labels = 'name="one",kind="ingress",plugin="clock"';
  assert.ok(metrics.includes(`qumo_plugin_status{${labels},status="running"} 1`));
  assert.match(metrics, new RegExp(`qumo_plugin_frames_out_total\\{${labels}\\} [1-9]`));
});

const plugins = async (relay: { api<T>(path: string): Promise<T> }) =>
  (await relay.api<{ plugins: PluginJson[] }>("/api/v1/plugins")).plugins;

Deno.test("The admin API adds, changes, restarts and removes instances", async () => {
  await using relay = await launch({ yaml: instances(clockOf("first")) });
  const ask = async (method: string, path: string, body?: unknown, headers = {}) => {
    const answer = await fetch(`${relay.adminUrl}/api/v1/plugins/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text.startsWith("{") ? JSON.parse(text) : text };
  };
  const state = async (name: string) => (await ask("GET", name)).json.state;
  const announced = async () => {
    const text = await (await fetch(`http://127.0.0.1:${relay.port}/announced`)).text();
    return text.trim().split("\n").sort().join(",");
  };
  const { name: _, ...second } = clockOf("second", { password: "hunter2" });
  assert.match((await ask("PUT", "second", second)).json.error, /options\.password: unknown key/);
  const { name: __, ...good } = clockOf("second");
  assert.equal((await ask("PUT", "second", good)).status, 201);
  await until(async () => await announced() === "first,second", "both");

  const moved = { ...good, options: { ...good.options, broadcast: "moved" } };
  assert.equal((await ask("PUT", "second", moved)).status, 200);
  await until(async () => await announced() === "first,moved", "the new path");
  assert.equal((await ask("POST", "second/restart")).status, 202);
  await until(async () => await state("second") === "running", "running again");
  assert.equal((await ask("GET", "second")).json.restarts, 2);

  const foreign = { origin: "https://evil.example" };
  assert.equal((await ask("POST", "second/restart", undefined, foreign)).status, 403);
  assert.equal((await ask("DELETE", "second", undefined, foreign)).status, 403);
  assert.equal((await ask("PUT", "x", { module: "npm:left-pad@1.0.0" })).status, 400);
  assert.equal((await ask("PUT", "x", { module: CLOCK, name: "y" })).status, 400);
  assert.equal((await ask("PUT", "x", [])).status, 400);
  assert.equal((await ask("PUT", "no name", good)).status, 400);
  assert.equal((await ask("PATCH", "second", good)).status, 405);
  assert.equal((await ask("GET", "x")).status, 404);
  assert.equal((await ask("DELETE", "x")).status, 404);
  assert.equal((await ask("POST", "x/restart")).status, 404);

  assert.equal((await ask("DELETE", "second")).status, 204);
  await until(async () => await announced() === "first", "the other alone");
  assert.equal(await state("first"), "running");
});

const BAD_HANDLER = `export default () => ({
  kind: "egress", name: "bad",
  create: () => ({
    initialize() {},
    run(ctx) {
      ctx.http.route("/bad", (request) => {
        if (request.method === "POST") return new Response("made", { status: 201 });
        throw new Error("no");
      });
      return new Promise(() => {});
    },
    stop() { throw new Error("no"); },
  }),
});`;

Deno.test("A plugin's HTTP handler that throws answers 500 and the server goes on", async () => {
  await withFile("bad.ts", BAD_HANDLER, async (module) => {
    await using relay = await launch({
      yaml: instances({ name: "bad", module }, { name: "worse", module }),
    });
    const url = `http://127.0.0.1:${relay.port}`;
    await until(async () => {
      const states = (await plugins(relay)).map((p) => `${p.name} ${p.state} ${p.reason}`);
      return states.join().includes('failed Cannot answer at /bad: instance "');
    }, "one of the two refused");
    const thrown = await fetch(`${url}/bad/x`);
    assert.deepEqual([thrown.status, await thrown.text()], [500, "internal error\n"]);
    const made = await fetch(`${url}/bad`, { method: "POST" });
    assert.deepEqual([made.status, await made.text()], [201, "made"]);
    assert.equal(await (await fetch(`${url}/health`)).text(), "ok\n");
  });
});

Deno.test("A module that throws on load: check exits 2, the relay starts without it and says so", async () => {
  await withFile("broken.ts", 'throw new Error("no driver");', async (module) => {
    const yaml = instances({ name: "broken", module }, clockOf("fine"));
    await withFile("c.yaml", yaml, async (config) => {
      await using check = start(["check", "--config", config]);
      assert.equal(await check.ended(), 2);
      assert.match(check.output(), /c\.yaml:1:\d+ {2}plugins\.0\.module: Cannot load .*no driver/);

      await using relay = await startRelay(["--config", config]);
      await relay.saw(/"the relay runs without a plugin".*no driver/);
      const answer = await fetch(`${relay.adminUrl}/api/v1/plugins`);
      const { plugins } = await answer.json() as { plugins: PluginJson[] };
      assert.deepEqual(plugins.map(({ name }) => name), ["broken", "fine"]);
      assert.equal(plugins[0]!.state, "failed");
      await until(async () => {
        return (await (await fetch(`${relay.url}announced`)).text()) === "fine\n";
      }, "the other plugin");
      relay.process.kill("SIGTERM");
      assert.equal(await relay.ended(), 0);
    });
  });
});

Deno.test("check shows with its place what is wrong with options together, and with those of a module", async () => {
  const module = `export default ({ plugin, fields }) => plugin({
    kind: "egress", name: "own", summary: "Ours.",
    options: { from: fields.text("From."), to: fields.text("To.") },
    check: ({ from, to }) => from === to ? [{ path: ["to"], message: "the same as from" }] : [],
    async run() {},
  });`;
  const yaml = `plugins:
  - { name: sound, plugin: audio-only, options: { input: cam, output: cam } }
  - { name: own, module: ./own.js, options: { from: x, to: x } }
`;
  await withFile("c.yaml", yaml, async (config) => {
    await Deno.writeTextFile(config.replace("c.yaml", "own.js"), module);
    await using check = start(["check", "--config", config]);
    assert.equal(await check.ended(), 2);
    const said = check.output();
    assert.match(said, /c\.yaml:2:\d+ {2}plugins\.0\.options\.output: expected another name than/);
    assert.match(said, /c\.yaml:3:\d+ {2}plugins\.1\.options\.to: the same as from/);
  });
});

const THROWS_LATER = `export default () => ({
  kind: "ingress", name: "later",
  create: () => ({
    initialize() {},
    run(ctx) {
      setTimeout(() => { throw new Error("thrown in a timer"); }, 10);
      return new Promise(() => {});
    },
    stop() {},
  }),
});`;

Deno.test("A plugin that throws in a timer is failed and the process lives on", async () => {
  await withFile("later.ts", THROWS_LATER, async (module) => {
    await withFile("c.yaml", instances({ name: "later", module }), async (config) => {
      await using relay = await startRelay(["--config", config]);
      await relay.saw(/"the plugin failed".*thrown in a timer/);
      assert.equal(await (await fetch(`${relay.url}health`)).text(), "ok\n");
    });
  });
});

Deno.test("plugins list and describe show the plugins of the program and of the configuration", async () => {
  const config = ["--config", `${EXAMPLE}config.yaml`];
  await using list = start(["plugins", "list", "--json", ...config]);
  assert.equal(await list.ended(), 0);
  const clock = { kind: "ingress", name: "clock", summary: "Publishes the time as text" };
  assert.deepEqual(JSON.parse(list.output()).find((p: PluginJson) => p.name === "clock"), clock);
  await using describe = start(["plugins", "describe", "clock", ...config]);
  assert.equal(await describe.ended(), 0);
  assert.match(
    describe.output(),
    /every +"1s" +Time between frames\. \(a duration from 10ms to 1h\)/,
  );
  await using unknown = start(["plugins", "describe", "clok", ...config]);
  assert.equal(await unknown.ended(), 2);
  assert.match(unknown.output(), /did you mean clock\?/);
});
