/**
 * Lists of a file whose entries are maps with a name: `plugins:` and `hooks:`. All problems of an entry are reported at once,
 * with their places.
 *
 * @module
 */
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { nearest } from "../base/suggest.ts";
import { type Origin, shown } from "./problems.ts";

/** Names of entries. */
const ENTRY_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
export const NAME_HINT = "letters, digits, dots, dashes and underscores, at most 64";

/** Reads nodes of the file and takes complaints about them. */
export interface NodeReader {
  readonly file: string;
  at(node: Node): Origin;
  /** The node that an alias stands for, or the node itself. */
  resolved(node: unknown): Node | undefined;
  valueOf(node: Node): unknown;
  report(node: Node, path: string, message: string): void;
}

/** The name of a list, and the keys of its entries. */
export interface ListForm {
  /** As in the file: "hooks". */
  readonly key: string;
  /** In messages: "hooks". */
  readonly entries: string;
  /** Completes "expected a map with". */
  readonly map: string;
  /** Completes "needs a `name`, by which". */
  readonly named: string;
  readonly keys: readonly string[];
}

/** One entry that is being read. */
export class Entry {
  /** False once a problem was reported. */
  good = true;
  /** The values by key, without nulls. */
  readonly nodes = new Map<string, Node>();

  constructor(readonly map: YAMLMap, readonly path: string, readonly reader: NodeReader) {}

  wrong(node: Node, key: string, message: string): void {
    this.good = false;
    this.reader.report(node, key === "" ? this.path : `${this.path}.${key}`, message);
  }

  readKeys(keys: readonly string[]): void {
    for (const { key, value } of this.map.items) {
      const keyNode = key as Node;
      const name = String(isScalar(keyNode) ? keyNode.value : keyNode);
      if (!keys.includes(name)) {
        const near = nearest(name, keys);
        const hint = near === undefined
          ? `known here: ${keys.join(", ")}`
          : `did you mean "${near}"?`;
        this.wrong(keyNode, name, `unknown key; ${hint}`);
      } else if (this.nodes.has(name)) {
        this.wrong(keyNode, name, "repeated key; keep one of the two");
      } else {
        const node = this.reader.resolved(value);
        if (node !== undefined && this.reader.valueOf(node) !== null) this.nodes.set(name, node);
      }
    }
  }

  /** @param others Names of the entries so far; this name is added. */
  readName(others: Map<string, Origin>, named: string): string | undefined {
    const node = this.nodes.get("name");
    if (node === undefined) {
      this.wrong(this.map, "", `needs a \`name\`, by which ${named}`);
      return undefined;
    }
    const name = this.reader.valueOf(node);
    if (typeof name !== "string" || !ENTRY_NAME.test(name)) {
      this.wrong(node, "name", `expected a name: ${NAME_HINT}, got ${shown(name)}`);
      return undefined;
    }
    const other = others.get(name);
    if (other?.kind === "file") {
      this.wrong(node, "name", `"${name}" is taken, at line ${other.line}; choose another`);
    }
    others.set(name, this.reader.at(node));
    return name;
  }
}

/**
 * Reads a list. Problems are reported, and wrong entries are left out.
 * @param read Reads the rest of an entry, also where its name is wrong (`undefined`); returns `undefined` for a wrong entry.
 */
export function readNamedList<T>(
  node: Node,
  reader: NodeReader,
  { key, entries, map: wanted, named, keys }: ListForm,
  read: (entry: Entry, name: string | undefined) => T | undefined,
): T[] {
  const list = reader.resolved(node);
  if (list === undefined || (isScalar(list) && list.value === null)) return [];
  if (!isSeq(list)) {
    const value = shown(reader.valueOf(list));
    reader.report(list, key, `expected a list of ${entries}, each with a name, got ${value}`);
    return [];
  }
  const names = new Map<string, Origin>();
  return list.items.flatMap((item, i) => {
    const path = `${key}.${i}`;
    const map = reader.resolved(item);
    if (map === undefined) return [];
    if (!isMap(map)) {
      reader.report(map, path, `expected a map with ${wanted}, got ${shown(reader.valueOf(map))}`);
      return [];
    }
    const entry = new Entry(map, path, reader);
    entry.readKeys(keys);
    return read(entry, entry.readName(names, named)) ?? [];
  });
}
