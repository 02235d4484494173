import { pathToFileURL } from "node:url";
import { isMap, isScalar, isSeq, type Node } from "yaml";
import { type Entry, type NodeReader, readNamedList } from "./named_list.ts";
import { type Origin, shown } from "./problems.ts";
import { PLUGIN_KINDS, type PluginKind } from "../base/plugin_kind.ts";
import { didYouMean } from "../base/suggest.ts";

const KEYS = ["name", "kind", "plugin", "type", "module", "enabled", "options"] as const;

/** Where a part of an instance's options stands. */
export interface OptionPlace {
  readonly path: readonly (string | number)[];
  /** The key is meant, not its value. */
  readonly key?: boolean;
}

/** One instance of a plugin, as the file describes it. Its options are the plugin's own business. */
export interface PluginConfig {
  /** Unique in the file. */
  readonly name: string;
  readonly kind?: PluginKind;
  /** Which plugin. */
  readonly plugin?: string;
  /** `file:` URL or `npm:` specifier of the module that exports it. */
  readonly module?: string;
  readonly enabled: boolean;
  readonly options: Readonly<Record<string, unknown>>;
  /** Where it stands: its options or, without a place, what says which plugin it is. */
  readonly origin: (place?: OptionPlace) => Origin;
  /** How it is called in messages: "plugins.0". */
  readonly path: string;
}

/** Reads the list under `plugins:`. What is wrong with it is reported; wrong instances are left out. */
export function readPluginList(node: Node, reader: NodeReader): PluginConfig[] {
  return readNamedList(
    node,
    reader,
    {
      key: "plugins",
      entries: "instances",
      map: KEYS.join(", "),
      named: "logs and the API call it",
      keys: KEYS,
    },
    (entry, name) => new InstanceReader(entry).read(name),
  );
}

class InstanceReader {
  readonly #entry: Entry;

  constructor(entry: Entry) {
    this.#entry = entry;
  }

  read(name: string | undefined): PluginConfig | undefined {
    const { map, nodes, path, reader } = this.#entry;
    const kind = this.#text(
      "kind",
      (text) => (PLUGIN_KINDS as readonly string[]).includes(text),
      () => `one of ${PLUGIN_KINDS.join(", ")}`,
    ) as PluginConfig["kind"];
    const plugin = this.#plugin();
    const module = this.#module();
    const enabled = this.#value("enabled", true, (v) => typeof v === "boolean", "true or false");
    const options = this.#value("options", {}, isPlainMap, "a map");
    if (plugin === undefined && module === undefined && this.#entry.good) {
      this.#entry.wrong(map, "", "needs `plugin`, the name of one, or `module`, the file of one");
    }
    if (!this.#entry.good || name === undefined) return undefined;
    const which = nodes.get("plugin") ?? nodes.get("type") ??
      nodes.get("module")!;
    return {
      name,
      ...(kind === undefined ? {} : { kind }),
      ...(plugin === undefined ? {} : { plugin }),
      ...(module === undefined ? {} : { module }),
      enabled,
      options,
      path,
      origin: (place) => reader.at(place === undefined ? which : this.#optionNode(place)),
    };
  }

  #plugin(): string | undefined {
    const texts = (["plugin", "type"] as const).map((key) => this.#text(key));
    const [plugin, type] = texts;
    if (plugin !== undefined && type !== undefined && plugin !== type) {
      this.#entry.wrong(
        this.#entry.nodes.get("type")!,
        "type",
        "differs from `plugin`; keep one of the two",
      );
    }
    return plugin ?? type;
  }

  #module(): string | undefined {
    const text = this.#text(
      "module",
      (m) => /^(\.{1,2}\/|\/|file:\/\/|npm:.)/.test(m),
      () =>
        'a file like "./my_plugin.ts", from where this file is, or a package like "npm:name@1.2.3"',
    );
    if (text === undefined || text.startsWith("npm:")) return text;
    return new URL(text, pathToFileURL(this.#entry.reader.file)).href;
  }

  #text(key: string, accept = (_: string) => true, expected = () => "a text"): string | undefined {
    const node = this.#entry.nodes.get(key);
    if (node === undefined) return undefined;
    const value = this.#entry.reader.valueOf(node);
    if (typeof value === "string" && value !== "" && accept(value)) return value;
    const meant = key === "kind" ? didYouMean(String(value), PLUGIN_KINDS) : "";
    this.#entry.wrong(node, key, `expected ${expected()}, got ${shown(value)}${meant}`);
    return undefined;
  }

  #value<T>(key: string, byDefault: T, accept: (value: unknown) => boolean, expected: string): T {
    const node = this.#entry.nodes.get(key);
    if (node === undefined) return byDefault;
    const value = this.#entry.reader.valueOf(node);
    if (accept(value)) return value as T;
    this.#entry.wrong(node, key, `expected ${expected}, got ${shown(value)}`);
    return byDefault;
  }

  /** The node of an option, or the nearest around it. */
  #optionNode({ path, key = false }: OptionPlace): Node {
    let node = this.#entry.nodes.get("options") ?? this.#entry.map;
    for (const [i, part] of path.entries()) {
      const last = i === path.length - 1;
      let next: Node | undefined;
      if (isMap(node)) {
        const pair = node.items.find((p) => String(isScalar(p.key) ? p.key.value : p.key) === part);
        next = key && last
          ? pair?.key as Node | undefined
          : this.#entry.reader.resolved(pair?.value);
      } else if (isSeq(node)) next = this.#entry.reader.resolved(node.items[Number(part)]);
      if (next === undefined) break;
      node = next;
    }
    return node;
  }
}

const isPlainMap = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
