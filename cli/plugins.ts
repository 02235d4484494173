import { ConfigError, inOrder } from "../config/problems.ts";
import { didYouMean } from "../base/suggest.ts";
import { reasonOf, UsageError } from "../base/errors.ts";
import { PluginUnknown } from "../plugins/errors.ts";
import { PLUGIN_KINDS, type PluginKind } from "../base/plugin_kind.ts";
import type { PluginDefinition } from "../plugins/plugin.ts";
import { PluginRegistry } from "../plugins/host/registry.ts";
import { parseFlags, switchFlag, textFlag } from "./shell/args.ts";
import { CONFIG_FLAGS, configOf } from "./config/config_flags.ts";
import { visible } from "../base/visible_text.ts";
import { print, say } from "./shell/output.ts";

export const usage = `Usage: qumo-relay plugins list [--json] [--config FILE]
       qumo-relay plugins describe NAME [--kind KIND] [--json] [--config FILE]

"list" prints the plugins there are: those of the program, and those whose modules the configuration
names. "describe" prints the options of one.

Examples:
  qumo-relay plugins list
  qumo-relay plugins describe clock --config examples/plugin/config.yaml

      --json         Print JSON; of "describe", a JSON schema of the options.
      --kind KIND    ingress, transform or egress: which of two plugins of one name.
  -c, --config FILE  The configuration file; without it configs/config.yaml is read if it is there.`;

export const flags = {
  config: CONFIG_FLAGS["config"]!,
  kind: textFlag("KIND", "Which of two plugins of one name.", { choices: PLUGIN_KINDS }),
  json: switchFlag("Print JSON."),
} as const;

export const words = ["list", "describe"];

export async function run(args: readonly string[]): Promise<number> {
  const [what, ...rest] = args;
  if (what !== "list" && what !== "describe") {
    const problem = what === undefined
      ? "Say which: `plugins list` or `plugins describe NAME`"
      : `Unknown \`plugins ${what}\`${didYouMean(what, words)}`;
    throw new UsageError(problem);
  }
  const parsed = parseFlags(rest, flags, what === "list" ? {} : { operands: ["NAME"] });
  const registry = new PluginRegistry();
  const { config: file } = parsed.flags;
  const loaded = await configOf({
    flags: file === undefined ? {} : { config: file },
    operands: [],
  });
  const problems = [];
  for (const config of loaded.plugins) {
    if (config.module === undefined) continue;
    try {
      const { module } = config;
      const { kind, name } = await registry.load({ module });
      const known = registry.entries().some((e) => e.kind === kind && e.name === name);
      if (!known) registry.add({ kind, name, load: () => registry.load({ module }) });
    } catch (error) {
      const path = `${config.path}.module`;
      problems.push({ origin: config.origin(), path, message: reasonOf(error) });
    }
  }
  if (problems.length > 0) {
    say(new ConfigError(loaded.file ?? "the configuration", inOrder(problems)).message);
  }
  if (what === "list") await list(registry, parsed.flags.json === true);
  else await describe(registry, parsed.operands[0], parsed.flags);
  return problems.length > 0 ? 2 : 0;
}

async function list(registry: PluginRegistry, json: boolean): Promise<void> {
  const found = await Promise.all(
    registry.entries().map((entry) => registry.load(reference(entry))),
  );
  const rows = found.map(({ kind, name, summary }) => ({ kind, name, summary }));
  if (json) return print(JSON.stringify(rows, null, 2));
  if (rows.length === 0) {
    return print("No plugins; `plugins[].module` of the configuration names more.");
  }
  print(table(["KIND", "NAME", "WHAT IT DOES"], rows.map((r) => [r.kind, r.name, r.summary])));
}

const reference = ({ kind, name }: { kind: PluginKind; name: string }) => ({ kind, plugin: name });

async function describe(
  registry: PluginRegistry,
  name: string | undefined,
  { kind, json }: { readonly kind?: string; readonly json?: true },
): Promise<void> {
  if (name === undefined) throw new UsageError("Say which: `plugins describe NAME`");
  if (kind !== undefined && !(PLUGIN_KINDS as readonly string[]).includes(kind)) {
    throw new UsageError(
      `--kind is one of ${PLUGIN_KINDS.join(", ")}${didYouMean(kind, PLUGIN_KINDS)}`,
    );
  }
  let definition: PluginDefinition;
  try {
    definition = await registry.load({ plugin: name, kind: kind as PluginKind | undefined });
  } catch (error) {
    if (!(error instanceof PluginUnknown)) throw error;
    throw new UsageError(`Cannot describe it: ${error.message.replace("`kind`", "--kind")}`);
  }
  if (json) return print(JSON.stringify(definition.options.schema, null, 2));
  print(
    `${definition.name} (${definition.kind}): ${definition.summary}\n\n${optionTable(definition)}`,
  );
}

interface Property {
  readonly description?: string;
  readonly default?: unknown;
  readonly expects?: string;
  readonly type?: string;
}

function optionTable({ options }: PluginDefinition): string {
  const { properties = {}, required = [] } = options.schema as {
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
  };
  const rows = Object.entries(properties).map(([key, of]) => [
    key,
    required.includes(key)
      ? "required"
      : of.default === undefined
      ? "none"
      : JSON.stringify(of.default),
    [of.description, (of.expects ?? of.type) && `(${of.expects ?? of.type})`].filter(Boolean).join(
      " ",
    ),
  ]);
  return rows.length === 0
    ? "It declares no options."
    : table(["OPTION", "DEFAULT", "MEANING"], rows);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map(visible));
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()).join(
    "\n",
  );
}
