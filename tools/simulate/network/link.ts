/**
 * One link of the simulation: it is dialed as long as the node that dials runs, and again when it was lost.
 *
 * @module
 */
import { Backoff } from "../../../base/backoff.ts";
import { silent } from "../../../base/logger.ts";
import { sleep } from "../../../base/sleep.ts";
import { Link } from "../../../server/cluster/links/link.ts";
import { ConnectFailed } from "../../../transport/errors.ts";
import { Carriage } from "./carriage.ts";
import { linkDirectly } from "./direct_link.ts";
import type { Node } from "../node.ts";
import { PeerView } from "../../../relay/cluster/peer_view.ts";
import type { LinkPlan } from "./topology.ts";
import { Wire } from "./wire.ts";
import type { Counted } from "../counted.ts";
import type { SimulatedTime } from "../simulated_time.ts";

/** As `cluster.idle_timeout`, `cluster.backoff_min` and `cluster.backoff_max`. */
export const IDLE_MS = 2000;
const BACKOFF = { minMs: 200, maxMs: 5000 };
/** When the first packet of a handshake is sent again, and when nobody waits any more. */
const HANDSHAKE_AT_MS = [0, 1000, 3000, 7000];
const DIAL_TIMEOUT_MS = 10_000;

/** What a link needs of the simulation. */
export interface LinkHost {
  readonly time: SimulatedTime;
  readonly random: () => number;
  readonly counted: Counted;
  readonly jitterMs: number;
  /** The node that runs there now, if packets get through to it. */
  reach(from: number, to: number): Node | "refused" | "silent";
}

/** A link that is open. */
interface Open {
  readonly carriage: Carriage;
  readonly node: Node;
  /** @param abrupt Default: without a word. */
  lose(abrupt?: boolean): void;
}

export class SimulatedLink {
  readonly plan: LinkPlan;
  readonly #host: LinkHost;
  readonly #from: Node;
  readonly #stop = new AbortController();
  readonly #link: Link | undefined;
  #open: Open | undefined;

  /** @param from The node that dials. */
  constructor(plan: LinkPlan, from: Node, host: LinkHost) {
    this.plan = plan;
    this.#host = host;
    this.#from = from;
    const { time, random } = host;
    if (from.relay === undefined) return;
    this.#link = new Link({
      ...{ url: `moqt://node-${plan.to}.example/`, role: plan.role, cost: plan.cost },
      ...{ relay: from.relay, log: silent, clock: time, random, backoff: () => BACKOFF },
      dial: async (url, signal) => ({ connection: (await this.#dialWire(signal)).near, url }),
    });
  }

  /** Dials until {@link stop}. */
  run(): void {
    if (this.#link === undefined) void this.#runDirectly();
    else void this.#link.run();
  }

  /** The node that dials stops in order: it closes the link. */
  stop(): void {
    this.#stop.abort();
    this.#link?.stop();
    this.end();
  }

  /** One of its nodes stops in order. Sessions do that by themselves. */
  end(): void {
    if (this.#link === undefined && this.#open?.carriage.silent === false) {
      this.#open.lose(false);
    }
  }

  /** Nothing gets through any more. Both ends notice after a while. */
  silence(): void {
    const open = this.#open;
    if (open === undefined || open.carriage.silent) return;
    open.carriage.silence();
    this.#host.time.after(IDLE_MS, () => open.carriage.silent && open.lose());
  }

  /** Packets get through again. */
  mend(): void {
    const open = this.#open;
    if (open?.node.up && this.#from.up) open.carriage.mend();
  }

  get #carriage(): Carriage {
    const { time, random, jitterMs } = this.#host;
    return new Carriage(time, random, { latencyMs: this.plan.latencyMs, jitterMs });
  }

  /** Waits for the handshake. @throws {ConnectFailed} */
  async #shake(signal: AbortSignal): Promise<Node> {
    const { time } = this.#host;
    const { from, to, latencyMs } = this.plan;
    const startMs = time.now();
    for (const atMs of HANDSHAKE_AT_MS) {
      await sleep(Math.max(0, startMs + atMs - time.now()) + latencyMs, signal, time);
      const node = this.#host.reach(from, to);
      if (signal.aborted) break;
      if (node === "silent") continue;
      await sleep(latencyMs, signal, time);
      if (node === "refused") throw new ConnectFailed(`node-${to}`, "refused");
      if (!signal.aborted && this.#host.reach(from, to) === node) return node;
    }
    await sleep(Math.max(0, startMs + DIAL_TIMEOUT_MS - time.now()), signal, time);
    throw new ConnectFailed(`node-${to}`, "no answer");
  }

  async #dialWire(signal: AbortSignal): Promise<Wire> {
    const node = await this.#shake(signal);
    const carriage = this.#carriage;
    const wire = new Wire(carriage, {
      protocol: "moq-lite-06",
      remotes: [`node-${node.index}`, `node-${this.#from.index}`],
    });
    this.#open = { carriage, node, lose: () => wire.lose() };
    void node.relay!.accept(wire.far, undefined, {
      ...{ unlimited: true, peer: this.plan.role === "peer" },
    });
    return wire;
  }

  async #runDirectly(): Promise<void> {
    const { time, random, counted } = this.#host;
    const { signal } = this.#stop;
    const backoff = new Backoff({ ...BACKOFF, random });
    while (!signal.aborted) {
      const startedMs = time.now();
      const node = await this.#shake(signal).catch(() => undefined);
      if (signal.aborted) return;
      if (node !== undefined) await this.#holdDirectly(node, counted);
      backoff.ended(time.now() - startedMs);
      await sleep(backoff.next(), signal, time);
    }
  }

  #holdDirectly(node: Node, counted: Counted): Promise<void> {
    return new Promise((resolve) => {
      const carriage = this.#carriage;
      const ends = [this.#from, node].map(({ index, hop, origin }) => {
        const seen = this.plan.role === "peer" ? new PeerView(origin) : origin;
        return { label: `node-${index}`, hop, serve: seen, consume: seen };
      });
      const end = linkDirectly([ends[0]!, ends[1]!], { cost: this.plan.cost, carriage, counted });
      let over = false;
      const lose = (abrupt = true) => {
        if (over) return;
        over = true;
        end(abrupt);
        resolve();
      };
      this.#open = { carriage, node, lose };
    });
  }
}
