import { pathToFileURL } from "node:url";
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import type { Origin } from "./problems.ts";
import { shown } from "./problems.ts";
import { PLUGIN_KINDS, type PluginKind } from "../base/plugin_kind.ts";
import { didYouMean, nearest } from "../base/suggest.ts";

const KEYS = ["name", "kind", "plugin", "type", "module", "enabled", "options"] as const;
/** How an instance of a plugin, or a hook, may be called. */
export const INSTANCE_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
export const NAME_HINT = "letters, digits, dots, dashes and underscores, at most 64";

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

/** What reads nodes and takes complaints: the reader of the file. */
export interface NodeReader {
  readonly file: string;
  at(node: Node): Origin;
  /** The node that is meant, when it is an alias. */
  resolved(node: unknown): Node | undefined;
  valueOf(node: Node): unknown;
  report(node: Node, path: string, message: string): void;
}

/** Reads the list under `plugins:`. What is wrong with it is reported; wrong instances are left out. */
export function readPluginList(node: Node, reader: NodeReader): PluginConfig[] {
  const list = reader.resolved(node);
  if (list === undefined || (isScalar(list) && list.value === null)) return [];
  if (!isSeq(list)) {
    const value = shown(reader.valueOf(list));
    reader.report(list, "plugins", `expected a list of instances, each with a name, got ${value}`);
    return [];
  }
  const named = new Map<string, Origin>();
  return list.items.flatMap((item, i) => {
    const path = `plugins.${i}`;
    const map = reader.resolved(item);
    if (map === undefined) return [];
    if (!isMap(map)) {
      const value = shown(reader.valueOf(map));
      reader.report(map, path, `expected a map with ${KEYS.join(", ")}, got ${value}`);
      return [];
    }
    const read = new InstanceReader(map, path, reader).read(named);
    return read === undefined ? [] : [read];
  });
}

class InstanceReader {
  readonly #map: YAMLMap;
  readonly #path: string;
  readonly #reader: NodeReader;
  readonly #nodes = new Map<string, Node>();
  #good = true;

  constructor(map: YAMLMap, path: string, reader: NodeReader) {
    this.#map = map;
    this.#path = path;
    this.#reader = reader;
  }

  read(named: Map<string, Origin>): PluginConfig | undefined {
    this.#keys();
    const name = this.#name(named);
    const kind = this.#text(
      "kind",
      (text) => (PLUGIN_KINDS as readonly string[]).includes(text),
      () => `one of ${PLUGIN_KINDS.join(", ")}`,
    ) as PluginConfig["kind"];
    const plugin = this.#plugin();
    const module = this.#module();
    const enabled = this.#value("enabled", true, (v) => typeof v === "boolean", "true or false");
    const options = this.#value("options", {}, isPlainMap, "a map");
    if (plugin === undefined && module === undefined && this.#good) {
      this.#wrong(this.#map, "", "needs `plugin`, the name of one, or `module`, the file of one");
    }
    if (!this.#good || name === undefined) return undefined;
    const which = this.#nodes.get("plugin") ?? this.#nodes.get("type") ??
      this.#nodes.get("module")!;
    return {
      name,
      ...(kind === undefined ? {} : { kind }),
      ...(plugin === undefined ? {} : { plugin }),
      ...(module === undefined ? {} : { module }),
      enabled,
      options,
      path: this.#path,
      origin: (place) => this.#reader.at(place === undefined ? which : this.#optionNode(place)),
    };
  }

  #keys(): void {
    for (const { key, value } of this.#map.items) {
      const keyNode = key as Node;
      const name = String(isScalar(keyNode) ? keyNode.value : keyNode);
      if (!(KEYS as readonly string[]).includes(name)) {
        const near = nearest(name, KEYS);
        const known = near === undefined
          ? `known here: ${KEYS.join(", ")}`
          : `did you mean "${near}"?`;
        this.#wrong(keyNode, name, `unknown key; ${known}`);
      } else if (this.#nodes.has(name)) {
        this.#wrong(keyNode, name, "repeated key; keep one of the two");
      } else {
        const node = this.#reader.resolved(value);
        if (node !== undefined && this.#reader.valueOf(node) !== null) this.#nodes.set(name, node);
      }
    }
  }

  #name(named: Map<string, Origin>): string | undefined {
    const node = this.#nodes.get("name");
    if (node === undefined) {
      this.#wrong(this.#map, "", "needs a `name`, by which logs and the API call it");
      return undefined;
    }
    const name = this.#text(
      "name",
      (text) => INSTANCE_NAME.test(text),
      () => `a name: ${NAME_HINT}`,
    );
    if (name === undefined) return undefined;
    const other = named.get(name);
    if (other?.kind === "file") {
      this.#wrong(node, "name", `"${name}" is taken, at line ${other.line}; choose another`);
    }
    named.set(name, this.#reader.at(node));
    return name;
  }

  #plugin(): string | undefined {
    const texts = (["plugin", "type"] as const).map((key) => this.#text(key));
    const [plugin, type] = texts;
    if (plugin !== undefined && type !== undefined && plugin !== type) {
      this.#wrong(this.#nodes.get("type")!, "type", "differs from `plugin`; keep one of the two");
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
    return new URL(text, pathToFileURL(this.#reader.file)).href;
  }

  #text(key: string, accept = (_: string) => true, expected = () => "a text"): string | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    const value = this.#reader.valueOf(node);
    if (typeof value === "string" && value !== "" && accept(value)) return value;
    const meant = key === "kind" ? didYouMean(String(value), PLUGIN_KINDS) : "";
    this.#wrong(node, key, `expected ${expected()}, got ${shown(value)}${meant}`);
    return undefined;
  }

  #value<T>(key: string, byDefault: T, accept: (value: unknown) => boolean, expected: string): T {
    const node = this.#nodes.get(key);
    if (node === undefined) return byDefault;
    const value = this.#reader.valueOf(node);
    if (accept(value)) return value as T;
    this.#wrong(node, key, `expected ${expected}, got ${shown(value)}`);
    return byDefault;
  }

  /** The node of an option, or the nearest around it. */
  #optionNode({ path, key = false }: OptionPlace): Node {
    let node = this.#nodes.get("options") ?? this.#map;
    for (const [i, part] of path.entries()) {
      const last = i === path.length - 1;
      let next: Node | undefined;
      if (isMap(node)) {
        const pair = node.items.find((p) => String(isScalar(p.key) ? p.key.value : p.key) === part);
        next = key && last ? pair?.key as Node | undefined : this.#reader.resolved(pair?.value);
      } else if (isSeq(node)) next = this.#reader.resolved(node.items[Number(part)]);
      if (next === undefined) break;
      node = next;
    }
    return node;
  }

  #wrong(node: Node, key: string, message: string): void {
    this.#good = false;
    this.#reader.report(node, key === "" ? this.#path : `${this.#path}.${key}`, message);
  }
}

const isPlainMap = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
