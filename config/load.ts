import { reasonOf } from "../base/errors.ts";
import { complaint } from "./complaint.ts";
import { checkTogether } from "./cross_checks.ts";
import { withoutSecrets } from "../base/masking.ts";
import { ConfigError, inOrder, type Origin, type Problem } from "./problems.ts";
import type { PlacedHook } from "./hook_list.ts";
import type { PluginConfig } from "./plugin_list.ts";
import { fromText, readEnv, type Variables } from "./read/read_env.ts";
import { type Given, readYaml } from "./read/read_yaml.ts";
import type { Config } from "./schema.ts";
import { BY_FILE_PATH, type Setting, SETTINGS } from "./settings.ts";

/** The file that is read, if it exists, when no other is named. */
export const DEFAULT_FILE = "configs/config.yaml";

/** One setting with its value, for `config show`. */
export interface ResolvedSetting {
  readonly setting: Setting;
  /** As a file would write it, tokens masked; `undefined` when not set. */
  readonly value: unknown;
  readonly origin: Origin;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read; `undefined` when there was none. */
  readonly file: string | undefined;
  /** Every setting, in the order of the schema. */
  readonly settings: readonly ResolvedSetting[];
  /** Instances of plugins, in the order of the file. Their options are checked by the plugins. */
  readonly plugins: readonly PluginConfig[];
  /** The hooks, in the order of the file. */
  readonly hooks: readonly PlacedHook[];
  /** Probable mistakes that do not stop the program. */
  readonly warnings: readonly string[];
}

export interface ParseOptions {
  /** Name of the text in messages. */
  readonly file?: string;
  readonly env?: Variables;
  /** Given texts, by path of the setting ("server.address"). */
  readonly flags?: Variables;
}

export interface LoadOptions {
  /** A file that must exist. Without it `DEFAULT_FILE` is read, if it exists. */
  readonly file?: string | undefined;
  readonly env?: Variables;
  readonly flags?: Variables;
}

/**
 * Reads the configuration. A flag wins over an environment variable, that over the file, and that over the default.
 *
 * @throws {ConfigError} With every problem of the file, the variables and the flags at once.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  return sound(await inspectConfig(options));
}

/** A configuration that was read, with its problems. */
export interface Inspected {
  /** The configuration. A setting with a problem has its default here. */
  readonly loaded: LoadedConfig;
  /** Every problem of the file, the variables and the flags. */
  readonly problems: readonly Problem[];
  /** Paths of the settings whose value cannot be used. */
  readonly wrong: ReadonlySet<string>;
}

/**
 * Reads the configuration as {@link loadConfig} does, for callers that check more than the settings.
 *
 * @throws {ConfigError} The file cannot be read.
 */
export async function inspectConfig(options: LoadOptions = {}): Promise<Inspected> {
  const { file, env = {}, flags = {} } = options;
  const text = await readText(file ?? DEFAULT_FILE, file !== undefined);
  if (text === undefined) return resolve("", { env, flags });
  const name = file ?? DEFAULT_FILE;
  const inspected = resolve(text, { file: name, env, flags });
  return { ...inspected, loaded: { ...inspected.loaded, file: name } };
}

/**
 * Checks a configuration text together with variables and flags.
 *
 * @throws {ConfigError} With every problem at once.
 */
export function parseConfig(yaml: string, options: ParseOptions = {}): LoadedConfig {
  const { file = "config.yaml" } = options;
  return sound(resolve(yaml, { ...options, file }), file);
}

function sound({ loaded, problems }: Inspected, file = loaded.file): LoadedConfig {
  if (problems.length > 0) throw problemsIn(file, problems);
  return loaded;
}

/** An error with all problems of a configuration. @param file The file that was read, if any. */
export function problemsIn(file: string | undefined, problems: readonly Problem[]): ConfigError {
  return new ConfigError(sourceOf(problems, file), inOrder(problems));
}

