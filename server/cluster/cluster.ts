/**
 * The cluster as this node knows it: joins the directories, wants a link to every other node, and tells of this node.
 *
 * @module
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { VERSION } from "../../base/version.ts";
import type { Config } from "../../config/schema.ts";
import type { ClusterView, LinkView } from "./cluster_view.ts";
import type { Directory, DirectoryState } from "./directory.ts";
import { ListDirectory } from "./directories/list.ts";
import { nodeOfUrl } from "./directories/node_text.ts";
import type { NodeCapacity, NodeInfo, NodeLoad } from "./node_info.ts";
import type { NodeFacts, ToldNodes } from "./told_nodes.ts";
import type { LinkSet, WantedLink } from "./links/wanted_link.ts";

export interface ClusterOptions {
  /** The sections `cluster` and `server` of the configuration. */
  readonly config: Pick<Config, "cluster" | "server">;
  readonly hop: bigint;
  /** The first is believed first. */
  readonly directories: readonly Directory[];
  readonly links: LinkSet;
  /** What this node does now. */
  readonly load: () => NodeLoad;
  /** Whether this node is about to leave. */
  readonly draining: () => boolean;
  /** What the others tell of themselves. */
  readonly told?: ToldNodes;
  /** Tells the others what this node is, over the links. */
  readonly tell?: (text: string) => void;
  /** Whether a URL leads to this node by an address of this machine. */
  readonly isOwn?: (url: string) => boolean;
  readonly clock?: Clock;
}

/** Most nodes of a cluster. */
const MAX_NODES = 10_000;
/** How soon what others tell is looked at. */
const TOLD_MS = 100;
/** How often the load is read, and links are looked at. */
const TICK_MS = 1000;
/** How much of a new measurement shows at once: others see the load of some seconds, so that a single one moves no viewers. */
const NEW_SHARE = 0.3;

