/**
 * Which web pages may use the relay: the one place that decides it, for sessions by WebSocket and WebTransport and for HTTP.
 *
 * While tokens are asked for, a page without one gets nothing, wherever it comes from; `server.cors_origins` says who may
 * read the public HTTP. While everybody has full access, a browser would give it to every page that its user opens. So only
 * the relay's own pages and those of loopback hosts are let in, and those that `auth.origins` lists.
 *
 * @module
 */
import { isIpAddress, isLoopback, unbracketed } from "../../config/address.ts";
import { certificateHosts } from "../../config/tls/certificate.ts";
import { openToAll } from "../../config/exposure.ts";
import type { Config } from "../../config/schema.ts";
import { type Refusal, refusal } from "../auth/grant.ts";

/** What a request of a browser says of where it comes from and whom it asks. */
export interface PageRequest {
  /** `Origin`; programs that are no browser send none. */
  readonly origin: string | undefined;
  /** `Host` or `:authority`, with its port or without. */
  readonly host: string;
}

export class PageOrigins {
  /** Pages that may use an open relay besides its own; `undefined` when tokens are asked for. */
  readonly #listed: "*" | readonly string[] | undefined;
  readonly #readers: "*" | readonly string[];
  /** Host names in lower case that lead here, wildcards among them. */
  readonly #names: readonly string[];

  /** @param certified Names and addresses that the certificate in use is for. */
  constructor({ server, auth }: Pick<Config, "server" | "auth">, certified: readonly string[]) {
    const all = (origins: readonly string[]) => origins.includes("*") ? "*" : origins;
    this.#readers = all(server.corsOrigins);
    this.#listed = openToAll(auth) ? all(auth.origins) : undefined;
    const own = certificateHosts([...server.certHosts, ...certified, server.address.hostname]);
    const listed = auth.origins.flatMap((origin) => URL.parse(origin)?.hostname ?? []);
    // A machine is found by multicast DNS under its name and ".local".
    const machine = Deno.hostname().split(".")[0]!;
    this.#names = [...own, ...listed, `${machine}.local`].map((name) => name.toLowerCase());
  }

  /** Why a request for a session is turned away; `undefined` when it is not. Who is no browser is no web page's tool. */
  refusal({ origin, host }: PageRequest): Refusal | undefined {
    return origin === undefined
      ? undefined
      : this.#foreignName(host) ?? this.#foreign(origin, host);
  }

  /** The same for a request of HTTP: there a page under a name of its own that leads here sends no `Origin`. */
  httpRefusal({ origin, host }: PageRequest): Refusal | undefined {
    return this.#foreignName(host) ??
      (origin === undefined ? undefined : this.#foreign(origin, host));
  }

  /**
   * What `Access-Control-Allow-Origin` says to a request that was not turned away: "*", the origin itself, or `undefined`
   * for nothing. Where it is not "*" it differs from page to page.
   */
  reader(origin: string | undefined): "*" | string | undefined {
    if (this.readersDiffer) {
      const may = this.#readers === "*" || origin !== undefined && this.#readers.includes(origin);
      return may ? origin : undefined;
    }
    return "*";
  }

  /** Whether some pages may read and others not. */
  get readersDiffer(): boolean {
    return this.#readers !== "*" || this.#listed !== undefined && this.#listed !== "*";
  }

  /** Sources of `frame-ancestors`: whose pages may show the player in a frame. */
  get framedBy(): string {
    if (!this.readersDiffer) return "*";
    const listed = this.#listed ?? "*";
    if (this.#readers !== "*") {
      const both = this.#readers.filter((origin) => listed === "*" || listed.includes(origin));
      return ["'self'", ...both].join(" ");
    }
    return ["'self'", ...LOOPBACK_SOURCES, ...listed].join(" ");
  }

  /** Whether a page at `host` may be somebody else's, under a name made to lead here (DNS rebinding). */
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
    if (this.#listed.includes(origin)) return undefined;
    return refusal(
      "foreign_page",
      `this relay asks nobody for a token, so pages of "${origin}" may not use it. ` +
        "List that in auth.origins to let them",
    );
  }
  #isOwn(name: string): boolean {
    return isLoopbackHost(name) ||
      this.#names.some((own) =>
        own === name || own.startsWith("*.") && name.slice(name.indexOf(".")) === own.slice(1)
      );
  }
}

/** Pages of this machine, in the words of a content security policy, which knows no IPv6 address. */
const LOOPBACK_SOURCES = ["http", "https"].flatMap((scheme) =>
  ["127.0.0.1", "localhost"].map((host) => `${scheme}://${host}:*`)
);

/** Lower case, an IPv6 address in brackets, no dot at the end. `undefined` when it names no host. */
function hostnameOf(host: string): string | undefined {
  return URL.parse(`http://${host}/`)?.hostname.replace(/\.$/, "");
}

/** Browsers resolve "localhost" and what is below it themselves, and to this machine (RFC 6761 §6.3). */
function isLoopbackHost(name: string): boolean {
  return isLoopback(unbracketed(name)) || name.endsWith(".localhost");
}

/** What a request of HTTP says. A client of HTTP/1.0 that names no host asks for the address it dialed. */
export function pageRequestOf({ headers, url }: Request): PageRequest {
  return { origin: headers.get("origin") ?? undefined, host: new URL(url).host };
}
