/** `deno task new:plugin`, run as a contributor and as a user would: what it writes passes its test, and runs in a relay. */
import assert from "node:assert/strict";
import { connect } from "../client/mod.ts";
import { PLUGIN_KINDS } from "../base/plugin_kind.ts";
import { start, startRelay } from "../tests/support/program.ts";
import { until } from "../tests/support/server.ts";
import { fromFileUrl } from "./file_url.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

async function withFolder(work: (dir: string) => Promise<void>) {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "qumo-relay-test-" }));
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function write(args: readonly string[], root = ROOT): Promise<[number, string]> {
  await using tool = start(args, { script: `${root}/tools/new_plugin.ts`, cwd: root });
  return [await tool.ended(), tool.output()];
}

/** Runs its tests. Those beside the tool are checked for their types as they stand; here what is made of one is enough. */
async function passes(folder: string, count: number, root = ROOT): Promise<void> {
  const check = root === ROOT ? ["--no-check"] : [];
  const args = ["test", "-A", ...check, "--config", `${root}/deno.json`, folder];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert.match(
    said,
    new RegExp(`ok \\| ${count} passed \\| 0 failed`),
    `${said}
${new TextDecoder().decode(stderr)}`,
  );
}

const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

Deno.test("new:plugin --into writes a module of each kind that passes its test and runs by its path", async () => {
  await withFolder(async (dir) => {
    for (const kind of PLUGIN_KINDS) {
      const [code, said] = await write([`my-${kind}`, "--kind", kind, "--into", `${dir}/${kind}`]);
      assert.equal(code, 0, said);
    }
    await passes(dir, 6);
    const module = (kind: string) => `module: ./${kind}/my_${kind}.ts`;
    await Deno.writeTextFile(
      `${dir}/all.yaml`,
      `plugins:
  - { name: in, ${module("ingress")}, options: { every: 20ms } }
  - { name: between, ${module("transform")}, options: { input: my-ingress } }
  - { name: out, ${module("egress")}, options: { broadcast: my-transform } }
`,
    );
    await using relay = await startRelay(["--config", `${dir}/all.yaml`]);
    await using viewer = await connect(relay.url);
    using lines = viewer.subscribe("my-transform", "lines");
    assert.equal(text((await (await lines.group())!.frame())!.payload), "HELLO");
    await until(async () => {
      return await (await fetch(new URL("/my-egress", relay.url))).text() === "HELLO";
    }, "the line by HTTP");
    await using single = await startRelay(["--config", `${dir}/ingress/config.yaml`]);
    await using other = await connect(single.url);
    using own = other.subscribe("my-ingress", "lines");
    assert.equal(text((await (await own.group())!.frame())!.payload), "hello");
  });
});

/** What a checkout needs for this: all but what is made, and the documents. */
async function copy(from: string, to: string): Promise<void> {
  const left = new Set([".git", "dist", "coverage", "certs", "node_modules", "docs", "bench"]);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (left.has(name)) continue;
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("new:plugin writes one that comes with the program: its test passes, it is listed, and it runs", async () => {
  await withFolder(async (root) => {
    await copy(ROOT, root);
    const [code, said] = await write(["my-thing"], root);
    assert.equal(code, 0, said);
    assert.match(said, /plugins\/ingress\/my_thing\/mod\.ts\n(.*\n)+Added a line to plugins\/host/);
    await passes(`${root}/plugins/ingress/my_thing`, 2, root);
    const config = `${root}/one.yaml`;
    await Deno.writeTextFile(config, "plugins: [{ name: one, plugin: my-thing }]\n");
    const program = { script: `${root}/main.ts`, cwd: root };
    await using list = start(["plugins", "list"], program);
    assert.equal(await list.ended(), 0);
    assert.match(list.output(), /^ingress +my-thing +Publishes a line/m);
    await using relay = await startRelay(["--config", config], program);
    await using viewer = await connect(relay.url);
    using lines = viewer.subscribe("my-thing", "lines");
    assert.equal(text((await (await lines.group())!.frame())!.payload), "hello");
    assert.match((await write(["my-thing"], root))[1], /There is a plugin my-thing/);
  });
});

Deno.test("new:plugin says what is wrong with its arguments, and writes over nothing", async () => {
  await withFolder(async (dir) => {
    const wrong: readonly [string[], RegExp][] = [
      [[], /Name it with small letters/],
      [["My_Thing"], /got My_Thing/],
      [["../../x"], /small letters/],
      [["x", "--kind", "camera"], /--kind is one of ingress, transform, egress; got camera/],
      [["rtmp"], /There is a plugin rtmp of the kind ingress/],
      [["x", "--in", dir], /Unknown option '--in'/],
    ];
    for (const [args, message] of wrong) {
      const [code, said] = await write(args);
      assert.deepEqual([code, message.test(said)], [2, true], said);
    }
    await Deno.writeTextFile(`${dir}/x.ts`, "mine");
    const [code, said] = await write(["x", "--into", dir]);
    assert.deepEqual([code, /nothing that is there/.test(said)], [2, true], said);
    assert.equal(await Deno.readTextFile(`${dir}/x.ts`), "mine");
  });
});
