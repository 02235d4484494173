import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import { reasonOf } from "../../base/errors.ts";
import { masked } from "../../base/masking.ts";
import { type PlacedHook, readHookList } from "../hook_list.ts";
import { type Origin, placeOf, type Problem, shown } from "../problems.ts";
import type { NodeReader } from "../named_list.ts";
import { type PluginConfig, readPluginList } from "../plugin_list.ts";
import { BY_FILE_PATH, type Setting, SETTINGS } from "../settings.ts";
import { nearest } from "../../base/suggest.ts";

/** A value in the file, and its place. */
export interface Given {
  readonly setting: Setting;
  /** The key as it was written. It may be an older one. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: Origin;
}

export interface Reading {
  readonly given: readonly Given[];
  readonly plugins: readonly PluginConfig[];
  readonly hooks: readonly PlacedHook[];
  readonly problems: readonly Problem[];
}

/** The list of plugins, beside the sections. */
const PLUGINS = "plugins";
/** The list of hooks, beside the sections. */
const HOOKS = "hooks";

/**
 * Finds the settings in a YAML text. Values are not checked.
 *
 * @param file Name of the text, for places in messages.
 */
export function readYaml(text: string, file: string): Reading {
  return new YamlReader(text, file).read();
}

class YamlReader {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  readonly #given = new Map<Setting, Given>();
  readonly #problems: Problem[] = [];
  #plugins: readonly PluginConfig[] = [];
  #hooks: readonly PlacedHook[] = [];

  constructor(text: string, file: string) {
    this.#file = file;
    // Repeated keys are reported below, with the line of the first one.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
  }

  read(): Reading {
    const { errors, warnings, contents } = this.#document;
    for (const { pos, message } of [...errors, ...warnings]) {
      this.#problems.push({
        origin: this.#at(pos[0]),
        path: "",
        message: masked(`cannot be read as YAML: ${message}`),
      });
    }
    // After a syntax error the rest of the text may belong to a wrong key.
    if (errors.length === 0 && contents !== null && this.#aliasesHold()) {
      this.#section(contents as Node, "");
    }
    const given = [...this.#given.values()];
    return { given, plugins: this.#plugins, hooks: this.#hooks, problems: this.#problems };
  }

  /** An alias without an anchor, or anchors that multiply without end, only fail when values are made. */
  #aliasesHold(): boolean {
    let unresolved = false;
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) !== undefined) return;
        unresolved = true;
        this.#report(
          alias,
          "",
          `the alias *${alias.source} has no anchor &${alias.source} before it`,
        );
      },
    });
    if (unresolved) return false;
    try {
      this.#document.toJS();
      return true;
    } catch (error) {
      const message = `cannot be read as YAML: ${reasonOf(error)}`;
      this.#problems.push({ origin: this.#at(0), path: "", message });
      return false;
    }
  }

  #section(node: Node, path: string): void {
    const map = isAlias(node) ? node.resolve(this.#document) : node;
    if (isScalar(map) && map.value === null) return;
    if (!isMap(map)) {
      const value = isNode(map) ? map.toJS(this.#document) : undefined;
      this.#report(node, path, `expected ${keysOf(childrenOf(path))}, got ${shown(value)}`);
      return;
    }
    this.#pairs(map, path);
  }

  #pairs(map: YAMLMap, parent: string): void {
    const seen = new Map<string, Node>();
    for (const { key, value } of map.items) {
      const keyNode = key as Node;
      const name = isScalar(keyNode) ? String(keyNode.value) : String(key);
      const path = parent ? `${parent}.${name}` : name;
      const first = seen.get(name);
      if (first) {
        const line = this.#lines.linePos(first.range?.[0] ?? 0).line;
        this.#report(keyNode, path, `repeated key, already at line ${line}; keep one of the two`);
      } else if (path === PLUGINS) {
        if (isNode(value)) this.#plugins = readPluginList(value, this.#nodeReader());
      } else if (path === HOOKS) {
        if (isNode(value)) this.#hooks = readHookList(value, this.#nodeReader());
      } else if (childrenOf(path).length > 0) {
        if (isNode(value)) this.#section(value, path);
      } else if (BY_FILE_PATH.has(path)) {
        if (isNode(value)) this.#leaf(value, path, BY_FILE_PATH.get(path)!);
      } else {
        this.#report(keyNode, masked(path), unknownKey(parent, name));
      }
      seen.set(name, keyNode);
    }
  }

  #nodeReader(): NodeReader {
    return {
      file: this.#file,
      at: (part) => this.#at(part.range?.[0] ?? 0),
      resolved: (part) => {
        const target = isAlias(part) ? part.resolve(this.#document) : part;
        return isNode(target) ? target : undefined;
      },
      valueOf: (part) => valueOf(part, this.#document),
      report: (part, path, message) => this.#report(part, masked(path), message),
    };
  }

  #leaf(node: Node, path: string, setting: Setting): void {
    const value = valueOf(node, this.#document);
    if (value === null) return; // "key:" without a value counts as absent
    const origin = this.#at(node.range?.[0] ?? 0);
    const other = this.#given.get(setting);
    if (other && JSON.stringify(other.value) !== JSON.stringify(value)) {
      const where = placeOf(other.origin);
      this.#report(node, path, `differs from ${other.path} at ${where}; keep one of the two`);
    } else if (!other) {
      this.#given.set(setting, { setting, path, value, origin });
    }
  }

  #at(offset: number): Origin {
    const { line, col } = this.#lines.linePos(offset);
    return { kind: "file", file: this.#file, line, column: col };
  }

  #report(node: Node, path: string, message: string): void {
    this.#problems.push({ origin: this.#at(node.range?.[0] ?? 0), path, message });
  }
}

