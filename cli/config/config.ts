import { exampleYaml } from "../../config/example_yaml.ts";
import type { ResolvedSetting } from "../../config/load.ts";
import { placeOf } from "../../config/problems.ts";
import { didYouMean } from "../../base/suggest.ts";
import { UsageError } from "../../base/errors.ts";
import { parseFlags, switchFlag } from "../shell/args.ts";
import { allFlags, commonFlags, CONFIG_FLAGS, configOf } from "./config_flags.ts";
import { print } from "../shell/output.ts";

const usageWith = (flags: string) =>
  `Usage: qumo-relay config example
       qumo-relay config show [--json] [--config FILE]

"example" prints a file with every setting, its default and what it means.
"show" prints every setting in effect and where it comes from; tokens are masked.

Examples:
  qumo-relay config example > configs/config.yaml
  qumo-relay config show --relay.group_cache_size 200

      --json  Print JSON: {"server.address": {"value": …, "origin": …}, …}.
${flags}`;

export const usage = usageWith(commonFlags("config"));
export const fullUsage = usageWith(allFlags());

const SHOW_FLAGS = {
  ...CONFIG_FLAGS,
  json: switchFlag("Print JSON."),
} as const;

export { SHOW_FLAGS as flags };
export const words = ["example", "show"];

export async function run(args: readonly string[]): Promise<number> {
  const [what, ...rest] = args;
  if (what === "example") {
    parseFlags(rest, {});
    print(exampleYaml());
    return 0;
  }
  if (what === "show") {
    const parsed = parseFlags(rest, SHOW_FLAGS);
    const { settings } = await configOf(parsed);
    print(parsed.flags.json ? asJson(settings) : asText(settings));
    return 0;
  }
  const problem = what === undefined
    ? "Say which: `config example` or `config show`"
    : `Unknown \`config ${what}\`${didYouMean(what, ["example", "show"])}`;
  throw new UsageError(problem);
}

function asJson(settings: readonly ResolvedSetting[]): string {
  const entries = settings.map(({ setting, value, origin }) => [
    setting.path,
    { value: value ?? null, origin: placeOf(origin) },
  ]);
  return JSON.stringify(Object.fromEntries(entries), null, 2);
}

function asText(settings: readonly ResolvedSetting[]): string {
  const rows = settings.map(({ setting, value, origin }) => ({
    left: `${setting.path} = ${textOf(value)}`,
    origin: placeOf(origin),
  }));
  const column = Math.min(60, Math.max(...rows.map(({ left }) => left.length)));
  return rows.map(({ left, origin }) => `${left.padEnd(column)}  # ${origin}`).join("\n");
}

function textOf(value: unknown): string {
  if (value === undefined) return "(not set)";
  return Array.isArray(value) ? `[${value.join(", ")}]` : JSON.stringify(value);
}
