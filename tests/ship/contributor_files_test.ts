/** What a contributor sees first: the version of Deno, the dev container, the forms for issues. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import manifest from "../../deno.json" with { type: "json" };
import { COMMANDS } from "../../cli/commands.ts";
import { programs } from "../support/require.ts";
import { codeFiles, ROOT } from "../../tools/module_graph.ts";

const read = (path: string) => Deno.readTextFile(ROOT + path);
const inFolder = (folder: string) =>
  [...Deno.readDirSync(ROOT + folder)].map(({ name }) => `${folder}/${name}`);

/** Documents that state what was measured or decided with the version of that day. */
const OF_ITS_DAY =
  /^(CHANGELOG\.md|docs\/adr\/|docs\/(performance|reliability|interop)\.md|bench\/results\/)/;
/** "deno@VERSION", "denoland/deno:VERSION", "deno VERSION", "Deno VERSION". */
const NAMES_DENO = /\bdeno(?:@|:| )(\d+\.\d+\.\d+)/gi;

Deno.test("whatever names a version of Deno names the one of .tool-versions", async () => {
  const [, version] = /^deno (\d+\.\d+\.\d+)\n$/.exec(await read(".tool-versions"))!;
  assert.equal(version, Deno.version.deno, "the tests run on another one");
  const places = [
    ...[".tool-versions", "deploy/Dockerfile", "deno.json", ".ci/run"],
    ...inFolder(".devcontainer"),
    ...inFolder(".github/workflows"),
    ...await codeFiles(/\.(md|yaml|yml|tsx?)$/),
  ];
  const naming = new Set<string>();
  for (const path of places.filter((path) => !OF_ITS_DAY.test(path))) {
    for (const [text, named] of (await read(path)).matchAll(NAMES_DENO)) {
      assert.equal(named, version, `${path}: ${text}`);
      naming.add(path);
    }
  }
  for (
    const path of [
      ...[".tool-versions", "README.md", "CONTRIBUTING.md", "docs/start.md", "deploy/Dockerfile"],
      ...[".devcontainer/Dockerfile", ".github/workflows/ci.yml", ".github/workflows/release.yml"],
    ]
  ) assert.ok(naming.has(path), `${path} names no version`);
});

Deno.test("the dev container has Deno's image of the relay's, and every program that tests need", async () => {
  const file = await read(".devcontainer/Dockerfile");
  const imageOf = (text: string) =>
    /^FROM (denoland\/deno:\S+@sha256:[0-9a-f]{64})/m.exec(text)?.[1];
  assert.equal(imageOf(file), imageOf(await read("deploy/Dockerfile")));
  const [, install] = /apt-get install([^&]*)/.exec(file)!;
  const packages = install!.split(/[\s\\]+/);
  for (const { name, hint } of programs()) {
    const [, wanted] = /apt-get install (\S+)$/.exec(hint)!;
    assert.ok(packages.includes(wanted!), name);
  }
  const container = JSON.parse(await read(".devcontainer/devcontainer.json"));
  await Deno.stat(`${ROOT}.devcontainer/${container.build.dockerfile}`);
  const [, task] = /^deno task (\w+)$/.exec(container.postCreateCommand)!;
  assert.ok(task! in manifest.tasks);
  assert.match(file, new RegExp(`\\buseradd .* ${container.remoteUser}$`, "m"));
});

interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly {
    readonly type: string;
    readonly id?: string;
    readonly attributes: { readonly label?: string; readonly value?: string; options?: string[] };
  }[];
}

Deno.test("the forms for issues are what GitHub takes, and ask for commands that exist", async () => {
  const forms = inFolder(".github/ISSUE_TEMPLATE").filter((path) => !path.endsWith("config.yml"));
  assert.deepEqual(forms.map((path) => path.split("/").at(-1)).sort(), [
    ...["bug.yml", "feature.yml", "interop.yml"],
  ]);
  for (const path of forms) {
    const text = await read(path);
    const { name, description, body } = parse(text) as Form;
    assert.ok(name !== "" && description.length > 10, path);
    const fields = body.filter(({ type }) => type !== "markdown");
    for (const { type, attributes } of fields) {
      assert.ok(["input", "textarea", "dropdown"].includes(type), `${path}: ${type}`);
      assert.ok(attributes.label !== undefined, path);
      assert.equal(attributes.options !== undefined, type === "dropdown", path);
    }
    const ids = fields.map(({ id }) => id);
    assert.ok(!ids.includes(undefined) && new Set(ids).size === ids.length, path);
    for (const [, command] of text.matchAll(/`qumo-relay ([a-z]+)/g)) {
      assert.ok(COMMANDS.some((c) => c.name === command), `${path}: no command ${command}`);
    }
  }
});

Deno.test("the pull-request template asks for the checks that CI makes", async () => {
  const text = await read(".github/pull_request_template.md");
  for (const [, task] of text.matchAll(/`deno task (\w+)`/g)) {
    assert.ok(task! in manifest.tasks, task);
  }
  assert.ok(text.includes("`deno task ok`"));
});
