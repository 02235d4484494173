/**
 * What the other nodes tell of themselves over their links, in all threads. A directory decides which nodes there are; this says
 * what they are.
 *
 * @module
 */
import { BadNode, nodeOfJson } from "./directories/node_text.ts";
import type { NodeInfo } from "./node_info.ts";

/** What a node says of itself. `url` is what others dial, where it knows that. */
export type NodeFacts = Omit<Partial<NodeInfo>, "hop" | "cost" | "serverName">;

/** Stands for the URL of a node that has none to tell. */
const NO_URL = "https://node/";

export class ToldNodes {
  readonly #byThread = new Map<number, Map<string, NodeFacts>>();
  /** Called after each change. */
  onChange: () => void = () => {};

  /** @param text What a node tells by a link of a thread; `undefined` when that is gone. */
  heard(thread: number, hop: bigint, text: string | undefined): void {
    let facts = this.#byThread.get(thread);
    if (facts === undefined) this.#byThread.set(thread, facts = new Map());
    const told = text === undefined ? undefined : factsOf(text);
    if (told === undefined) facts.delete(hop.toString());
    else facts.set(hop.toString(), told);
    this.onChange();
  }

  /** A thread is gone with its links. */
  lost(thread: number): void {
    this.#byThread.delete(thread);
    this.onChange();
  }

  of(hop: string | undefined): NodeFacts | undefined {
    if (hop === undefined) return undefined;
    for (const facts of this.#byThread.values()) {
      const found = facts.get(hop);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Whoever tells is a node, and is trusted with no more than a directory is. */
function factsOf(text: string): NodeFacts | undefined {
  try {
    const { hop: _, cost: __, url, ...facts } = nodeOfJson({ url: NO_URL, ...JSON.parse(text) });
    return { ...facts, ...(url === NO_URL ? {} : { url }) };
  } catch (error) {
    if (error instanceof BadNode || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
