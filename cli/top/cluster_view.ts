/**
 * What `top --cluster` shows: the nodes of a cluster and the links to them, as one node knows them. Pure.
 *
 * @module
 */
import type { ClusterJson, ClusterNodeJson, LinkJson } from "../../admin/shapes.ts";
import { nodesInOrder, ofMost, type Standing } from "../../base/cluster/cluster_nodes.ts";
import { visible } from "../../base/visible_text.ts";
import { cut } from "../shell/columns.ts";
import { age, type Column, compare, counted, number, type ScreenOptions, table } from "./table.ts";

/** The whole picture, one string a line, none wider than `columns`. Nodes come before links where there is no room for all. */
export function clusterScreenOf(cluster: ClusterJson, options: ScreenOptions): string[] {
  const { columns, rows, wallMs, title } = options;
  const nodes = nodesInOrder(cluster.self, cluster.nodes, cluster.links);
  const links = cluster.links.toSorted((a, b) => compare(a.role, b.role) || compare(a.url, b.url));
  const inUse = links.filter(({ state }) => state === "connected").length;
  const head = `${title}  ${counted(nodes.length, "node")}  ${counted(links.length, "link")}, ` +
    `${inUse} connected${cluster.directories.map(directoryText).join("")}`;
  if (nodes.length + links.length + cluster.directories.length === 0) {
    return [
      cut(head, columns),
      "",
      cut("This relay has no cluster, and no upstream relay.", columns),
    ];
  }
  const nodeTable = table(NODE_COLUMNS, nodes, columns);
  const linkTable = table(LINK_COLUMNS, links.map((link) => ({ ...link, wallMs })), columns);
  // Title, a blank line, two heads, a blank line between the tables.
  const free = Math.max(2, rows - 5);
  const nodeLines = Math.min(nodes.length, Math.max(1, free - Math.min(links.length, free >> 1)));
  return [
    cut(head, columns),
    "",
    ...nodeTable.slice(0, 1 + nodeLines),
    "",
    ...linkTable.slice(0, 1 + Math.max(1, free - nodeLines)),
  ];
}

function directoryText({ kind, reachable, lastError }: ClusterJson["directories"][number]): string {
  return `  ${kind} ${
    reachable ? "ok" : `away${lastError === null ? "" : `: ${visible(lastError)}`}`
  }`;
}

const percent = (value: number) => `${Math.round(100 * value)}%`;

const NODE_COLUMNS: readonly Column<Standing<ClusterNodeJson>>[] = [
  { head: "NODE", text: (n) => visible(n.url), least: 8 },
  { head: "REGION", text: (n) => visible(n.region ?? "–"), least: 6 },
  { head: "STANDS", text: (n) => n.draining ? `${n.stands}, draining` : n.stands, least: 6 },
  {
    head: "SESSIONS",
    text: (n) => ofMost(n.load?.sessions, n.capacity.sessions, String),
    right: true,
  },
  { head: "MBIT/S", text: (n) => ofMost(n.load?.mbps, n.capacity.mbps, number), right: true },
  { head: "CPU", text: (n) => ofMost(n.load?.cpu, n.capacity.cpu, percent), right: true },
  { head: "VERSION", text: (n) => visible(n.version ?? "–"), least: 7 },
  { head: "HOP", text: (n) => n.hop ?? "–", least: 3 },
];

const LINK_COLUMNS: readonly Column<LinkJson & { readonly wallMs: number }>[] = [
  { head: "LINK TO", text: (l) => visible(l.url), least: 8 },
  { head: "ROLE", text: (l) => l.role },
  { head: "BY", text: (l) => l.dialed ? "us" : "them" },
  { head: "STATE", text: (l) => l.state },
  { head: "FOR", text: (l) => age(l.wallMs - Date.parse(l.since)), right: true },
  { head: "COST", text: (l) => String(l.cost), right: true },
  { head: "DIALED", text: (l) => String(l.attempts), right: true },
  { head: "VERSION", text: (l) => l.version ?? "–", least: 7 },
  { head: "LAST ERROR", text: (l) => visible(l.lastError ?? "–"), least: 10 },
];
