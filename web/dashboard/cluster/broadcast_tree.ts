/** The way of one broadcast through the cluster, as far as one node knows it: the routes to it, and who pulls it from here. */
import type { BroadcastJson, ClusterJson, LinkJson } from "../../../admin/shapes.ts";
import type { Answers } from "../dashboard_data.ts";

/** A box of the picture. */
export interface TreeBox {
  readonly id: string;
  readonly label: string;
  /** What stands below the label. */
  readonly about: string;
  readonly kind: "publisher" | "node" | "self" | "puller" | "viewers";
  /** 0 is this node; what is nearer to the publisher stands above it, below 0. */
  readonly row: number;
}

/** Media goes from a box to another, or could go. */
export interface TreeLine {
  readonly from: string;
  readonly to: string;
  readonly used: boolean;
}

/** One way to the broadcast. */
export interface RouteRow {
  /** From whom this node hears it. */
  readonly from: string;
  /** The relays that media comes through, the publisher's side first. */
  readonly through: readonly string[];
  /** While it is read. `null` when nobody said. */
  readonly cost: number | null;
  readonly used: boolean;
}

export interface BroadcastTree {
  readonly boxes: readonly TreeBox[];
  readonly lines: readonly TreeLine[];
  readonly routes: readonly RouteRow[];
}

const SELF = "self";
/** What a peer calls itself that has no hop id. */
const NOBODY = "0";

/** What is known of the broadcast at a path. `undefined` where it is not announced. */
export function treeOf(path: string, answers: Answers): BroadcastTree | undefined {
  const broadcast = answers.broadcasts.find((each) => each.path === path);
  if (broadcast === undefined) return undefined;
  const boxes = new Map<string, TreeBox>([[SELF, {
    id: SELF,
    label: shortName(answers.cluster.self?.url) ?? "this node",
    about: "this node",
    kind: "self",
    row: 0,
  }]]);
  const lines = new Map<string, TreeLine>();
  const routes = routesOf(broadcast, answers);
  for (const { chain, used } of routes) {
    chain.forEach((box, at) => {
      // Two routes may have a relay at different distances: the longer way gives its row.
      const row = Math.min(at - chain.length, boxes.get(box.id)?.row ?? 0);
      boxes.set(box.id, { ...box, row });
      const to = chain[at + 1]?.id ?? SELF;
      const key = `${box.id} ${to}`;
      lines.set(key, { from: box.id, to, used: used || lines.get(key)?.used === true });
    });
  }
  const below = pullersOf(path, answers);
  for (const box of below) {
    boxes.set(box.id, box);
    lines.set(box.id, { from: SELF, to: box.id, used: true });
  }
  return { boxes: [...boxes.values()], lines: [...lines.values()], routes };
}

interface ChainedRoute extends RouteRow {
  readonly chain: readonly Omit<TreeBox, "row">[];
}

function routesOf({ path, publishers }: BroadcastJson, answers: Answers): ChainedRoute[] {
  const filled = new Set(
    answers.tracks.filter((track) => track.broadcast === path).map(({ route }) => route),
  );
  return publishers.flatMap(({ routes }, publisher) =>
    routes.map(({ source, hops, warm }): ChainedRoute => {
      const link = linkOf(source, answers);
      const from = link === undefined ? source : shortName(link.url) ?? link.url;
      const chain = hops.map((hop, at): Omit<TreeBox, "row"> => {
        const isLast = at === hops.length - 1;
        const known = nameOf(hop, answers.cluster);
        const name = known ?? (isLast ? from : hop === NOBODY ? "not told" : `hop ${hop}`);
        // The publisher itself, or a relay that is none of the cluster.
        const isPublisher = at === 0 && known === undefined && !(isLast && link !== undefined);
        return {
          id: hop === NOBODY ? `${publisher} ${source} ${at}` : hop,
          label: name,
          about: isPublisher ? "publisher" : regionOf(hop, answers.cluster),
          kind: isPublisher ? "publisher" : "node",
        };
      });
      // A version of the protocol that tells no hops.
      if (chain.length === 0) {
        chain.push({ id: source, label: from, about: "publisher", kind: "publisher" });
      }
      const through = chain.map(({ label }) => label);
      return { from, through, cost: warm, used: filled.has(source), chain };
    })
  );
}

/** The nodes that read it from here, and the subscriptions that nobody of the cluster has. */
function pullersOf(path: string, { cluster, linked, tracks }: Answers): TreeBox[] {
  const found: TreeBox[] = [];
  let taken = 0;
  for (const session of linked) {
    const count = session.subscriptions.filter(({ broadcast }) => broadcast === path).length;
    if (count === 0) continue;
    taken += count;
    const link = cluster.links.find((each) => each.session === session.id);
    found.push({
      id: `pulls ${session.id}`,
      label: shortName(link?.url) ?? session.remote,
      about: link?.region ?? "",
      kind: "puller",
      row: 1,
    });
  }
  const all = tracks.filter((track) => track.broadcast === path)
    .reduce((sum, { subscribers }) => sum + subscribers, 0);
  const own = Math.max(0, all - taken);
  if (own > 0) {
    const label = `${own} subscription${own === 1 ? "" : "s"}`;
    found.push({ id: "viewers", label, about: "of viewers here", kind: "viewers", row: 1 });
  }
  return found;
}

/** The link whose session has this address. */
function linkOf(source: string, { cluster, sessions }: Answers): LinkJson | undefined {
  const ids = new Set(sessions.filter(({ remote }) => remote === source).map(({ id }) => id));
  return cluster.links.find(({ session }) => session !== null && ids.has(session));
}

const knownAs = (hop: string, { self, nodes, links }: ClusterJson) =>
  [...self === undefined ? [] : [self], ...nodes, ...links].find((each) =>
    hop !== NOBODY && each.hop === hop
  );

const nameOf = (hop: string, cluster: ClusterJson) => shortName(knownAs(hop, cluster)?.url);
const regionOf = (hop: string, cluster: ClusterJson) => knownAs(hop, cluster)?.region ?? "";

/** Host and port of a URL; an address as it is. */
export function shortName(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) && new URL(url).host !== ""
    ? new URL(url).host
    : url;
}
