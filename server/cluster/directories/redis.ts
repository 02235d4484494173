/**
 * The nodes that find each other in Redis: `cluster.redis_url`. Each has a lease there and renews it every second.
 *
 * Redis that is away takes no node out of the set. When it is back, or has lost what it knew, nodes that are missing stay for as
 * long as they may take to write themselves again.
 *
 * @module
 */
import { unlessAborted } from "../../../base/bell.ts";
import { systemClock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { type RedisPlace, redisPlaceName } from "../../../storage/redis_place.ts";
import { sleep } from "../../../base/sleep.ts";
import type { RedisBus } from "../../../storage/redis_bus.ts";
import type { Directory, DirectoryState } from "../directory.ts";
import type { NodeInfo } from "../node_info.ts";
import { Known } from "./known.ts";
import { BadNode, MAX_NODES, nodeOfJson } from "./node_text.ts";
import { BEAT, LEAVE } from "./redis_scripts.ts";

export interface RedisDirectoryOptions {
  readonly place: RedisPlace;
  /** What every key begins with. */
  readonly prefix: string;
  /** File with the certificates of authorities that may have signed that of Redis. Default: those Deno knows. */
  readonly caFile?: string | undefined;
  readonly log: Logger;
  /** A node that has not renewed its lease for so long is gone. Default 3,000. */
  readonly leaseMs?: number;
  /** How often the lease is renewed and the nodes are read. Default 1,000. */
  readonly beatMs?: number;
}

/** Most bytes of what a node tells of itself. */
const MAX_NODE_BYTES = 4096;
/** How long Redis may take to answer. */
const ANSWER_MS = 1500;
/** The shortest time between two looks, and what each node adds to it: many joins at once are read together. */
const PAUSE_MS = 100;
const PAUSE_PER_NODE_MS = 2;
/** After so many failed beats the connection is made anew. */
const GIVEN_UP = 8;

/** A node as it stands in Redis. */
interface Lease {
  readonly hop: string;
  readonly node: NodeInfo;
  /** When it began, by the clock of Redis. */
  readonly since: number;
  /** As it stands there. */
  readonly text: string;
}

export class RedisDirectory implements Directory {
  readonly #options: RedisDirectoryOptions;
  readonly #known: Known;
  readonly #keys: { readonly index: string; readonly node: string; readonly channel: string };
  /** Another one with every start, so that a node tells its own lease from that of a twin. */
  readonly #instance = crypto.randomUUID();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #self: () => NodeInfo | undefined = () => undefined;
  #bus: RedisBus | undefined;
  #failures = 0;
  /** By hop id. */
  #leases: ReadonlyMap<string, Lease> = new Map();
  /** Until then nodes that are missing stay, in milliseconds of our clock. */
  #graceUntilMs = 0;
  /** When the lease was renewed last, in milliseconds of our clock, and what stood at our key before. */
  #renewedAtMs = -Infinity;
  #was = "";
  /** Whether others are to be told with the next beat. */
  #news = false;
  #wake = () => {};

  constructor(options: RedisDirectoryOptions) {
    this.#options = options;
    this.#known = new Known("redis", options.log);
    // All keys of a cluster lie in one slot of a Redis Cluster.
    const { place, prefix } = options;
    const root = place.kind === "cluster" && !/\{[^}]+\}/.test(prefix) ? `{${prefix}}` : prefix;
    this.#keys = { index: `${root}nodes`, node: `${root}node:`, channel: `${root}changes` };
  }

  get state(): DirectoryState {
    return this.#known.state;
  }

  start(
    self: () => NodeInfo | undefined,
    onNodes: (nodes: readonly NodeInfo[]) => void,
  ): void {
    this.#self = self;
    this.#known.begin(onNodes);
    this.#running = this.#run();
  }

  announce(): void {
    this.#news = true;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#known.end();
    this.#stop.abort();
    this.#wake();
    await this.#running;
    const { hop } = this.#self() ?? {};
    const { index, node, channel } = this.#keys;
    if (this.#bus !== undefined && hop !== undefined) {
      const leaving = this.#bus.run(LEAVE, [index, node + hop], [hop, this.#instance, channel]);
      // Its lease ends by itself when this does not work.
      await unlessAborted(leaving, AbortSignal.timeout(ANSWER_MS)).catch(() => {});
    }
    this.#drop();
  }

  async #run(): Promise<void> {
    const { beatMs = 1000 } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      try {
        this.#bus ??= await this.#open();
        await this.#beat(this.#bus);
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#known.failed(error);
        if (++this.#failures % GIVEN_UP === 0) this.#drop();
      }
      // Nodes that are woken by the same news do not all ask at the same moment.
      const longest = PAUSE_MS + PAUSE_PER_NODE_MS * this.#leases.size;
      const pauseMs = Math.min(beatMs, longest) * (0.5 + Math.random() / 2);
      await sleep(pauseMs, signal, systemClock);
      await Promise.race([woken, sleep(beatMs - pauseMs, signal, systemClock)]);
    }
  }

  async #open(): Promise<RedisBus> {
    const { place, caFile } = this.#options;
    // The package is loaded where Redis is used.
    const { openRedisBus } = await import("../../../storage/redis_bus.ts");
    const named = (error: unknown) =>
      new Error(`Redis at ${redisPlaceName(place)}: ${reasonFor(error)}`, { cause: error });
    const onError = (error: unknown) => this.#known.failed(named(error));
    let bus: RedisBus;
    try {
      const ca = place.tls && caFile !== undefined ? await Deno.readTextFile(caFile) : undefined;
      const options = { place, onError, ...(ca === undefined ? {} : { ca }) };
      bus = await openRedisBus(options, this.#stop.signal);
    } catch (error) {
      throw named(error);
    }
    const own = () => this.#self()?.hop;
    // A channel that cannot be listened to costs time: nodes are read every beat anyway.
    const listening = bus.listen(this.#keys.channel, (hop) => {
      if (hop !== own()) this.#wake();
    });
    await unlessAborted(listening, AbortSignal.timeout(ANSWER_MS)).catch(onError);
    return bus;
  }

  #drop(): void {
    this.#bus?.close();
    this.#bus = undefined;
  }

  /** Renews the lease when it is time to, and reads all others. */
  async #beat(bus: RedisBus): Promise<void> {
    const { leaseMs = 3000, beatMs = 1000 } = this.#options;
    const self = this.#self();
    const nowMs = systemClock.now();
    const news = this.#news;
    this.#news = false;
    // Others may have woken us: then there is something to read, and nothing to write.
    const due = news || nowMs - this.#renewedAtMs >= beatMs / 2;
    const hop = due ? self?.hop ?? "" : "";
    const { index, node: prefix, channel } = this.#keys;
    const json = JSON.stringify({ instance: this.#instance, ...self });
    const running = bus.run(BEAT, [index, prefix + hop], [
      ...[String(leaseMs), hop, json, this.#instance, self?.url ?? "", prefix],
      ...[String(MAX_NODES), String(MAX_NODE_BYTES), channel, news ? "1" : ""],
    ]);
    const answer = await unlessAborted(running, AbortSignal.timeout(ANSWER_MS)).catch((error) => {
      this.#news ||= news;
      throw error;
    });
    if (this.#stop.signal.aborted) return;
    const [was, ...rest] = answer as [string, ...string[]];
    if (hop !== "") {
      this.#renewedAtMs = nowMs;
      this.#was = was;
    }
    const listed = leasesOf(rest, this.#leases, this.#options.log);
    this.#take(listed, hop !== "" && was === "none");
    this.#known.took(onePerUrl(this.#leases.values()), self && this.#complaintOf(self));
  }

  /** @param lost Redis did not have our lease: it is new, or Redis has lost what it knew. */
  #take(listed: Map<string, Lease>, lost: boolean): void {
    const { leaseMs = 3000, beatMs = 1000 } = this.#options;
    const nowMs = systemClock.now();
    const emptied = listed.size === 0 && this.#graceUntilMs === 0;
    const doubtful = !this.#known.state.reachable || lost || emptied;
    if (doubtful && this.#leases.size > 0) this.#graceUntilMs = nowMs + leaseMs + beatMs;
    if (nowMs < this.#graceUntilMs) {
      const urls = new Set([...listed.values()].map(({ node }) => node.url));
      for (const [hop, lease] of this.#leases) {
        if (!listed.has(hop) && !urls.has(lease.node.url)) listed.set(hop, lease);
      }
    } else if (listed.size > 0) this.#graceUntilMs = 0;
    this.#leases = listed;
  }

  /** What is wrong with how this node stands in Redis. */
  #complaintOf({ hop, url }: NodeInfo): string | undefined {
    const held = this.#leases.get(hop!);
    if (this.#was === "taken") {
      return `the hop id ${hop} is that of ${
        held?.node.url ?? "another node"
      }: give each node a relay.hop_id of its own`;
    }
    const newer = [...this.#leases.values()].some((other) =>
      other.hop !== hop && other.node.url === url && other.since > (held?.since ?? 0)
    );
    return newer ? `another node tells the same cluster.url, ${url}, and began later` : undefined;
  }
}

/** What has a form that can be used. Others are left out: one bad entry takes nobody with it. */
function leasesOf(
  pairs: readonly string[],
  before: ReadonlyMap<string, Lease>,
  log: Logger,
): Map<string, Lease> {
  const leases = new Map<string, Lease>();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const [hop, text] = [pairs[at]!, pairs[at + 1]!];
    const same = before.get(hop);
    if (same?.text === text) {
      leases.set(hop, same);
      continue;
    }
    try {
      const json = JSON.parse(text);
      const node = nodeOfJson(json);
      if (node.hop !== hop) throw new BadNode(`${node.url} is listed with the hop id of another`);
      const since = Number(json.since);
      leases.set(hop, { hop, node, text, since: Number.isFinite(since) ? since : 0 });
    } catch (error) {
      log.debug("an entry of the cluster in Redis is of no use", {
        reason: error instanceof BadNode ? error.message : "it is no JSON",
      });
    }
  }
  return leases;
}

/** Of two nodes with one URL the one that began later: the other is what a restart has left. */
function onePerUrl(leases: Iterable<Lease>): NodeInfo[] {
  const byUrl = new Map<string, Lease>();
  for (const lease of leases) {
    const other = byUrl.get(lease.node.url);
    if (other === undefined || lease.since > other.since) byUrl.set(lease.node.url, lease);
  }
  return [...byUrl.values()].map(({ node }) => node);
}

/** Why Redis could not be reached: several attempts at one name come as one error without a text. */
function reasonFor(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(String).join("; ");
  }
  return error instanceof Error ? error.message || error.name : String(error);
}
