/**
 * What a directory knows: the nodes of the last good look, and how it stands.
 *
 * @module
 */
import { reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import { masked } from "../../../base/masking.ts";
import { shortened } from "../../../base/visible_text.ts";
import type { DirectoryState } from "../directory.ts";
import type { NodeInfo } from "../node_info.ts";

const MAX_REASON = 300;

export class Known {
  readonly #kind: DirectoryState["kind"];
  readonly #log: Logger;
  #state: DirectoryState;
  #nodes: readonly NodeInfo[] = [];
  #text: string | undefined;
  #onNodes: ((nodes: readonly NodeInfo[]) => void) | undefined;

  constructor(kind: DirectoryState["kind"], log: Logger) {
    this.#kind = kind;
    this.#log = log;
    this.#state = { kind, reachable: false };
  }

  get state(): DirectoryState {
    return this.#state;
  }

  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  /** Whether a look has succeeded yet. */
  get any(): boolean {
    return this.#text !== undefined;
  }

  begin(onNodes: (nodes: readonly NodeInfo[]) => void): void {
    this.#onNodes = onNodes;
    this.#text = undefined;
  }

  end(): void {
    this.#onNodes = undefined;
  }

  /** A look has succeeded. @param complaint What is wrong although it has. */
  took(nodes: readonly NodeInfo[], complaint?: string): void {
    const { lastError } = this.#state;
    if (complaint !== undefined && complaint !== lastError) {
      this.#log.error("something is wrong in the directory of the cluster", {
        directory: this.#kind,
        reason: complaint,
      });
    } else if (!this.#state.reachable && lastError !== undefined) {
      this.#log.info("the directory of the cluster is back", { directory: this.#kind });
    }
    this.#state = {
      kind: this.#kind,
      reachable: true,
      ...(complaint === undefined ? {} : { lastError: complaint }),
    };
    const sorted = nodes.toSorted((a, b) => a.url < b.url ? -1 : a.url > b.url ? 1 : 0);
    const text = JSON.stringify(sorted);
    if (text === this.#text) return;
    this.#text = text;
    this.#nodes = sorted;
    this.#onNodes?.(sorted);
  }

  /** A look has failed: what is known stays. */
  failed(error: unknown): void {
    const reason = shortened(masked(reasonOf(error)), MAX_REASON);
    const { reachable, lastError } = this.#state;
    const facts = { directory: this.#kind, nodes: this.#nodes.length, reason };
    // Once for each loss: why the next look fails may be said in other words.
    if (reachable || lastError === undefined) {
      this.#log.warn("the directory of the cluster cannot be read; what is known stays", facts);
    } else if (lastError !== reason) {
      this.#log.debug("the directory of the cluster still cannot be read", facts);
    }
    this.#state = { kind: this.#kind, reachable: false, lastError: reason };
  }
}
