/** What links this node with others: the links themselves, and the cluster that wants them. */
import type { Logger } from "../../base/logger.ts";
import type { Config } from "../../config/schema.ts";
import type { Relay } from "../relay.ts";
import type { Workers } from "../threads/workers.ts";
import type { Cluster } from "./cluster.ts";
import { Dialing, parentLinks } from "./links/dialing.ts";
import { incomingPeers } from "./links/incoming.ts";
import { Links } from "./links/links.ts";
import type { NodeLoad } from "./node_info.ts";
import { openCluster } from "./open_cluster.ts";
import { followRegions } from "./region_map.ts";
import { ToldNodes } from "./told_nodes.ts";

export interface LinkageOptions {
  readonly config: Config;
  readonly relay: Relay;
  /** Where this node listens. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** The other threads, where there are some. */
  readonly workers?:
    | Pick<Workers, "onPeers" | "setRegions" | "tell" | "onHeard" | "onLost">
    | undefined;
  /** What this node does now. */
  readonly load: () => NodeLoad;
  readonly log: Logger;
}

/** All that links this node with other relays. Its owner starts it and closes it. */
export class Linkage {
  readonly cluster: Cluster;
  readonly links: Links;
  readonly #dialing: Dialing;
  #config: Config;

  /** @throws {LinkTrustError} */
  constructor({ config, relay, address, workers, load, log }: LinkageOptions) {
    this.#config = config;
    const dialing = this.#dialing = new Dialing(config, log);
    const links = this.links = new Links({
      relay,
      log,
      dialing: (wanted) => dialing.of(wanted, relay),
    });
    relay.onPeers = () => links.incoming(0, incomingPeers(relay));
    if (workers !== undefined) workers.onPeers = (thread, peers) => links.incoming(thread, peers);
    const told = new ToldNodes();
    relay.nodeNews.onHeard = (hop, text) => told.heard(0, hop, text);
    if (workers !== undefined) {
      workers.onHeard = (thread, hop, text) => told.heard(thread, hop, text);
      workers.onLost = (thread) => told.lost(thread);
    }
    const tell = (text: string) => {
      relay.nodeNews.tell(text);
      workers?.tell(text);
    };
    this.cluster = openCluster({
      ...{ told, tell },
      ...{ config, address, load, log, hop: relay.hop, links },
      draining: () => relay.draining,
    });
    const { cluster } = this;
    const mapped = {
      get self() {
        return cluster.facts;
      },
      get nodes() {
        return cluster.nodes;
      },
      onChange: (listener: () => void) => cluster.onChange(listener),
    };
    followRegions(mapped, () => this.#config.cluster, (map) => {
      relay.nodes.setRegions(map);
      workers?.setRegions(map);
    });
  }

  /** Dials, and looks for other nodes. */
  start(): void {
    this.links.wantParents(parentLinks(this.#config));
    this.cluster.start();
  }

  /**
   * Prepares another configuration.
   * @returns Takes it into use.
   * @throws {LinkTrustError} Then nothing has changed.
   */
  prepareReload(config: Config): () => void {
    const take = this.#dialing.prepare(config);
    return () => {
      this.#config = config;
      take();
      this.links.wantParents(parentLinks(config));
      this.cluster.apply(config.cluster);
    };
  }

  /** Leaves the directories, and closes all links. Never rejects. */
  async close(): Promise<void> {
    await this.cluster.close();
    this.links.stop();
  }
}
