/**
 * Several relays in one process, linked over pairs in memory that can be cut at will, on one clock that stands still.
 *
 * ```ts
 * await using mesh = new Mesh();
 * const [a, b] = mesh.nodes("a", "b");
 * const link = await mesh.link(b, a);                  // b dials a
 * const publisher = await mesh.client(a, { hop: 9n }); // the client library, in any version
 * const track = publisher.publish("room").track("video");
 * const viewer = mesh.watch(await mesh.client(b, { version: "moq-lite-02" }), "room", "video");
 * await mesh.pass(500);                                // half a second goes by
 * link.kill();                                         // both ends notice at once
 * link.silence(); await mesh.pass(2000); link.kill();  // nothing arrives, then it is noticed
 * ```
 *
 * Everything works in microtasks and timers of the clock: after {@link Mesh.pass} whatever can happen has happened.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { Client, type ClientOptions } from "../../../client/client.ts";
import type { SubscribeOptions } from "../../../client/subscription.ts";
import {
  type AcceptOptions,
  type JoinOptions,
  Relay,
  type RelayOptions,
} from "../../../server/relay.ts";
import type { RelaySession } from "../../../server/relay.ts";
import { Viewer } from "../../../session/peers_test.ts";
import {
  type MemoryConnection,
  memoryPair,
  type MemoryPairOptions,
} from "../../../transport/memory/memory.ts";
import { type Draft, profileOf } from "../../../wire/ietf/profile.ts";
import { alpnOf, type Version } from "../../../wire/versions.ts";
import { IetfPeer, type PeerOptions } from "../ietf_peer.ts";
import { ManualClock } from "../manual_clock.ts";

/** Lets everything happen that can without time going by. */
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** How far the clock goes at a time. Between two steps everything happens that can. */
const STEP_MS = 20;

/** How two nodes are linked, or a client joins one. */
export interface Way {
  /** Default: moq-lite-06. */
  readonly version?: Version;
  readonly pair?: MemoryPairOptions;
}

/** How two nodes are linked. */
export interface LinkWay extends Way {
  /** For the node that dials, and for the one that is dialed. */
  readonly join?: JoinOptions;
  readonly accept?: AcceptOptions;
}

/** One connection: of two nodes, or of a node and its client. */
export class MeshLink {
  constructor(
    /** The end that has dialed, and the other one. */
    readonly near: MemoryConnection,
    readonly far: MemoryConnection,
    /** The session at the node that has dialed, if a node has. */
    readonly session?: RelaySession,
  ) {}

  /** It is lost, and both ends notice at once. */
  kill(): void {
    this.near.drop();
  }
  /** Nothing arrives any more, in either direction, until {@link heal} or {@link kill}. Nobody is told. */
  silence(): void {
    this.near.stall();
    this.far.stall();
  }
  /** What was sent meanwhile arrives, and whatever comes after it. */
  heal(): void {
    this.near.resume();
    this.far.resume();
  }
  /** The dialing end closes it in order. */
  close(): void {
    this.near.close();
  }
}

export interface MeshClient extends Client {
  readonly link: MeshLink;
}

