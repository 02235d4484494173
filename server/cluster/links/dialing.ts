/**
 * How other relays are dialed, as the configuration says: which certificates they may have, which token they are shown, and how
 * soon a silent one counts as lost.
 *
 * @module
 */
import { systemClock } from "../../../base/clock.ts";
import { QumoError, reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Config } from "../../../config/schema.ts";
import { fetchHash } from "../../../transport/fetched_hash.ts";
import { dial } from "../../../transport/dial.ts";
import type { TransportSettings } from "../../../transport/quic/quic_settings.ts";
import { alpnsOf, type Version } from "../../../wire/versions.ts";
import { ClusterSecret } from "../../auth/cluster_secret.ts";
import { dialedNode } from "../../auth/node_names.ts";
import { transportOf } from "../../node.ts";
import type { Relay } from "../../relay.ts";
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

/** How long dialing a node may take. One that hung meanwhile is dialed anew all the sooner. */
const NODE_DIAL_MS = 5000;

/** What nodes speak: these versions tell hop ids, and keep timestamps. The first of them tells costs too. */
const NODE_VERSIONS: readonly Version[] = ["moq-lite-06", "moq-lite-05"];

/** The versions that are offered to a node: those two, as far as they are spoken here, else what is spoken here. */
function betweenNodes(ours: readonly Version[]): readonly Version[] {
  const good = NODE_VERSIONS.filter((version) => ours.includes(version));
  return good.length > 0 ? good : ours;
}

/** `cluster.token_file` cannot be read. */
export class ClusterTokenUnusable extends QumoError {
  readonly code = "QUMO_CLUSTER_TOKEN_UNUSABLE";
}

/** The settings in use. They may be replaced: the next dial is by the new ones. */
export class Dialing {
  readonly #log: Logger;
  #config!: Config;
  #secret: ClusterSecret | undefined;
  #trust!: Readonly<Record<LinkRole, LinkTrust>>;

  /** @throws {LinkTrustError} */
  constructor(config: Config, log: Logger) {
    this.#log = log;
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
    const file = config.cluster.secretFile;
    return () => {
      if (file !== this.#config?.cluster.secretFile) {
        const log = this.#log;
        this.#secret = file === undefined
          ? undefined
          : new ClusterSecret({ file, clock: systemClock, log });
      }
      this.#config = config;
      this.#trust = trust;
    };
  }

  /** How one relay is dialed. */
  of({ role, serverName }: WantedLink, relay: Relay): Pick<LinkOptions, "backoff" | "dial"> {
    return {
      backoff: () => this.#backoff(role),
      dial: async (text, signal) => {
        const { url: bare, hash } = role === "peer" ? await certain(text, signal) : pinned(text);
        const names = {
          ...(hash === undefined ? {} : { hash }),
          ...(serverName === undefined ? {} : { serverName }),
        };
        const url = role === "peer" ? await this.#withToken(bare, names) : bare;
        const connection = await dial(url, {
          protocols: alpnsOf(role === "peer" ? betweenNodes(relay.versions) : relay.versions),
          ...(role === "peer" ? { timeoutMs: NODE_DIAL_MS } : {}),
          ...this.#trust[role],
          ...names,
          signal,
          transport: this.#transport(),
        });
        return { connection, url };
      },
    };
  }

  /** Shows the other node that this is one too. A token that stands in the URL is not replaced. */
  async #withToken(text: string, names: Parameters<typeof dialedNode>[1]): Promise<string> {
    const url = new URL(text);
    if (url.searchParams.has("jwt")) return text;
    const { tokenFile } = this.#config.cluster;
    const token = tokenFile === undefined
      ? await this.#secret?.sign(dialedNode(url, names))
      : await readToken(tokenFile);
    if (token === undefined) return text;
    url.searchParams.set("jwt", token);
    return url.href;
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

/** What is dialed, where its certificate is known before: with `http:` the other node tells it. @throws {ConnectFailed} */
async function certain(text: string, signal: AbortSignal): Promise<ReturnType<typeof pinned>> {
  const { url, hash } = pinned(text);
  if (!url.startsWith("http:")) return { url, ...(hash === undefined ? {} : { hash }) };
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(NODE_DIAL_MS)]);
  const told = await fetchHash(new URL(url), inTime);
  return { url: told.url.href, hash: told.hash };
}

/** It is read for each dial: it may be replaced. @throws {ClusterTokenUnusable} */
async function readToken(file: string): Promise<string> {
  try {
    const token = (await Deno.readTextFile(file)).trim();
    if (token === "") throw new Error("it is empty");
    return token;
  } catch (cause) {
    const why = `Cannot read cluster.token_file ${file}: ${reasonOf(cause)}`;
    throw new ClusterTokenUnusable(`${why}; \`qumo-relay token sign --peer\` makes a token`, {
      cause,
    });
  }
}

/** The links to upstream relays that a configuration wants. */
export function parentLinks({ relay: { upstreamUrl } }: Config): WantedLink[] {
  return upstreamUrl.map((text) => ({ cost: 1, ...priced(text), role: "parent" }));
}
