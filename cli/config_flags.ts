import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { SETTINGS } from "../config/settings.ts";
import { describeFlags, type FlagTable, type ParsedArgs } from "./args.ts";
import { say } from "./output.ts";

/** `--config`, and a flag for each setting, named like its key: `--server.address`. */
export const CONFIG_FLAGS: FlagTable = {
  config: {
    kind: "text",
    short: "c",
    value: "FILE",
    about: "The configuration file; without it configs/config.yaml is read if it is there.",
  },
  ...Object.fromEntries(
    SETTINGS.map((s) => [s.path, { kind: "text", about: s.about.replaceAll("`", "") } as const]),
  ),
};

/** The flags of `CONFIG_FLAGS` as a help text. */
export function describeConfigFlags(): string {
  const { config, ...settings } = CONFIG_FLAGS;
  return [
    describeFlags({ config: config! }),
    "",
    "Every setting of the file is a flag too (see docs/config.md):",
    describeFlags(settings),
  ].join("\n");
}

/**
 * Reads the configuration that the flags of a command, the environment and the file make together,
 * and says its warnings.
 *
 * @throws {ConfigError} With every problem at once.
 */
export async function configOf({ flags }: ParsedArgs<FlagTable>): Promise<LoadedConfig> {
  const texts: Record<string, string> = {};
  for (const { path } of SETTINGS) {
    const text = flags[path];
    if (typeof text === "string") texts[path] = text;
  }
  const file = typeof flags["config"] === "string" ? flags["config"] : undefined;
  const loaded = await loadConfig({ file, env: Deno.env.toObject(), flags: texts });
  for (const warning of loaded.warnings) say(`Warning: ${warning}`);
  return loaded;
}
