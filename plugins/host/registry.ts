/**
 * Which plugins there are: those that come with the program, and modules that a configuration names.
 *
 * @module
 */
import { PLUGIN_KINDS, type PluginKind } from "../../base/plugin_kind.ts";
import { didYouMean, nearest } from "../../base/suggest.ts";
import { BUILT_IN } from "./builtin.ts";
import { PluginLoadFailed, PluginUnknown, safeReason } from "../errors.ts";
import { type PluginKit, pluginKit } from "../kit.ts";
import type { PluginOptions } from "../options.ts";
import type { PluginDefinition, PluginEntry } from "../plugin.ts";

/** Names a plugin, as an instance in the configuration does. */
export interface PluginReference {
  /** Tells plugins of one name apart. */
  readonly kind?: PluginKind | undefined;
  readonly plugin?: string | undefined;
  /** `file:` URL or `npm:` specifier of a module that exports the plugin. */
  readonly module?: string | undefined;
}

/** What a module exports as its default: a plugin, or a function that makes one with the builders that it is given. */
export type PluginExport = PluginDefinition | ((kit: PluginKit) => PluginDefinition);

export class PluginRegistry {
  readonly #entries = new Map<string, PluginEntry>();

  /** @param entries Known from the start. Default: the plugins that come with the program. */
  constructor(entries: readonly PluginEntry[] = BUILT_IN) {
    for (const entry of entries) this.add(entry);
  }

  /** Every plugin known by name, in the order of their registration. */
  entries(): readonly PluginEntry[] {
    return [...this.#entries.values()];
  }

  /** Makes a plugin known. @throws {TypeError} There is one of that kind and name. */
  add(entry: PluginEntry): void {
    const key = `${entry.kind} ${entry.name}`;
    if (this.#entries.has(key)) {
      throw new TypeError(`Cannot register the ${entry.kind} plugin ${entry.name}: there is one`);
    }
    this.#entries.set(key, entry);
  }

  /** Finds a plugin by name. @throws {PluginUnknown} There is none, or there is one of several kinds. */
  find({ kind, plugin = "" }: PluginReference): PluginEntry {
    const all = this.entries();
    const named = all.filter((entry) => entry.name === plugin);
    const found = named.filter((entry) => kind === undefined || entry.kind === kind);
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      const kinds = found.map((entry) => entry.kind).join(" and as ");
      throw new PluginUnknown(`"${plugin}" exists as ${kinds}; say which with \`kind\``);
    }
    if (named.length > 0) {
      throw new PluginUnknown(
        `there is no ${kind} plugin "${plugin}"; it is ${named.map((e) => e.kind).join(", ")}`,
      );
    }
    const names = [...new Set(all.map((entry) => entry.name))];
    const hint = nearest(plugin, names) !== undefined
      ? didYouMean(plugin, names)
      : names.length > 0
      ? `; known are ${names.join(", ")}`
      : "; none comes with this program, name a `module`";
    throw new PluginUnknown(`there is no plugin "${plugin}"${hint}`);
  }

  /** Loads a plugin. @throws {PluginUnknown} @throws {PluginLoadFailed} */
  async load(reference: PluginReference): Promise<PluginDefinition> {
    if (reference.module !== undefined) return await loadModule(reference.module, reference);
    const entry = this.find(reference);
    try {
      return await entry.load();
    } catch (cause) {
      const what = `Cannot load the ${entry.kind} plugin ${entry.name}`;
      throw new PluginLoadFailed(`${what}: ${safeReason(cause)}`, { cause });
    }
  }
}

/** Of a plugin that declares no options: it gets what the configuration says. */
const ANY_OPTIONS: PluginOptions = { schema: { type: "object" }, read: (given) => given };

/**
 * Loads a module and checks that it exports a plugin.
 * @throws {PluginLoadFailed}
 */
async function loadModule(module: string, wanted: PluginReference): Promise<PluginDefinition> {
  let definition: PluginDefinition;
  try {
    const { default: exported }: { default?: PluginExport } = await import(await fresh(module));
    definition = typeof exported === "function" ? await exported(pluginKit) : exported!;
  } catch (cause) {
    throw new PluginLoadFailed(`Cannot load ${module}: ${safeReason(cause)}`, { cause });
  }
  const wrong = whatIsWrong(definition, wanted);
  if (wrong !== undefined) throw new PluginLoadFailed(`Cannot use ${module}: ${wrong}`);
  return { ...definition, summary: definition.summary ?? "", options: optionsOf(definition) };
}

/** The address of a module as it is now: Deno loads each address once, so a changed file needs another one. */
async function fresh(module: string): Promise<string> {
  if (!module.startsWith("file:")) return module;
  const { mtime } = await Deno.stat(new URL(module));
  return `${module}?changed=${mtime?.getTime() ?? 0}`;
}

function whatIsWrong(definition: PluginDefinition, wanted: PluginReference): string | undefined {
  if (typeof definition !== "object" || definition === null) {
    return "it does not export a plugin as its default; see docs/plugins.md";
  }
  const { kind, name, create } = definition;
  if (!PLUGIN_KINDS.includes(kind)) {
    return `the \`kind\` of its default export is none of ${PLUGIN_KINDS.join(", ")}`;
  }
  if (typeof name !== "string" || name === "") return "the plugin it exports has no `name`";
  if (typeof create !== "function") return "the plugin it exports has no function `create`";
  if (wanted.kind !== undefined && wanted.kind !== kind) {
    return `it is of kind ${kind}, not ${wanted.kind}`;
  }
  if (wanted.plugin !== undefined && wanted.plugin !== name) {
    return `its plugin is called "${name}", not "${wanted.plugin}"`;
  }
  return undefined;
}

function optionsOf({ options }: PluginDefinition): PluginOptions {
  return typeof options?.read === "function" ? options : ANY_OPTIONS;
}
