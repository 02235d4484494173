import { inspectConfig, type Inspected, type LoadedConfig, problemsIn } from "../../config/load.ts";
import { SECTIONS, SETTINGS } from "../../config/settings.ts";
import { describeFlags, type FlagTable, type ParsedArgs, textFlag } from "../shell/args.ts";
import { say } from "../shell/output.ts";

/** `--config`, and a flag for each setting, named like its key: `--server.address`. */
export const CONFIG_FLAGS: FlagTable = {
  config: textFlag(
    "FILE",
    "The configuration file; without it configs/config.yaml is read if it is there.",
    { short: "c" },
  ),
  ...Object.fromEntries(
    SETTINGS.map((s) => [s.path, { kind: "text", about: s.about.replaceAll("`", "") } as const]),
  ),
};

/** The most common settings. */
const COMMON = [
  "server.address",
  "server.cert_file",
  "server.key_file",
  "server.workers",
  "auth.required",
  "auth.key_file",
  "auth.anonymous",
  "relay.upstream_url",
  "storage.record",
  "admin.address",
  "logging.level",
];

/** Some of `CONFIG_FLAGS` as a help text, and how to see the rest. */
export function commonFlags(command: string): string {
  const flags = ["config", ...COMMON].map((name) => [name, CONFIG_FLAGS[name]!] as const);
  const rest = Object.keys(CONFIG_FLAGS).length - flags.length;
  return [
    describeFlags(Object.fromEntries(flags)),
    "",
    "Every setting of the file is a flag. The other " +
    `${rest}: \`qumo-relay help ${command} --all\`, or docs/config.md.`,
  ].join("\n");
}

/** All of `CONFIG_FLAGS` as a help text, under the headings of the file. */
export function allFlags(): string {
  const groups = SECTIONS.map(({ name, about, settings }) => {
    const flags = settings.map(({ path }) => [path, CONFIG_FLAGS[path]!] as const);
    return `${name}: ${about.replaceAll("`", "")}\n${describeFlags(Object.fromEntries(flags))}`;
  });
  return [
    describeFlags({ config: CONFIG_FLAGS["config"]! }),
    "",
    "Every setting of the file is a flag (see docs/config.md):",
    "",
    groups.join("\n\n"),
  ].join("\n");
}

/**
 * Reads the configuration from the flags of a command, the environment and the file, and prints its warnings.
 *
 * @throws {ConfigError} With every problem at once, those of plugins and hooks included.
 */
export async function configOf(args: ParsedArgs<FlagTable>): Promise<LoadedConfig> {
  const { loaded, problems } = await inspectOf(args);
  if (problems.length === 0) return loaded;
  const { checkPlugins } = await import("../../server/plugins/plugin_host.ts");
  const { checkHooks } = await import("../../server/hooks/check.ts");
  throw problemsIn(loaded.file, [
    ...problems,
    ...await checkPlugins(loaded.plugins),
    ...await checkHooks(loaded.hooks),
  ]);
}

/** The same, with problems instead of an error. @throws {ConfigError} The file cannot be read. */
export async function inspectOf({ flags }: ParsedArgs<FlagTable>): Promise<Inspected> {
  const texts: Record<string, string> = {};
  for (const { path } of SETTINGS) {
    const text = flags[path];
    if (typeof text === "string") texts[path] = text;
  }
  const file = typeof flags["config"] === "string" ? flags["config"] : undefined;
  const inspected = await inspectConfig({ file, env: Deno.env.toObject(), flags: texts });
  for (const warning of inspected.loaded.warnings) say(`Warning: ${warning}`);
  return inspected;
}
