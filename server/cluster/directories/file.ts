/** The nodes that a file lists, read again whenever it changes: `cluster.nodes_file`. */
import type { Logger } from "../../../base/logger.ts";
import { watchFile } from "../../../config/read/watch_file.ts";
import type { Directory, DirectoryState } from "../directory.ts";
import type { NodeInfo } from "../node_info.ts";
import { Known } from "./known.ts";
import { BadNode, MAX_LIST_BYTES, nodesOfText } from "./node_text.ts";

export interface FileDirectoryOptions {
  readonly path: string;
  readonly log: Logger;
  /** Time between two checks of the file. A change counts when it is seen twice. Default 500. */
  readonly intervalMs?: number;
}

export class FileDirectory implements Directory {
  readonly #options: FileDirectoryOptions;
  readonly #known: Known;
  readonly #stop = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(options: FileDirectoryOptions) {
    this.#options = options;
    this.#known = new Known("file", options.log);
  }

  get state(): DirectoryState {
    return this.#known.state;
  }

  start(_self: unknown, onNodes: (nodes: readonly NodeInfo[]) => void): void {
    const { path, intervalMs = 500 } = this.#options;
    this.#known.begin(onNodes);
    // The watch begins first, so that it sees a change during the first look.
    this.#watching = watchFile(path, {
      signal: this.#stop.signal,
      intervalMs,
      onChange: () => this.#look(),
      onGone: () => this.#known.failed(new BadNode(`${path} is gone`)),
    });
    void this.#look();
  }

  announce(): void {}

  async close(): Promise<void> {
    this.#known.end();
    this.#stop.abort();
    await this.#watching;
  }

  /** Reads the file. A broken one changes nothing. */
  async #look(): Promise<void> {
    const { path } = this.#options;
    try {
      const { size } = await Deno.stat(path);
      if (size > MAX_LIST_BYTES) throw new BadNode(`${path} has more than ${MAX_LIST_BYTES} bytes`);
      this.#known.took(nodesOfText(await Deno.readTextFile(path)));
    } catch (error) {
      this.#known.failed(error);
    }
  }
}
