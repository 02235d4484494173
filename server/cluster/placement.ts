/**
 * Where viewers and publishers go: the order of the nodes for a newcomer, and the shares of those that a node sends away.
 *
 * @module
 */
import { weightOf } from "../../relay/cluster/rendezvous.ts";
import type { NodeInfo } from "./node_info.ts";

/** Up to this share of its capacity a node is as good as an idle one. */
const LIGHT = 0.5;
/** Above {@link LIGHT}, nodes whose shares differ by less are alike. */
const STEP = 0.1;
/** A node with this many times the sessions of the mean is worse than one that has fewer. */
const CROWDED = 1.25;
/** Fewer sessions than this are no crowd. */
const FEW_SESSIONS = 8;

/** Who looks for a node. */
export interface Newcomer {
  /** Normalised path of a broadcast, or what stands above several; empty where nobody said. */
  readonly path: string;
  /** Where it is. */
  readonly region?: string | undefined;
}

/**
 * How much of its capacity a node has in use: 1 and more is full. A node without a capacity has the CPU of its machine; one
 * that tells no load is idle.
 */
export function shareInUse({ load, capacity }: NodeInfo): number {
  if (load === undefined) return 0;
  const bounds = Object.entries(capacity ?? {}) as [keyof typeof load, number][];
  const shares = bounds.filter(([, most]) => most > 0).map(([what, most]) => load[what] / most);
  // A busy machine without a bound is worse than an idle one, but it is not full.
  return shares.length > 0 ? Math.max(...shares) : Math.min(load.cpu, 1 - Number.EPSILON);
}

/** Whether a node takes newcomers. */
export function takesNewcomers(node: NodeInfo): boolean {
  return node.draining !== true && shareInUse(node) < 1;
}

/**
 * Orders nodes for a newcomer, best first: its region, then lower load in coarse steps, then by rendezvous hash of the path.
 * So viewers of one broadcast meet at nodes that have it already, until these have more to do than others. Nodes that are
 * draining or full are left out.
 */
export function placed(nodes: readonly NodeInfo[], { path, region }: Newcomer): NodeInfo[] {
  const open = nodes.filter(takesNewcomers);
  const here = (node: NodeInfo) => region !== undefined && node.region === region ? 0 : 1;
  const means = [0, 1].map((where) => meanSessions(open.filter((node) => here(node) === where)));
  return open
    .map((node) => ({
      node,
      here: here(node),
      level: levelOf(node, means[here(node)]!),
      weight: weightOf(path, node.url),
    }))
    .sort((a, b) =>
      a.here - b.here || a.level - b.level || b.weight - a.weight ||
      (a.node.url < b.node.url ? -1 : 1)
    )
    .map(({ node }) => node);
}

/** The load of a node in coarse steps: 0 is as good as idle. */
function levelOf(node: NodeInfo, mean: number): number {
  const sessions = node.load?.sessions ?? 0;
  const crowded = sessions > FEW_SESSIONS && sessions > CROWDED * mean ? 1 : 0;
  return crowded + Math.ceil(Math.max(0, shareInUse(node) - LIGHT) / STEP);
}

function meanSessions(nodes: readonly NodeInfo[]): number {
  const sum = nodes.reduce((all, { load }) => all + (load?.sessions ?? 0), 0);
  return nodes.length === 0 ? 0 : sum / nodes.length;
}

/**
 * Shares out peers that are sent away. Each goes to the node with the least to do, its load counted with those that were sent
 * there before. Other regions get some only while no node of the own region takes any.
 *
 * @param count How many peers.
 * @param weight How many more each stands for: the threads of a server share out their peers at the same time.
 * @returns A node for each peer, in turns; empty where no node takes any.
 */
export function sharedOut(
  nodes: readonly NodeInfo[],
  count: number,
  { region, weight = 1 }: { readonly region?: string | undefined; readonly weight?: number } = {},
): NodeInfo[] {
  const sent = new Map<NodeInfo, number>();
  const withSent = (node: NodeInfo): NodeInfo => {
    const { sessions = 0, mbps = 0, cpu = 0 } = node.load ?? {};
    return { ...node, load: { mbps, cpu, sessions: sessions + (sent.get(node) ?? 0) } };
  };
  const out: NodeInfo[] = [];
  while (out.length < count) {
    const loaded = nodes.map((node) => ({ node, then: withSent(node) }))
      .filter(({ then }) => takesNewcomers(then));
    const near = loaded.filter(({ node }) => region === undefined || node.region === region);
    const among = near.length > 0 ? near : loaded;
    if (among.length === 0) break;
    const { node } = among.reduce((best, one) => hasLess(one.then, best.then) ? one : best);
    sent.set(node, (sent.get(node) ?? 0) + weight);
    out.push(node);
  }
  return out;
}

/** Whether a node has less to do: in coarse steps of all its load, then by its sessions. */
function hasLess(a: NodeInfo, b: NodeInfo): boolean {
  const order = levelOf(a, Infinity) - levelOf(b, Infinity) ||
    sessionsPerRoom(a) - sessionsPerRoom(b);
  return order < 0 || order === 0 && a.url < b.url;
}

/** Where a node does not tell its room, all have the same. */
function sessionsPerRoom({ load, capacity }: NodeInfo): number {
  return (load?.sessions ?? 0) / (capacity?.sessions || UNKNOWN_ROOM);
}

/** The sessions that a node is taken to have room for, if it does not say. */
const UNKNOWN_ROOM = 10_000;