function resolve(yaml: string, { file, env = {}, flags = {} }: ParseOptions): Inspected {
  const fromFile = readYaml(yaml, file ?? "");
  const fromEnv = readEnv(env);
  const layers = [fromFile.given, fromEnv.given, givenByFlags(flags)];
  const problems = [...fromFile.problems, ...fromEnv.problems];

  const winners = new Map<string, Checked>();
  for (const given of layers.flat()) {
    const checked = check(given);
    if (checked.problem) problems.push(checked.problem);
    winners.set(given.setting.path, checked);
  }
  const resolved = SETTINGS.map((setting) => winners.get(setting.path) ?? byDefault(setting));
  const wrong = new Set(resolved.filter((r) => r.problem).map((r) => r.setting.path));
  const config = assemble(resolved.map((r) => r.problem ? byDefault(r.setting) : r));
  problems.push(...checkTogether(config, originsOf(resolved), wrong));
  const loaded: LoadedConfig = {
    config,
    file: undefined,
    settings: resolved.map(({ setting, raw, origin }) => ({
      setting,
      value: setting.secret === true && raw !== undefined && raw !== ""
        ? "***"
        : withoutSecrets(raw),
      origin,
    })),
    plugins: fromFile.plugins,
    hooks: fromFile.hooks,
    warnings: fromEnv.warnings,
  };
  return { loaded, problems, wrong };
}

interface Checked {
  readonly setting: Setting;
  readonly raw: unknown;
  readonly output: unknown;
  readonly origin: Origin;
  readonly problem?: Problem;
}

function check({ setting, path, value, origin }: Given): Checked {
  const result = setting.schema.safeParse(value);
  if (result.success) return { setting, raw: value, output: result.data, origin };
  return {
    setting,
    raw: value,
    output: undefined,
    origin,
    problem: { origin, path, message: complaint(setting, setting.schema, value) },
  };
}

function byDefault(setting: Setting): Checked {
  const output: unknown = setting.schema.parse(undefined);
  return { setting, raw: setting.byDefault, output, origin: { kind: "default" } };
}

function givenByFlags(flags: Variables): Given[] {
  return Object.entries(flags).map(([path, text]) => {
    const setting = BY_FILE_PATH.get(path);
    if (!setting) throw new TypeError(`no setting has the path ${path}`);
    const origin = { kind: "flag", name: `--${path}` } as const;
    return { setting, path, value: fromText(setting, text), origin };
  });
}

function assemble(resolved: readonly Checked[]): Config {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const { setting, output } of resolved) {
    (sections[setting.section] ??= {})[setting.name] = output;
  }
  return sections as unknown as Config; // the schema declares exactly these sections and names
}

const originsOf = (resolved: readonly Checked[]) =>
  new Map(resolved.map(({ setting, origin }) => [setting.path, origin]));

/** Names the file alone when all problems are in it: the first line says what to edit. */
function sourceOf(problems: readonly Problem[], file: string | undefined): string {
  const allInFile = problems.every((problem) => problem.origin.kind === "file");
  return file !== undefined && allInFile ? file : "the configuration";
}

async function readText(file: string, required: boolean): Promise<string | undefined> {
  try {
    const bytes = await Deno.readFile(file);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (!required && cause instanceof Deno.errors.NotFound) return undefined;
    throw new ConfigError(file, [{
      origin: { kind: "default" },
      path: "",
      message: whyUnreadable(file, cause),
    }], { cause });
  }
}

function whyUnreadable(file: string, cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) {
    return `no such file; write one with \`qumo-relay config example > ${file}\`, ` +
      "or leave --config out to run with the defaults";
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return "permission denied; give the user of this process the right to read it";
  }
  if (cause instanceof Deno.errors.IsADirectory) return "is a directory; name the file in it";
  if (cause instanceof TypeError) return "is not UTF-8 text; save it as UTF-8";
  return reasonOf(cause);
}
