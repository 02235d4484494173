/**
 * The simulated cluster: its nodes, links, broadcasts and viewers, and what may happen to them.
 *
 * @module
 */
import { NotFound } from "../../relay/errors.ts";
import { FramePool } from "../../relay/group/frame_pool.ts";
import { type BroadcastSource, OWN_TRACK_INFO } from "../../relay/ports.ts";
import { refuse } from "../../client/publish.ts";
import { Counted } from "./counted.ts";
import { type LinkHost, SimulatedLink } from "./network/link.ts";
import { Node } from "./node.ts";
import { Publisher } from "./publisher.ts";
import { hopFrom, seeded } from "./random.ts";
import { SimulatedTime } from "./simulated_time.ts";
import type { Topology } from "./network/topology.ts";
import { Viewer } from "./viewer.ts";

export interface WorldOptions {
  readonly topology: Topology;
  /** Whether nodes have sessions, or only origins that are linked directly. */
  readonly sessions: boolean;
  /** Broadcasts that stand there, over all nodes. Nobody watches them. */
  readonly broadcasts: number;
  readonly seed: number;
  /** How much later than its latency a packet may arrive. Default 1. */
  readonly jitterMs?: number;
}

/** Nodes know of one that has come or gone after so long, by their directory. */
const DIRECTORY_MS = 1000;
/** What the direct route to another region costs more than the one over the shield. */
const SURCHARGE = 1000;
/** Viewers of a node that is gone have found another one after so long. */
const MOVE_MS = 500;

/** A standing broadcast: it has routes, and no groups. */
const STANDING: BroadcastSource = {
  label: "standing",
  trackInfo: () => Promise.resolve(OWN_TRACK_INFO),
  subscribe: (broadcast, track, _, sink) => refuse(broadcast, track, sink),
  fetch: (broadcast) => Promise.reject(new NotFound(`broadcast ${broadcast}`, "broadcast")),
};

