/** The program as one file: made by `deno task bundle` and run away from the project, as users do. */
import assert from "node:assert/strict";
import { ROOT } from "../tools/module_graph.ts";
import { start, startRelay } from "./support/program.ts";
import { until } from "./support/server.ts";

async function task(name: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", name, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout) + text.decode(stderr) };
}

Deno.test("the bundle runs from any folder, with the page inside", async () => {
  const made = await task("bundle", []);
  assert.equal(made.code, 0, made.output);
  const dir = await Deno.makeTempDir();
  try {
    const script = `${dir}/qumo-relay.js`;
    await Deno.copyFile(`${ROOT}dist/qumo-relay.js`, script);
    await using version = start(["version"], { script, runFlags: ["--unstable-net"] });
    assert.equal(await version.ended(), 0, version.output());
    // Each worker is this file once more.
    await using relay = await startRelay(["--server.workers", "2"], {
      script,
      runFlags: ["--unstable-net"],
      cwd: dir,
    });
    assert.match(relay.output(), /worker 1 127/);
    const page = await (await fetch(relay.url)).text();
    const [path] = /assets\/page\.js/.exec(page)!;
    const asset = await fetch(new URL(path, relay.url));
    assert.equal(asset.status, 200);
    assert.equal(await asset.text(), await Deno.readTextFile(`${ROOT}dist/web/${path}`));
    await using health = start(["health", relay.adminUrl], {
      script,
      runFlags: ["--unstable-net"],
    });
    assert.equal(await health.ended(), 0, health.output());
    await using sub = start(["sub", relay.url], { script, runFlags: ["--unstable-net"] });
    await until(async () => {
      const { sessions } = await (await fetch(`${relay.adminUrl}/api/v1/sessions`)).json();
      return sessions.length === 1;
    }, `the session of ${sub.process.pid}`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("compile says that its base binary cannot be had, and fails", async () => {
  const nowhere = "http://127.0.0.1:1";
  const { code, output } = await task("compile", ["--target", "aarch64-apple-darwin"], {
    HTTPS_PROXY: nowhere,
    https_proxy: nowhere,
    NO_PROXY: "",
    DENORT_BIN: "",
  });
  assert.notEqual(code, 0);
  assert.match(output, /downloads a base binary \(denort\)/);
});
