/**
 * Writes a plugin that runs, and its test that passes: `deno task new:plugin NAME [--kind KIND] [--into FOLDER]`.
 *
 * Without `--into` it becomes one of those that come with the program: plugins/KIND/NAME/ and a line in
 * plugins/host/builtin.ts. With it a module of its own is written, which a configuration names by its path. The files
 * beside this one are what is written, with other names; they are tested as they stand.
 */
import { parseArgs } from "node:util";
import { relative, resolve } from "node:path";
import { PLUGIN_KINDS } from "../base/plugin_kind.ts";
import { BUILT_IN } from "../plugins/host/builtin.ts";
import { fromFileUrl } from "./file_url.ts";
import { say } from "./say.ts";

const ROOT = resolve(fromFileUrl(new URL("..", import.meta.url)));
const REGISTRY = `${ROOT}/plugins/host/builtin.ts`;

/** The wrong word in a command line, and what would be right. */
class Wrong extends Error {}

interface Wanted {
  /** "my-thing" */
  readonly name: string;
  /** "my_thing" */
  readonly file: string;
  /** "myThing" */
  readonly value: string;
  readonly kind: string;
}

function wantedBy(name: string | undefined, kind: string): Wanted {
  if (name === undefined || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Wrong(`Name it with small letters, digits and dashes, like my-thing; got ${name}`);
  }
  if (!(PLUGIN_KINDS as readonly string[]).includes(kind)) {
    throw new Wrong(`--kind is one of ${PLUGIN_KINDS.join(", ")}; got ${kind}`);
  }
  if (BUILT_IN.some((one) => one.kind === kind && one.name === name)) {
    throw new Wrong(`There is a plugin ${name} of the kind ${kind} already`);
  }
  const value = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return { name, file: name.replaceAll("-", "_"), value, kind };
}

/** A file beside this one under its new name, as it has to read in that folder. */
async function written(from: string, folder: string, { name }: Wanted): Promise<string> {
  const text = await Deno.readTextFile(new URL(`new_plugin/${from}`, import.meta.url));
  const root = relative(folder, ROOT).replaceAll("\\", "/");
  return text.replaceAll('"../../', `"${root || "."}/`).replaceAll("template", name);
}

/** In place of a module that is handed what it needs, one that imports it. */
function builtIn(module: string, { value }: Wanted): string {
  const body = module.replace(/import type .*kit\.ts";\n\n/, "");
  const [about = "", rest = ""] = body.split("\nexport default (");
  const [given = "", parts = ""] = rest.split(": PluginKit) =>\n");
  const imports = [
    ...(given.includes("sleep") ? ['import { sleep } from "../../../base/sleep.ts";'] : []),
    'import * as fields from "../../../config/fields.ts";',
    'import { plugin } from "../../plugin.ts";',
  ];
  const made = parts.replace(/^ {2}/gm, "").replace("plugin(", `export const ${value} = plugin(`);
  return `${about}\n${imports.join("\n")}\n\n${made}`;
}

function builtInTest(test: string, { value, kind }: Wanted): string {
  return test.replace(/import \{ pluginKit .*\n/, "")
    .replace(`import make from "./${kind}.ts";`, `import { ${value} } from "./mod.ts";`)
    .replace("make(pluginKit)", value)
    .replace("../../../plugins/", "../../");
}

async function writeNew(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { createNew: true });
  say(`Wrote ${relative(Deno.cwd(), path)}`);
}

/** One that comes with the program. */
async function intoProgram(wanted: Wanted): Promise<void> {
  const { name, file, value, kind } = wanted;
  const folder = `${ROOT}/plugins/${kind}/${file}`;
  const registry = await Deno.readTextFile(REGISTRY);
  const begin = registry.indexOf(`\n  ${kind}: {\n`);
  const end = registry.indexOf("\n  },\n", begin) + 1;
  const key = name === value ? name : `"${name}"`;
  const line = `    ${key}: async () => (await import("../${kind}/${file}/mod.ts")).${value},\n`;
  await Deno.mkdir(folder, { recursive: true });
  await writeNew(`${folder}/mod.ts`, builtIn(await written(`${kind}.ts`, folder, wanted), wanted));
  const test = await written(`${kind}_test.ts`, folder, wanted);
  await writeNew(`${folder}/mod_test.ts`, builtInTest(test, wanted));
  await Deno.writeTextFile(REGISTRY, registry.slice(0, end) + line + registry.slice(end));
  const format = ["fmt", "--quiet", folder, REGISTRY];
  await new Deno.Command(Deno.execPath(), { args: format, cwd: ROOT }).output();
  say(`Added a line to plugins/host/builtin.ts
Test it:      deno test -A plugins/${kind}/${file}
Look at it:   deno run -A main.ts plugins describe ${name} --kind ${kind}
Still to do:  its part of docs/${kind === "transform" ? "transforms" : kind}.md, and its line in
              tests/ship/service_unit_test.ts, which runs every plugin as the service does`);
}

/** A module of its own. */
async function intoFolder(folder: string, wanted: Wanted): Promise<void> {
  const { name, file, kind } = wanted;
  await Deno.mkdir(folder, { recursive: true });
  await writeNew(`${folder}/${file}.ts`, await written(`${kind}.ts`, folder, wanted));
  const test = await written(`${kind}_test.ts`, folder, wanted);
  await writeNew(`${folder}/${file}_test.ts`, test.replace(`"./${kind}.ts"`, `"./${file}.ts"`));
  await writeNew(
    `${folder}/config.yaml`,
    `plugins:\n  - name: ${name}\n    module: ./${file}.ts\n`,
  );
  const [here, config] = [folder, `${ROOT}/deno.json`].map((path) => relative(Deno.cwd(), path));
  say(`Test it:      deno test -A --config ${config} ${here}
Look at it:   qumo-relay plugins describe ${name} --config ${here}/config.yaml
Run it:       qumo-relay --config ${here}/config.yaml`);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kind: { type: "string", default: "ingress" }, into: { type: "string" } },
  });
  const wanted = wantedBy(positionals[0], values.kind);
  if (values.into === undefined) await intoProgram(wanted);
  else await intoFolder(resolve(values.into), wanted);
} catch (error) {
  const { message, code = "" } = error as Error & { code?: string };
  const there = error instanceof Deno.errors.AlreadyExists;
  if (!there && !(error instanceof Wrong) && !code.startsWith("ERR_PARSE_ARGS")) throw error;
  say(there ? `${message}: nothing that is there is written over` : message);
  Deno.exit(2);
}
