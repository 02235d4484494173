/** The nodes that the configuration lists: `cluster.nodes`. */
import { reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Directory, DirectoryState } from "../directory.ts";
import type { NodeInfo } from "../node_info.ts";
import { Known } from "./known.ts";
import { nodeOfUrl } from "./node_text.ts";

export class ListDirectory implements Directory {
  readonly #known: Known;
  #urls: readonly string[];

  constructor(urls: readonly string[], log: Logger) {
    this.#known = new Known("list", log);
    this.#urls = urls;
  }

  /** Whether it lists anything. */
  get empty(): boolean {
    return this.#urls.length === 0;
  }

  get state(): DirectoryState {
    return this.#known.state;
  }

  start(_self: unknown, onNodes: (nodes: readonly NodeInfo[]) => void): void {
    this.#known.begin(onNodes);
    this.replace(this.#urls);
  }

  /** Takes another list. What is no node in it is left out, and said. */
  replace(urls: readonly string[]): void {
    this.#urls = urls;
    let complaint: string | undefined;
    const nodes = urls.flatMap((url) => {
      try {
        return [nodeOfUrl(url)];
      } catch (error) {
        complaint = reasonOf(error);
        return [];
      }
    });
    this.#known.took(nodes, complaint);
  }

  announce(): void {}

  close(): Promise<void> {
    this.#known.end();
    return Promise.resolve();
  }
}