export class World implements LinkHost, AsyncDisposable {
  readonly topology: Topology;
  readonly time = new SimulatedTime();
  readonly random: () => number;
  readonly counted = new Counted(this.time);
  readonly jitterMs: number;
  readonly nodes: (Node | undefined)[];
  readonly publishers: Publisher[] = [];
  readonly viewers: Viewer[] = [];
  readonly #options: WorldOptions;
  /** By the node that dials. */
  readonly #links: SimulatedLink[][];
  /** Which side of a split each node is on. */
  readonly #sides: number[];
  /** Two nodes that do not reach each other. */
  #cut: readonly number[] = [];
  readonly #pool: FramePool | undefined;
  #listing = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.topology = options.topology;
    this.random = seeded(options.seed);
    this.jitterMs = options.jitterMs ?? 1;
    const { length } = options.topology.regions;
    this.nodes = Array.from({ length });
    this.#links = Array.from({ length }, () => []);
    this.#sides = Array.from({ length }, () => 0);
    this.#pool = options.sessions ? undefined : new FramePool();
  }

  /** How many nodes it has when all run. */
  get size(): number {
    return this.nodes.length;
  }

  /** The nodes that run. */
  get running(): Node[] {
    return this.nodes.filter((node) => node !== undefined && node.up) as Node[];
  }

  /** Standing broadcasts of one node. */
  standingAt(index: number): readonly string[] {
    const { size } = this;
    const count = Math.floor((this.#options.broadcasts + size - 1 - index) / size);
    const region = this.topology.regions[index];
    return Array.from({ length: count }, (_, i) => `events/${region}/node-${index}/camera-${i}`);
  }

  /** Starts a node, with a hop id of its own and its standing broadcasts. */
  start(index: number): Node {
    const { time, counted } = this;
    const node = new Node({
      ...{ index, time, counted, region: this.topology.regions[index]! },
      hop: hopFrom(this.random),
      ...(this.#pool === undefined ? {} : { pool: this.#pool }),
    });
    this.nodes[index] = node;
    for (const path of this.standingAt(index)) this.stand(path, index);
    this.#links[index] = this.topology.links.filter(({ from }) => from === index)
      .map((plan) => new SimulatedLink(plan, node, this));
    for (const link of this.#links[index]) link.run();
    this.#listLater();
    return node;
  }

  /** A broadcast comes that nobody watches. */
  stand(path: string, at: number): void {
    const hops = [hopFrom(this.random)];
    this.nodes[at]!.origin.announce(path, STANDING, { hops, warm: 0, cold: 0 });
  }

  /** Starts all nodes but these. */
  startAll(except: readonly number[] = []): void {
    for (let i = 0; i < this.size; i++) if (!except.includes(i)) this.start(i);
  }

  /** A node stops as it should: others are told. */
  async stop(index: number): Promise<void> {
    const node = this.#gone(index);
    for (const link of this.#links[index]!) link.stop();
    for (const link of this.#linksTo(index)) link.end();
    await node.stop();
  }

  /** A node drains before it stops: its peers are asked to leave. */
  async drain(index: number, graceMs: number): Promise<void> {
    const { relay } = this.nodes[index]!;
    let drained = relay === undefined;
    void relay?.dismiss(graceMs).then(() => drained = true);
    await this.time.until(() => drained, 2 * graceMs);
    await this.stop(index);
  }

  /** A node is gone without a word. */
  async kill(index: number): Promise<void> {
    const links = [...this.#links[index]!, ...this.#linksTo(index)];
    for (const link of links) link.silence();
    const node = this.#gone(index);
    for (const link of this.#links[index]!) link.stop();
    await node.stop();
  }

  /** Splits the nodes: packets get through inside of a side only. */
  split(sideOf: (index: number) => number): void {
    for (let i = 0; i < this.size; i++) this.#sides[i] = sideOf(i);
    for (const link of this.#links.flat()) {
      if (this.#sides[link.plan.from] !== this.#sides[link.plan.to]) link.silence();
    }
  }

  /** Packets do not get through between two nodes any more. */
  cut(a: number, b: number): void {
    this.#cut = [a, b];
    for (const link of this.#links.flat()) {
      if (this.isCut(link.plan.from, link.plan.to)) link.silence();
    }
  }

  /** Whether the way between two nodes is cut. */
  isCut(from: number, to: number): boolean {
    return this.#cut.includes(from) && this.#cut.includes(to);
  }

  /** Ends the split. */
  heal(): void {
    this.#sides.fill(0);
    for (const link of this.#links.flat()) link.mend();
  }

  reach(from: number, to: number): Node | "refused" | "silent" {
    if (this.#sides[from] !== this.#sides[to] || this.isCut(from, to)) return "silent";
    const node = this.nodes[to];
    if (node?.up !== true) return "silent";
    return node.relay?.draining === true ? "refused" : node;
  }

  async publish(path: string, at: number): Promise<Publisher> {
    const { time, counted } = this;
    const publisher = new Publisher({ path, hop: hopFrom(this.random), time, counted });
    this.publishers.push(publisher);
    await this.joins(publisher, at);
    return publisher;
  }

  /** A publisher goes to a node. */
  async joins(publisher: Publisher, at: number, abrupt = false): Promise<void> {
    let joined = false;
    void publisher.join(this.nodes[at]!, abrupt).then(() => joined = true);
    await this.time.until(() => joined, 5000);
  }

  watch(path: string, at: number): Viewer {
    const viewer = new Viewer(this.time, path, this.nodes[at]!);
    this.viewers.push(viewer);
    return viewer;
  }

  /** Nodes that packets get through to from this one, over any number of links. */
  componentOf(index: number): Set<number> {
    const found = new Set([index]);
    for (const at of found) {
      for (const { from, to } of this.topology.links) {
        const next = from === at ? to : to === at ? from : undefined;
        if (next !== undefined && typeof this.reach(at, next) !== "string") found.add(next);
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const publisher of this.publishers) publisher.stop();
    for (const link of this.#links.flat()) link.stop();
    await Promise.all(this.running.map((node) => node.stop()));
    await this.time.settle();
    this.time[Symbol.dispose]();
  }

  /** The directory tells every node who is there. */
  #listLater(): void {
    if (new Set(this.topology.regions).size === 1 || this.#listing) return;
    this.#listing = true;
    this.time.after(DIRECTORY_MS, () => {
      this.#listing = false;
      const all = this.running.map(({ hop, region, index }) => ({
        hop,
        region,
        name: nameOf(index),
      }));
      for (const { nodes: ours, hop, region, index } of this.running) {
        const nodes = all.filter((other) => other.hop !== hop);
        ours.setRegions({ region, name: nameOf(index), surcharge: SURCHARGE, nodes });
      }
    });
  }

  *#linksTo(index: number): Iterable<SimulatedLink> {
    for (const link of this.#links.flat()) if (link.plan.to === index) yield link;
  }

  /** A node stops: whoever was there goes elsewhere. */
  #gone(index: number): Node {
    const node = this.nodes[index]!;
    node.up = false;
    this.#listLater();
    this.time.after(MOVE_MS, () => {
      for (const publisher of this.publishers) {
        const next = publisher.node === node ? this.#nextTo(node) : undefined;
        if (next !== undefined) void publisher.join(next, true);
      }
      for (const viewer of this.viewers) {
        const next = viewer.node === node ? this.#nextTo(node) : undefined;
        if (next !== undefined) viewer.move(next);
      }
    });
    return node;
  }

  /** Another node, of the same region if there is one. */
  #nextTo(node: Node): Node | undefined {
    const { running } = this;
    const near = running.filter(({ region }) => region === node.region);
    const all = near.length > 0 ? near : running;
    return all[Math.floor(this.random() * all.length)];
  }
}

/** What a node is called in the directory. */
function nameOf(index: number): string {
  return `https://node-${index}.example/`;
}
