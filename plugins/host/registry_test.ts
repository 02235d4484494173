import assert from "node:assert/strict";
import { entryOf, plugin } from "../../tests/support/test_plugins.ts";
import { type PluginReference, PluginRegistry } from "./registry.ts";

const registry = () => {
  const known = new PluginRegistry([]);
  known.add(entryOf("ingress", "hls", () => plugin({}), "pulls"));
  known.add(entryOf("egress", "hls", () => plugin({})));
  known.add(entryOf("ingress", "rtsp", () => plugin({})));
  return known;
};

Deno.test("find() tells plugins of one name apart by their kind, and says what it does not know", () => {
  const known = registry();
  assert.equal(known.find({ plugin: "rtsp" }).kind, "ingress");
  assert.equal(known.find({ plugin: "hls", kind: "egress" }).kind, "egress");
  const refused: readonly [PluginReference, RegExp][] = [
    [{ plugin: "hls" }, /"hls" exists as ingress and as egress; say which with `kind`/],
    [{ plugin: "rtps" }, /there is no plugin "rtps"; did you mean rtsp\?/],
    [{ plugin: "kaleidoscope" }, /there is no plugin "kaleidoscope"; known are hls, rtsp/],
    [{ plugin: "rtsp", kind: "egress" }, /no egress plugin "rtsp"; it is ingress/],
    [{}, /there is no plugin ""/],
  ];
  for (const [reference, message] of refused) {
    assert.throws(() => known.find(reference), { code: "QUMO_PLUGIN_UNKNOWN", message });
  }
  assert.throws(() => known.add(entryOf("egress", "hls", () => plugin({}))), TypeError);
});

Deno.test("The built-in plugins keep their promises: name, kind, a summary, a schema", async () => {
  const known = new PluginRegistry();
  for (const entry of known.entries()) {
    const definition = await known.load({ kind: entry.kind, plugin: entry.name });
    assert.equal(definition.kind, entry.kind);
    assert.equal(definition.name, entry.name);
    assert.notEqual(definition.summary, "");
    assert.equal(definition.options.schema["type"], "object");
  }
});

async function module(dir: string, source: string): Promise<string> {
  const file = await Deno.makeTempFile({ dir, suffix: ".ts" });
  await Deno.writeTextFile(file, source);
  return new URL(`file://${file}`).href;
}

const GOOD = `export default ({ options, fields }) => ({
  kind: "ingress", name: "own", summary: "Ours.",
  options: options({ every: fields.duration({ min: "1s", max: "1h", byDefault: "2s" }, "How often.") }),
  create: () => ({ initialize() {}, async run() {}, stop() {} }),
});`;

Deno.test("A module exports its plugin as its default, or a function that makes it of the builders", async () => {
  const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  try {
    const known = new PluginRegistry([]);
    const { kind, name, options } = await known.load({ module: await module(dir, GOOD) });
    assert.deepEqual([kind, name, options.read(undefined)], ["ingress", "own", { every: 2000 }]);
    assert.throws(() => options.read({ evry: "3s" }), /unknown key; did you mean "every"\?/);

    const bad: readonly [string, RegExp][] = [
      ['throw new Error("no camera driver");', /Cannot load .*no camera driver/],
      ["export const plugin = 1;", /does not export a plugin as its default/],
      ['export default { kind: "camera" };', /none of ingress, transform, egress/],
      ['export default { kind: "egress", name: "x" };', /no function `create`/],
      ["export default () => { throw null; };", /Cannot load/],
      ["this is no TypeScript", /Cannot load/],
    ];
    for (const [source, message] of bad) {
      const reference = { module: await module(dir, source) };
      await assert.rejects(known.load(reference), { code: "QUMO_PLUGIN_LOAD", message });
    }
    const other = { module: await module(dir, GOOD), plugin: "theirs" };
    await assert.rejects(known.load(other), /its plugin is called "own", not "theirs"/);
    await assert.rejects(known.load({ module: `file://${dir}/none.ts` }), /Cannot load .*none\.ts/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("A module that was changed is loaded anew", async () => {
  const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  try {
    const known = new PluginRegistry([]);
    const reference = { module: await module(dir, 'throw new Error("not yet");') };
    await assert.rejects(known.load(reference), /not yet/);
    await Deno.writeTextFile(new URL(reference.module), GOOD);
    await Deno.utime(new URL(reference.module), new Date(), new Date(Date.now() + 5000));
    assert.equal((await known.load(reference)).name, "own");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
