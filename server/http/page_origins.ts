/**
 * Decides which web pages may use the relay, by WebSocket, WebTransport and HTTP.
 *
 * With tokens, a page needs a token, whatever its origin; `server.cors_origins` says which pages may read the public HTTP.
 * Without tokens, a browser could give every page full access. So only these pages are allowed: the relay's own, those of
 * loopback hosts, those of other nodes of the cluster by https, and those in `auth.origins`.
 *
 * @module
 */
import { coversHost, isIpAddress, isLoopback, unbracketed } from "../../config/address.ts";
import { certificateHosts } from "../../config/tls/certificate.ts";
import { openToAll } from "../../config/exposure.ts";
import type { Config } from "../../config/schema.ts";
import { type Refusal, refusal } from "../auth/grant.ts";

/** The page that makes a request, and the host it asks. */
export interface PageRequest {
  /** `Origin`. Only browsers send it. */
  readonly origin: string | undefined;
  /** `Host` or `:authority`, with or without a port. */
  readonly host: string;
}

export class PageOrigins {
  /** Pages that may use an open relay besides its own; `undefined` where tokens are needed. */
  readonly #listed: "*" | readonly string[] | undefined;
  readonly #readers: "*" | readonly string[];
  /** Host names of this relay, in lower case. Some are wildcards. */
  readonly #names: readonly string[];

  /** Hosts of other nodes of the cluster: their pages come here when their own node is gone. */
  readonly #nodes: readonly string[];

  /**
   * @param certified Host names and addresses in the certificate in use.
   * @param nodes Hosts of other nodes of the cluster, as in a URL.
   */
  constructor(
    { server, auth, cluster }: Pick<Config, "server" | "auth" | "cluster">,
    certified: readonly string[],
    nodes: readonly string[] = [],
  ) {
    this.#nodes = nodes;
    const all = (origins: readonly string[]) => origins.includes("*") ? "*" : origins;
    this.#readers = all(server.corsOrigins);
    this.#listed = openToAll(auth) ? all(auth.origins) : undefined;
    const own = certificateHosts([...server.certHosts, ...certified, server.address.hostname]);
    const listed = auth.origins.flatMap((origin) => URL.parse(origin)?.hostname ?? []);
    // Multicast DNS finds a machine by its name and ".local".
    const machine = Deno.hostname().split(".")[0]!;
    const told = cluster.url === undefined ? [] : [new URL(cluster.url).hostname];
    this.#names = [...own, ...listed, ...told, `${machine}.local`]
      .map((name) => name.toLowerCase());
  }

  /** The refusal of a request for a session, or `undefined`. A program that is not a browser is never refused. */
  refusal({ origin, host }: PageRequest): Refusal | undefined {
    return origin === undefined
      ? undefined
      : this.#foreignName(host) ?? this.#foreign(origin, host);
  }

  /** The same for HTTP. There a page under a foreign name that leads here (DNS rebinding) sends no `Origin`. */
  httpRefusal({ origin, host }: PageRequest): Refusal | undefined {
    return this.#foreignName(host) ??
      (origin === undefined ? undefined : this.#foreign(origin, host));
  }

  /**
   * The value of `Access-Control-Allow-Origin` for a request that is not refused: "*", the origin itself, or `undefined`
   * for no header.
   */
  reader(origin: string | undefined): "*" | string | undefined {
    if (this.readersDiffer) {
      const may = this.#readers === "*" || origin !== undefined && this.#readers.includes(origin);
      return may ? origin : undefined;
    }
    return "*";
  }

  /** Whether only some pages may read. */
  get readersDiffer(): boolean {
    return this.#readers !== "*" || this.#listed !== undefined && this.#listed !== "*";
  }

  /** Sources of `frame-ancestors`: pages that may show the player in a frame. */
  get framedBy(): string {
    if (!this.readersDiffer) return "*";
    const listed = this.#listed ?? "*";
    if (this.#readers !== "*") {
      const both = this.#readers.filter((origin) => listed === "*" || listed.includes(origin));
      return ["'self'", ...both].join(" ");
    }
    return ["'self'", ...LOOPBACK_SOURCES, ...listed].join(" ");
  }

  /** The refusal of a host name that is not ours: DNS rebinding makes a foreign name lead here. */
  #foreignName(host: string): Refusal | undefined {
    if (this.#listed === undefined || this.#listed === "*") return undefined;
    const name = hostnameOf(host);
    if (name !== undefined && (isIpAddress(unbracketed(name)) || this.#isOwn(name))) {
      return undefined;
    }
    return refusal(
      "foreign_name",
      `this relay asks nobody for a token and does not know itself as "${name ?? host}". ` +
        "Name it in server.cert_hosts or auth.origins",
    );
  }
  #foreign(origin: string, host: string): Refusal | undefined {
    if (this.#listed === undefined || this.#listed === "*") return undefined;
    const page = URL.parse(origin);
    const web = page !== null && /^https?:$/.test(page.protocol);
    if (web && (page.hostname === hostnameOf(host) || isLoopbackHost(page.hostname))) {
      return undefined;
    }
    if (page?.protocol === "https:" && this.#nodes.includes(page.hostname)) return undefined;
    if (this.#listed.includes(origin)) return undefined;
    return refusal(
      "foreign_page",
      `this relay asks nobody for a token, so pages of "${origin}" may not use it. ` +
        "List that in auth.origins to let them",
    );
  }
  #isOwn(name: string): boolean {
    return isLoopbackHost(name) || this.#names.some((own) => coversHost(own, name));
  }
}

/** Pages of this machine as sources of a content security policy, which has no IPv6 addresses. */
const LOOPBACK_SOURCES = ["http", "https"].flatMap((scheme) =>
  ["127.0.0.1", "localhost"].map((host) => `${scheme}://${host}:*`)
);

/** Lower case, with an IPv6 address in brackets and no dot at the end; `undefined` when it is not a host. */
function hostnameOf(host: string): string | undefined {
  return URL.parse(`http://${host}/`)?.hostname.replace(/\.$/, "");
}

/** Browsers resolve "localhost" and all names below it to this machine (RFC 6761 §6.3). */
function isLoopbackHost(name: string): boolean {
  return isLoopback(unbracketed(name)) || name.endsWith(".localhost");
}

/** Reads a request. A client of HTTP/1.0 without a host asks for the address it dialed. */
export function pageRequestOf({ headers, url }: Request): PageRequest {
  return { origin: headers.get("origin") ?? undefined, host: new URL(url).host };
}
