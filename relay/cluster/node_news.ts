/**
 * What nodes of a cluster tell each other of themselves, over their links: a text, in the name of a hidden broadcast
 * `.cluster/node/HOP/TEXT` that nobody can subscribe to. It never enters the origin: {@link PeerView} adds it to what a node is
 * told, and takes it off what a node tells.
 *
 * @module
 */
import { isPath } from "../../wire/path.ts";
import { NotFound } from "../errors.ts";
import type { AnnounceEvent } from "../origin.ts";
import type { BroadcastSource } from "../ports.ts";
import type { HopId, Route } from "../route.ts";

const PREFIX = ".cluster/node/";
const UTF8 = { to: new TextEncoder(), from: new TextDecoder() };

/** Nobody finds it. */
const SOURCE: BroadcastSource = {
  label: "node news",
  trackInfo: (broadcast) => Promise.reject(new NotFound(`broadcast ${broadcast}`, "broadcast")),
  subscribe: () => ({ update: () => {}, close: () => {} }),
  fetch: (broadcast) => Promise.reject(new NotFound(`broadcast ${broadcast}`, "broadcast")),
};
const ROUTE: Route = { source: SOURCE, hops: [], warm: 0, cold: 0, order: 0 };

/** Whether a path is that of news, from whomever it comes. */
export function isNodeNews(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** Gets what another node tells now; `undefined` when its links are gone. */
export type OnNews = (hop: HopId, text: string | undefined) => void;

/** The news of one thread. */
export class NodeNews {
  onHeard: OnNews = () => {};
  readonly #hop: HopId;
  #path: string | undefined;
  readonly #listeners = new Set<() => void>();
  /** What each node tells, by each of its links. */
  readonly #heard = new Map<HopId, Set<{ readonly text: string }>>();

  constructor(hop: HopId) {
    this.#hop = hop;
  }

  /** Tells all nodes. A text that is too long for a path is not told. */
  tell(text: string): void {
    const coded = UTF8.to.encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
    const path = `${PREFIX}${this.#hop}/${coded}`;
    if (path === this.#path || !isPath(path)) return;
    this.#path = path;
    for (const listener of this.#listeners) listener();
  }

  /** Tells one node, now and after each change. @returns Ends that. */
  watch(ready: () => boolean, listener: (event: AnnounceEvent) => void): () => void {
    let told: string | undefined;
    const look = () => {
      const path = this.#path;
      if (path === undefined || path === told || !ready()) return;
      listener({ kind: "active", path, suffix: path, route: ROUTE });
      if (told !== undefined) {
        listener({ kind: "ended", path: told, suffix: told, route: undefined });
      }
      told = path;
    };
    this.#listeners.add(look);
    look();
    return () => void this.#listeners.delete(look);
  }

  /**
   * A node tells something. What it says of another node is left out.
   * @param peer Its hop id.
   * @returns Withdraws it.
   */
  heard(path: string, peer: HopId | undefined): () => void {
    const [hop, coded, more] = path.slice(PREFIX.length).split("/");
    const text = coded === undefined || more !== undefined ? undefined : decoded(coded);
    if (peer === undefined || peer === 0n || hop !== peer.toString() || text === undefined) {
      return () => {};
    }
    const entry = { text };
    let all = this.#heard.get(peer);
    if (all === undefined) this.#heard.set(peer, all = new Set());
    all.add(entry);
    this.onHeard(peer, text);
    return () => {
      const isLast = [...all].at(-1) === entry;
      if (!all.delete(entry)) return;
      const left = [...all].at(-1);
      if (left === undefined && this.#heard.get(peer) === all) this.#heard.delete(peer);
      if (isLast && left?.text !== text) this.onHeard(peer, left?.text);
    };
  }
}

function decoded(coded: string): string | undefined {
  try {
    return UTF8.from.decode(Uint8Array.fromBase64(coded, { alphabet: "base64url" }));
  } catch {
    return undefined;
  }
}
