/**
 * A tree of paths by their segments. It finds all paths below a prefix without a look at the others.
 *
 * @module
 */

interface Node {
  /** Whether a path ends here. */
  here: boolean;
  /** Absent while there are none: most nodes are the end of a path. */
  children: Map<string, Node> | undefined;
}

export class PathIndex {
  readonly #root: Node = newNode();

  /** @param path Normalised. Adding it twice is harmless. */
  add(path: string): void {
    let node = this.#root;
    for (const part of partsOf(path)) {
      const children: Map<string, Node> = node.children ??= new Map();
      let next = children.get(part);
      if (next === undefined) children.set(part, next = newNode());
      node = next;
    }
    node.here = true;
  }

  /** Removes a path, and the nodes that only it needed. */
  delete(path: string): void {
    const parts = partsOf(path);
    const way = [this.#root];
    for (const part of parts) {
      const next = way.at(-1)!.children?.get(part);
      if (next === undefined) return;
      way.push(next);
    }
    way.at(-1)!.here = false;
    for (let depth = parts.length; depth > 0; depth--) {
      const node = way[depth]!;
      if (node.here || (node.children?.size ?? 0) > 0) return;
      way[depth - 1]!.children!.delete(parts[depth - 1]!);
    }
  }

  /**
   * Every path at or below a prefix.
   * @param prefix Normalised.
   * @param hidden Includes paths with a segment below the prefix that starts with a dot.
   */
  below(prefix: string, hidden: boolean): string[] {
    let node = this.#root;
    for (const part of partsOf(prefix)) {
      const next = node.children?.get(part);
      if (next === undefined) return [];
      node = next;
    }
    const found: string[] = [];
    const walk = (at: Node, path: string) => {
      if (at.here) found.push(path);
      for (const [part, child] of at.children ?? []) {
        if (hidden || !part.startsWith(".")) walk(child, path === "" ? part : `${path}/${part}`);
      }
    };
    walk(node, prefix);
    return found;
  }
}

const newNode = (): Node => ({ here: false, children: undefined });

const partsOf = (path: string): readonly string[] => path === "" ? [] : path.split("/");
