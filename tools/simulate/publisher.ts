/**
 * Publishes one broadcast at one node, and can go to another one. Its groups stay with it.
 *
 * @module
 */
import { BroadcastProducer, type TrackProducer } from "../../client/publish.ts";
import type { Origin } from "../../relay/origin.ts";
import { newRelayStats } from "../../relay/stats.ts";
import { openSession } from "../../session/open.ts";
import { Carriage } from "./network/carriage.ts";
import type { Counted } from "./counted.ts";
import { linkDirectly } from "./network/direct_link.ts";
import { type Node, originOf } from "./node.ts";
import type { SimulatedTime } from "./simulated_time.ts";
import { Wire } from "./network/wire.ts";

/** A group comes so often, in so many frames. */
export const GROUP_MS = 400;
export const FRAMES = 2;
/** From the publisher to its node, one way. */
const LATENCY_MS = 5;

export interface PublisherOptions {
  readonly path: string;
  readonly hop: bigint;
  readonly time: SimulatedTime;
  readonly counted: Counted;
}

export class Publisher {
  /** The node that it is at. */
  node: Node | undefined;
  readonly path: string;
  readonly hop: bigint;
  readonly #options: PublisherOptions;
  readonly #origin: Origin;
  readonly #track: TrackProducer;
  readonly #payload = new Uint8Array(200);
  #leave: ((abrupt: boolean) => void) | undefined;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.path = options.path;
    this.hop = options.hop;
    this.#origin = originOf(options.hop, options.time);
    this.#track = new BroadcastProducer(this.#origin, options.path).track("video");
    this.#write();
  }

  /** Groups that are complete. */
  get groups(): number {
    return this.#track.nextGroup - 1;
  }

  /** Joins a node. Leaves the one where it is. @param abrupt Whether it leaves without a word. */
  async join(node: Node, abrupt = false): Promise<void> {
    this.leave(abrupt);
    this.node = node;
    const { time, counted } = this.#options;
    const carriage = new Carriage(time, () => 0, { latencyMs: LATENCY_MS });
    if (node.relay === undefined) {
      this.#leave = linkDirectly([
        { label: "publisher", hop: this.hop, serve: this.#origin },
        { label: `node-${node.index}`, hop: node.hop, consume: node.origin },
      ], { cost: 1, carriage, counted });
      return;
    }
    const wire = new Wire(carriage, { protocol: "moq-lite-06", remotes: ["node", "publisher"] });
    this.#leave = (lost) => lost ? wire.lose() : wire.near.close();
    void node.relay.accept(wire.far, undefined, { unlimited: true });
    await openSession({
      ...{ connection: wire.near, serve: this.#origin, hop: this.hop, clock: time },
      ...{ stats: newRelayStats(), versions: ["moq-lite-06"] },
    });
  }

  /** Leaves its node. */
  leave(abrupt: boolean): void {
    this.#leave?.(abrupt);
    this.#leave = undefined;
    this.node = undefined;
  }

  /** Writes no more groups. */
  stop(): void {
    this.#stopped = true;
  }

  #write(): void {
    if (this.#stopped) return;
    const group = this.#track.group();
    group.write(this.#payload);
    const { time } = this.#options;
    for (let frame = 1; frame < FRAMES; frame++) {
      time.after(GROUP_MS * frame / FRAMES, () => {
        group.write(this.#payload);
        if (frame === FRAMES - 1) group.close();
      });
    }
    time.after(GROUP_MS, () => this.#write());
  }
}
