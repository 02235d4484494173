import { sleep } from "../../../base/sleep.ts";
import { systemClock } from "../../../base/clock.ts";
import type { Directory, DirectoryState } from "../directory.ts";
import type { NodeInfo } from "../node_info.ts";
import type { Known } from "./known.ts";

/** A directory that is asked every so often. */
export abstract class PolledDirectory implements Directory {
  readonly #refreshMs: number;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(protected readonly known: Known, refreshMs: number) {
    this.#refreshMs = refreshMs;
  }

  get state(): DirectoryState {
    return this.known.state;
  }

  start(_self: unknown, onNodes: (nodes: readonly NodeInfo[]) => void): void {
    this.known.begin(onNodes);
    this.#running = this.#run();
  }

  announce(): void {}

  async close(): Promise<void> {
    this.known.end();
    this.#stop.abort();
    await this.#running;
  }

  /** One look. @returns The nodes, or `undefined` when nothing has changed. */
  protected abstract look(signal: AbortSignal): Promise<readonly NodeInfo[] | undefined>;

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const nodes = await this.look(signal) ?? this.known.nodes;
        if (!signal.aborted) this.known.took(nodes);
      } catch (error) {
        if (!signal.aborted) this.known.failed(error);
      }
      await sleep(this.#refreshMs, signal, systemClock);
    }
  }
}