function valueOf(node: Node, document: Document): unknown {
  const target = isAlias(node) ? node.resolve(document) : node;
  const value: unknown = isNode(target) ? target.toJS(document) : undefined;
  // Digits that do not fit in a number are kept as a text.
  const tooLong = typeof value === "number" && Number.isInteger(value) &&
    !Number.isSafeInteger(value);
  return tooLong && isScalar(target) && target.source !== undefined ? target.source : value;
}

/** Keys that a file may have directly below `parent`, with older ones. */
function childrenOf(parent: string): string[] {
  const prefix = parent === "" ? "" : `${parent}.`;
  const keys = [...BY_FILE_PATH.keys()].filter((path) => path.startsWith(prefix));
  const own = keys.map((path) => path.slice(prefix.length).split(".")[0]!);
  return [...new Set(parent === "" ? [...own, PLUGINS, HOOKS] : own)];
}

const keysOf = (keys: readonly string[]) => `a map with ${keys.join(", ")}`;

/** What somebody looks for in vain, and what to do instead. */
const NOT_POSSIBLE: ReadonlyMap<string, string> = new Map(
  ["server.tls.certificates"].map((path) => [
    path,
    'several certificates by host name are for TCP alone (server.certificates: a list of "CERT_FILE KEY_FILE"), as Deno\'s ' +
    "QUIC shows one certificate to all. Better name every host in one (server.cert_file); `certbot -d a.example -d " +
    "b.example` makes such a one",
  ]),
);

function unknownKey(parent: string, name: string): string {
  const instead = NOT_POSSIBLE.get(`${parent}.${name}`);
  if (instead !== undefined) return instead;
  const near = nearest(name, childrenOf(parent));
  if (near !== undefined) return `unknown key; did you mean "${near}"?`;
  const elsewhere = SETTINGS.find((setting) => setting.key === name);
  if (elsewhere) return `unknown key; did you mean "${elsewhere.path}"?`;
  return `unknown key; known here: ${childrenOf(parent).join(", ")}`;
}