export class Mesh implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly #nodes = new Map<string, Relay>();
  /** Every link ever made, with its nodes. */
  readonly #links: { readonly ends: readonly [Relay, Relay]; readonly link: MeshLink }[] = [];
  readonly #clients: { readonly client: Client; readonly at: Relay; readonly link: MeshLink }[] =
    [];
  readonly #options: Partial<RelayOptions>;

  /** @param options Of every node. */
  constructor(options: Partial<RelayOptions> = {}) {
    this.#options = options;
  }

  /** Starts a node. Its hop id is 101 for the first one, then counts up. */
  node(name: string, options: Partial<RelayOptions> = {}): Relay {
    const hop = BigInt(101 + this.#nodes.size);
    const relay = new Relay({ hop, clock: this.clock, ...this.#options, ...options });
    this.#nodes.set(name, relay);
    return relay;
  }

  /** Starts several. */
  nodes<N extends readonly string[]>(...names: N): { readonly [I in keyof N]: Relay } {
    return names.map((name) => this.node(name)) as { readonly [I in keyof N]: Relay };
  }

  /** `from` dials `to`. */
  async link(from: Relay, to: Relay, way: LinkWay = {}): Promise<MeshLink> {
    const { version = "moq-lite-06", pair, join = {}, accept } = way;
    const remotes = [this.#nameOf(to), this.#nameOf(from)] as const;
    const [near, far] = memoryPair({ protocol: alpnOf(version), remotes, ...pair });
    void to.accept(far, undefined, { unlimited: true, ...accept });
    const link = new MeshLink(near, far, await from.join(near, join));
    this.#links.push({ ends: [from, to], link });
    await tick();
    return link;
  }

  /** Links every two of these: the later one dials. */
  async full(nodes: readonly Relay[], way: LinkWay = {}): Promise<MeshLink[]> {
    const links: MeshLink[] = [];
    for (const [i, from] of nodes.entries()) {
      for (const to of nodes.slice(0, i)) links.push(await this.link(from, to, way));
    }
    return links;
  }

  /** A client of the library at a node. */
  async client(at: Relay, options: ClientOptions & Way = {}): Promise<MeshClient> {
    const { version = "moq-lite-06", pair, ...rest } = options;
    const [near, far] = memoryPair({ protocol: alpnOf(version), ...pair });
    void at.accept(far);
    const client = await Client.over(near, { versions: [version], clock: this.clock, ...rest });
    const link = new MeshLink(near, far);
    this.#clients.push({ client, at, link });
    await tick();
    return Object.assign(client, { link });
  }

  /** A scripted peer of moq-transport at a node. SETUP is through. */
  async peer(at: Relay, draft: Draft, options: PeerOptions & Way = {}): Promise<IetfPeer> {
    const [near, far] = memoryPair({ protocol: profileOf(draft).alpn, ...options.pair });
    void at.accept(far);
    const peer = await IetfPeer.client(near, draft, options);
    await peer.setup();
    return peer;
  }

  /** Subscribes, and writes down what comes. */
  watch(client: Client, path: string, track: string, options?: SubscribeOptions): Viewer {
    return new Viewer(client.subscribe(path, track, options));
  }

  /** Time goes by, and whatever can happen happens. @param stepMs The clock goes so far at a time. */
  async pass(ms = 0, stepMs = STEP_MS): Promise<void> {
    await tick();
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await tick();
    }
    await tick();
  }

  /** Every open link between one of these nodes and one of the others, or any other node. */
  between(some: readonly Relay[], others?: readonly Relay[]): MeshLink[] {
    const isCut = (a: Relay, b: Relay) =>
      some.includes(a) && (others?.includes(b) ?? !some.includes(b));
    return this.#links.filter(({ ends: [a, b] }) => isCut(a, b) || isCut(b, a))
      .map(({ link }) => link);
  }

  /** Kills a node without a word: all its links and clients are lost at once. */
  kill(node: Relay): void {
    for (const link of this.between([node])) link.kill();
    for (const { at, link } of this.#clients) if (at === node) link.kill();
  }

  /** Stops a node, as a debugger would: nothing from it arrives and it hears nothing, until its links are healed or killed. */
  silence(node: Relay): void {
    for (const link of this.between([node])) link.silence();
    for (const { at, link } of this.#clients) if (at === node) link.silence();
  }

  #nameOf(node: Relay): string {
    for (const [name, relay] of this.#nodes) if (relay === node) return name;
    return "memory";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { link } of [...this.#links, ...this.#clients]) link.heal();
    const closing = this.#clients.map(({ client }) => client.close());
    await this.pass(100);
    await Promise.all(closing);
    await Promise.all([...this.#nodes.values()].map((relay) => relay.close()));
  }
}
