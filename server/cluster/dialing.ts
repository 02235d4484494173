/**
 * How other relays are dialed, as the configuration says: which certificates they may have, which token they are shown, and how
 * soon a silent one counts as lost.
 *
 * @module
 */
import type { Config } from "../../config/schema.ts";
import { dial } from "../../transport/dial.ts";
import type { TransportSettings } from "../../transport/quic/quic_settings.ts";
import { alpnsOf } from "../../wire/versions.ts";
import { transportOf } from "../node.ts";
import type { Relay } from "../relay.ts";
import type { LinkOptions, LinkRole } from "./link.ts";
import { authorities, type LinkTrust } from "./link_trust.ts";
import { pinned, priced } from "./link_url.ts";
import type { WantedLink } from "./wanted_link.ts";

/**
 * Streams another relay may have open: one session carries all live tracks that viewers here watch. With moq-transport each
 * track that it offers is a request of its own.
 */
const LINK_UNI_STREAMS = 10_000;
const LINK_BIDI_STREAMS = 1_000;

/** The settings in use. They may be replaced: the next dial is by the new ones. */
export class Dialing {
  #config!: Config;
  #trust!: Readonly<Record<LinkRole, LinkTrust>>;

  /** @throws {LinkTrustError} */
  constructor(config: Config) {
    this.prepare(config)();
  }

  /**
   * Prepares another configuration.
   * @returns Takes it into use.
   * @throws {LinkTrustError} Then nothing has changed.
   */
  prepare(config: Config): () => void {
    const { upstreamHash: hash, upstreamCaFile } = config.relay;
    const parent = authorities("relay.upstream_ca_file", upstreamCaFile);
    const trust = {
      parent: hash === undefined ? parent : { ...parent, hash },
      peer: authorities("cluster.ca_file", config.cluster.caFile),
    };
    return () => {
      this.#config = config;
      this.#trust = trust;
    };
  }

  /** How one relay is dialed. */
  of({ role, serverName }: WantedLink, relay: Relay): Pick<LinkOptions, "backoff" | "dial"> {
    return {
      backoff: () => this.#backoff(role),
      dial: async (text, signal) => {
        const { url, hash } = pinned(text);
        const connection = await dial(url, {
          protocols: alpnsOf(relay.versions),
          ...this.#trust[role],
          ...(hash === undefined ? {} : { hash }),
          ...(serverName === undefined ? {} : { serverName }),
          signal,
          transport: this.#transport(),
        });
        return { connection, url };
      },
    };
  }

  #backoff(role: LinkRole): { readonly minMs: number; readonly maxMs: number } {
    const { relay, cluster } = this.#config;
    return role === "parent"
      ? { minMs: relay.upstreamBackoffMin, maxMs: relay.upstreamBackoffMax }
      : { minMs: cluster.backoffMin, maxMs: cluster.backoffMax };
  }

  #transport(): TransportSettings {
    const { server, cluster } = this.#config;
    return {
      ...transportOf(this.#config),
      idleTimeoutMs: cluster.idleTimeout,
      keepAliveMs: cluster.keepAlive,
      maxUniStreams: Math.max(server.maxUniStreams, LINK_UNI_STREAMS),
      maxBidiStreams: Math.max(server.maxBidiStreams, LINK_BIDI_STREAMS),
    };
  }
}

/** The links to upstream relays that a configuration wants. */
export function parentLinks({ relay: { upstreamUrl } }: Config): WantedLink[] {
  return upstreamUrl.map((text) => ({ cost: 1, ...priced(text), role: "parent" }));
}
