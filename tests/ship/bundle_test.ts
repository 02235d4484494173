/** The program as it is shipped, in one file: bundled, packed with Deno, compiled. It runs outside the project, as it does for users. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ROOT } from "../../tools/module_graph.ts";
import { follow, start, startRelay } from "../support/program.ts";
import { ownPlatform, packed } from "../../tools/ship/pack.ts";
import { smoke } from "../../tools/ship/smoke.ts";
import { until } from "../support/server.ts";

async function task(name: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", name, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout) + text.decode(stderr) };
}

let bundled: Promise<string> | undefined;

/** The bundle's path. It is made once for all. */
function bundle(): Promise<string> {
  return bundled ??= task("bundle", []).then(({ code, output }) => {
    assert.equal(code, 0, output);
    return `${ROOT}dist/qumo-relay.js`;
  });
}

Deno.test("the bundle runs from any folder, with the page inside", async () => {
  const made = await bundle();
  const dir = await Deno.makeTempDir();
  try {
    const script = `${dir}/qumo-relay.js`;
    await Deno.copyFile(made, script);
    await using version = start(["version"], { script, runFlags: ["--unstable-net"] });
    assert.equal(await version.ended(), 0, version.output());
    // Each worker runs this file again.
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

Deno.test(
  "the image's command line runs in folders like the image's, and its health check finds it well",
  {
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    const made = await bundle();
    const dir = await Deno.makeTempDir();
    try {
      for (const folder of ["app", "etc/qumo-relay", "var/lib/qumo-relay", "tmp", "run/secrets"]) {
        await Deno.mkdir(`${dir}/${folder}`, { recursive: true });
      }
      await Deno.copyFile(made, `${dir}/app/qumo-relay.js`);
      const file = await Deno.readTextFile(`${ROOT}deploy/Dockerfile`);
      const [health, serve] = [...file.matchAll(/"run", ([^\]]*)\]/g)].map(([, list]) =>
        (JSON.parse(`[${list!.replaceAll("\\\n", "")}]`) as string[]).map((word) =>
          word.replaceAll(/(?<=^|=|,)\//g, `${dir}/`)
        )
      );
      const state = `${dir}/var/lib/qumo-relay`;
      await using relay = follow(
        new Deno.Command(Deno.execPath(), {
          args: ["run", ...serve!, "serve"],
          cwd: state,
          stdout: "piped",
          stderr: "piped",
          clearEnv: true,
          env: {
            ...{ DENO_DIR: `${state}/deno`, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
            ...{ QUMO_SERVER_ADDRESS: "127.0.0.1:0", QUMO_ADMIN_ADDRESS: "127.0.0.1:0" },
            ...{ QUMO_SERVER_WORKERS: "2", QUMO_LOGGING_FORMAT: "json" },
          },
        }).spawn(),
      );
      await relay.saw(/"message":"started".*\n/);
      const [, admin] = /admin (127[\d.:]+)/.exec(relay.output())!;
      const checked = await new Deno.Command(Deno.execPath(), {
        args: ["run", ...health!, `http://${admin}/health`],
        cwd: state,
      }).output();
      assert.equal(checked.code, 0, new TextDecoder().decode(checked.stderr));
      relay.process.kill("SIGTERM");
      assert.equal(await relay.ended(), 0, relay.output());
      assert.doesNotMatch(relay.output(), /NotCapable|Requires \w+ access/);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

Deno.test("the packed executable passes the smoke test", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const dir = await Deno.makeTempDir();
  const cache = Deno.env.get("QUMO_CACHE_DIR");
  try {
    const file = await packed({
      platform: ownPlatform(),
      deno: await Deno.readFile(Deno.execPath()),
      program: await Deno.readFile(await bundle()),
      level: 1,
    });
    await Deno.writeFile(`${dir}/qumo-relay`, file, { mode: 0o755 });
    Deno.env.set("QUMO_CACHE_DIR", dir);
    const steps: string[] = [];
    await smoke(`${dir}/qumo-relay`, (step) => steps.push(step));
    assert.equal(steps.at(-1), "SIGTERM ends it with code 0");
  } finally {
    if (cache === undefined) Deno.env.delete("QUMO_CACHE_DIR");
    else Deno.env.set("QUMO_CACHE_DIR", cache);
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("compile packs the program into a base binary, here Deno itself in its place", async () => {
  await bundle();
  const dir = await Deno.makeTempDir();
  try {
    const output = `${dir}/qumo-relay`;
    const made = await task("compile", ["--no-bundle", "--output", output], {
      DENORT_BIN: Deno.execPath(),
    });
    assert.equal(made.code, 0, made.output);
    const base = (await Deno.stat(Deno.execPath())).size;
    const added = (await Deno.readFile(output)).subarray(base);
    const has = (text: string) => Buffer.from(added).includes(text);
    assert.ok(has("embedWeb("), "the page");
    assert.ok(has("new Worker("), "worker threads");
    assert.ok(has('"allow_ffi":null') && has('"allow_sys":["hostname"'), "named permissions");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("compile says that its base binary cannot be had, and fails", async () => {
  await bundle();
  const nowhere = "http://127.0.0.1:1";
  const { code, output } = await task("compile", [
    "--no-bundle",
    "--target",
    "aarch64-apple-darwin",
  ], {
    HTTPS_PROXY: nowhere,
    https_proxy: nowhere,
    NO_PROXY: "",
    DENORT_BIN: "",
  });
  assert.notEqual(code, 0);
  assert.match(output, /downloads a base binary \(denort\)/);
});
