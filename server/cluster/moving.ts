/**
 * A node that is about to leave sends its viewers and publishers to other nodes, some at a time, each to the one with the most
 * room.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { sleep } from "../../base/sleep.ts";
import type { Session } from "../../session/session.ts";
import type { Connection } from "../../transport/connection.ts";
import { urlOfPath } from "../../wire/path.ts";
import type { ClusterView } from "./cluster_view.ts";
import type { NodeInfo } from "./node_info.ts";
import { sharedOut, takesNewcomers } from "./placement.ts";

/** Where peers may go. Plain data: it is posted to other threads. */
export interface Destinations {
  readonly nodes: readonly NodeInfo[];
  /** The region of this node. */
  readonly region: string;
  /** How many threads share out their peers at the same time. */
  readonly threads: number;
}

/** At most one peer of a thread is sent away in this time, so that the others do not get all at once. */
const GAP_MS = 20;
/** This share of the time is for sending away, the next one for those who still move; the rest is for those who do not. */
const SENDING = 0.5;
const MOVING = 0.75;
/** How often it is checked whether all have left. */
const STEP_MS = 50;

/**
 * Nodes to which viewers may be sent: this one has a link to them, from either side, as far as it has links at all. A node
 * that DNS names by its address is not among them: its certificate is for a name, and its address may be an inner one.
 */
export function reachable({ nodes, links }: Pick<ClusterView, "nodes" | "links">): NodeInfo[] {
  // Whoever asks for `/route` has it computed: each link is looked at once.
  const linked = new Map<string, boolean>();
  for (const { url, hop, state } of links) {
    const good = state === "connected" || state === "standby";
    for (const key of hop === undefined ? [url] : [url, hop]) {
      linked.set(key, good || linked.get(key) === true);
    }
  }
  return nodes.filter(({ url, hop = url, serverName }) => {
    const its = [linked.get(url), linked.get(hop)];
    return serverName === undefined && (its.includes(true) || !its.includes(false));
  });
}

/**
 * Sends peers to other nodes and waits until they have left. Publishers come last: their viewers here need not look for them
 * anew. Who does not follow is still there when it fulfils.
 */
export async function moveAway(
  sessions: readonly Session[],
  { nodes, region, threads }: Destinations,
  { clock, graceMs }: { readonly clock: Clock; readonly graceMs: number },
): Promise<void> {
  const open = nodes.filter(takesNewcomers);
  const inOrder = sessions.toSorted((a, b) => a.announcements - b.announcements);
  const to = sharedOut(open, inOrder.length, { region, weight: threads });
  const asked = inOrder.slice(0, to.length);
  const sinceMs = clock.now();
  const gone = new Set<Session>();
  for (const session of asked) void session.closed.then(() => gone.add(session));
  const gapMs = Math.min(GAP_MS, graceMs * SENDING / Math.max(1, asked.length));
  for (let i = 0; i < asked.length;) {
    // Timers are not exact, and a gap may be shorter than a millisecond.
    const due = Math.floor((clock.now() - sinceMs) / gapMs) + 1;
    for (; i < Math.min(due, asked.length); i++) {
      const session = asked[i]!;
      void session.goaway(urlFor(session, to[i]!)).catch(() => {});
    }
    await sleep(Math.max(1, gapMs), undefined, clock);
  }
  while (gone.size < asked.length && clock.now() - sinceMs < graceMs * MOVING) {
    await sleep(STEP_MS, undefined, clock);
  }
}

const SCHEMES: Readonly<Record<Connection["kind"], string>> = {
  quic: "moqt:",
  webtransport: "https:",
  websocket: "wss:",
  memory: "https:",
};

/** The same place at another node, over the same transport. The token is not told: who moves has it. */
function urlFor({ connection, root }: Session, { url }: NodeInfo): string {
  const { hostname, port, protocol } = new URL(url);
  const number = port || (protocol === "http:" ? "80" : "443");
  return new URL(`${SCHEMES[connection.kind]}//${hostname}:${number}/${urlOfPath(root)}`).href;
}