/** Its owner starts and closes it. */
export class Cluster implements ClusterView {
  readonly #options: ClusterOptions;
  readonly #clock: Clock;
  readonly #own: NodeInfo | undefined;
  readonly #capacity: NodeCapacity;
  #settings: Config["cluster"];
  /** What each directory names. */
  readonly #named = new Map<Directory, readonly NodeInfo[]>();
  /** URLs that only leases and DNS named when it was looked last. */
  #leased: ReadonlySet<string> = new Set();
  /** Nodes that no directory names any more, and whose link is alive. By URL. */
  readonly #staying = new Map<string, NodeInfo>();
  /** By URL, without this node. */
  #others: ReadonlyMap<string, NodeInfo> = new Map();
  #nodes: readonly NodeInfo[] = [];
  #text = "[]";
  #wanted = "[]";
  #load: NodeLoad = { sessions: 0, mbps: 0, cpu: 0 };
  readonly #listeners = new Set<() => void>();
  #cancelTick = () => {};
  /** Ends the wait for more that others tell. */
  #cancelLook: (() => void) | undefined;
  /** Regions that nodes have told, by URL: the price of a link stays while it is away. */
  readonly #regions = new Map<string, string>();
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { cluster, server } = options.config;
    const { url, region } = this.#settings = cluster;
    const { capacitySessions, capacityMbps, capacityCpu } = server;
    this.#own = url === undefined
      ? undefined
      : { region, ...nodeOfUrl(url), hop: options.hop.toString(), version: VERSION };
    this.#capacity = {
      ...(capacitySessions === 0 ? {} : { sessions: capacitySessions }),
      ...(capacityMbps === 0 ? {} : { mbps: capacityMbps }),
      ...(capacityCpu === 0 ? {} : { cpu: capacityCpu / 100 }),
    };
  }

  /** Begins to look for others, and tells them of this node. */
  start(): void {
    const { directories } = this.#options;
    this.#load = this.#options.load();
    this.#tell();
    this.#want();
    const { told } = this.#options;
    if (told !== undefined) told.onChange = () => this.#lookSoon();
    for (const directory of directories) {
      directory.start(() => this.self, (nodes) => {
        if (this.#closed) return;
        this.#named.set(directory, nodes);
        this.#settle();
      });
    }
    this.#tick();
  }

  /** Takes another list of nodes and other prices into use. */
  apply(settings: Config["cluster"]): void {
    this.#settings = settings;
    for (const one of this.#options.directories) {
      if (one instanceof ListDirectory) one.replace(settings.nodes);
    }
    this.#settle();
  }

  /** Leaves the directories. The links are their owner's. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTick();
    this.#cancelLook?.();
    await Promise.all(this.#options.directories.map((directory) => directory.close()));
  }

  /** Tells the others at once that something about this node has changed: it drains. */
  announce(): void {
    this.#tell();
    for (const directory of this.#options.directories) directory.announce();
  }

  /** Calls back whenever {@link nodes} has changed. @returns Ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get self(): NodeInfo | undefined {
    return this.#own === undefined ? undefined : { ...this.#own, ...this.facts };
  }

  /** What this node is, with or without a URL. */
  get facts(): NodeFacts & { readonly hop: string } {
    const { load, draining, hop } = this.#options;
    const { mbps, cpu } = this.#load;
    const { region = this.#settings.region } = this.#own ?? {};
    return {
      ...{ region, hop: hop.toString(), version: VERSION },
      load: { sessions: load().sessions, mbps: rounded(mbps), cpu: rounded(cpu) },
      ...(Object.keys(this.#capacity).length === 0 ? {} : { capacity: this.#capacity }),
      ...(draining() ? { draining: true } : {}),
    };
  }

  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  get links(): readonly LinkView[] {
    return this.#options.links.views;
  }

  get directories(): readonly DirectoryState[] {
    return this.#options.directories
      .filter((one) => !(one instanceof ListDirectory && one.empty)).map(({ state }) => state);
  }

  #tick(): void {
    this.#cancelTick = this.#clock.after(TICK_MS, () => {
      this.#measure();
      this.#tell();
      this.#settle();
      if (!this.#closed) this.#tick();
    });
  }

  #tell(): void {
    const { url } = this.#own ?? {};
    this.#options.tell?.(JSON.stringify({ ...(url === undefined ? {} : { url }), ...this.facts }));
  }

  #lookSoon(): void {
    this.#cancelLook ??= this.#clock.after(TOLD_MS, () => {
      this.#cancelLook = undefined;
      if (!this.#closed) this.#settle();
    });
  }

  #measure(): void {
    const { mbps, cpu, sessions } = this.#options.load();
    const smoothed = (before: number, now: number) => before + (now - before) * NEW_SHARE;
    this.#load = {
      sessions,
      mbps: smoothed(this.#load.mbps, mbps),
      cpu: smoothed(this.#load.cpu, cpu),
    };
  }

  /** Joins what the directories name. */
  #settle(): void {
    const before = this.#others;
    const named = this.#namedNodes();
    const views = this.links;
    // A lease that ends, or an address that DNS no longer has, says that a node cannot reach the directory, or is not ready.
    // A link that is alive says more. A list is the operator's word: who is taken out of it is out.
    for (const [url, node] of before) {
      if (!named.has(url) && !this.#staying.has(url) && this.#leased.has(url)) {
        this.#staying.set(url, withoutLoad(node));
      }
    }
    for (const [url, node] of this.#staying) {
      if (named.has(url) || !isAlive(node, views)) this.#staying.delete(url);
      else named.set(url, node);
    }
    const hops = hopsOf(views);
    const ownUrls = new Map<string, string>();
    for (const [key, node] of named) {
      const { url, ...facts } = this.#options.told?.of(node.hop ?? hops.get(key)) ?? {};
      if (facts.region !== undefined) this.#regions.set(key, facts.region);
      named.set(key, { ...node, ...facts });
      // Nodes behind one balancer have one URL: that leads to none of them.
      if (url !== undefined && url !== this.#own?.url && node.serverName !== undefined) {
        ownUrls.set(key, url);
      }
    }
    for (const key of this.#regions.keys()) if (!named.has(key)) this.#regions.delete(key);
    this.#others = named;
    this.#leased = this.#leasedUrls();
    const byName = [...named.values()].map((node) => {
      const url = ownUrls.get(node.url);
      if (url === undefined || url !== node.url && named.has(url)) return node;
      const { serverName: _, ...rest } = { ...node, url, hop: node.hop ?? hops.get(node.url)! };
      return rest;
    });
    this.#nodes = onePerHop(byName, hops, this.#options.hop.toString());
    this.#want();
    const text = JSON.stringify(this.#nodes);
    if (text === this.#text) return;
    this.#text = text;
    for (const listener of [...this.#listeners]) listener();
  }

  #leasedUrls(): Set<string> {
    const urls = new Set<string>(this.#staying.keys());
    const listed = new Set<string>();
    for (const [{ state: { kind } }, nodes] of this.#named) {
      const to = kind === "redis" || kind === "dns" ? urls : listed;
      for (const { url } of nodes) to.add(url);
    }
    return urls.difference(listed);
  }

  /** The others by URL. What an earlier directory says of a node is believed, a later one adds to it. */
  #namedNodes(): Map<string, NodeInfo> {
    const named = new Map<string, NodeInfo>();
    for (const directory of this.#options.directories) {
      for (const node of this.#named.get(directory) ?? []) {
        if (this.#isSelf(node)) continue;
        const known = named.get(node.url);
        if (known === undefined && named.size === MAX_NODES) continue;
        named.set(node.url, { ...node, ...known });
      }
    }
    return named;
  }

  #isSelf({ url, hop }: NodeInfo): boolean {
    if (url === this.#own?.url || hop === this.#options.hop.toString()) return true;
    return this.#options.isOwn?.(url) ?? false;
  }

  /** Tells the links which of them there should be. */
  #want(): void {
    const { cost, region: here, regionCost } = this.#settings;
    const wanted = [...this.#others.values()].map((node): WantedLink => {
      const { url, hop, region = this.#regions.get(url), serverName } = node;
      const price = region === undefined || region === here ? cost : regionCost;
      return {
        ...{ url, role: "peer", cost: node.cost ?? price },
        ...(hop === undefined ? {} : { hop }),
        ...(region === undefined ? {} : { region }),
        ...(serverName === undefined ? {} : { serverName }),
      };
    });
    const text = JSON.stringify(wanted);
    if (text === this.#wanted) return;
    this.#wanted = text;
    this.#options.links.want(wanted);
  }
}

/** Whether there is a link to a node, from either side. */
function isAlive({ url, hop }: NodeInfo, views: readonly LinkView[]): boolean {
  return views.some((view) =>
    view.state === "connected" && (view.url === url || hop !== undefined && view.hop === hop)
  );
}

const rounded = (value: number) => Math.round(value * 1000) / 1000;

/** What it does is not known any more. */
function withoutLoad({ load: _, ...node }: NodeInfo): NodeInfo {
  return node;
}

/** The hop ids that links have told, by URL. */
function hopsOf(views: readonly LinkView[]): Map<string, string | undefined> {
  return new Map(views.filter(({ dialed }) => dialed).map(({ url, hop }) => [url, hop]));
}

/** Directories may have one node under two URLs, or this one: the hop id that its link has told shows that. */
function onePerHop(
  nodes: Iterable<NodeInfo>,
  told: ReadonlyMap<string, string | undefined>,
  own: string,
): NodeInfo[] {
  const byHop = new Map<string, NodeInfo>();
  for (const node of nodes) {
    const hop = node.hop ?? told.get(node.url);
    if (hop === own) continue;
    const known = byHop.get(hop ?? node.url);
    byHop.set(hop ?? node.url, { ...node, ...known, ...(hop === undefined ? {} : { hop }) });
  }
  return [...byHop.values()];
}
