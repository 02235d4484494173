/**
 * The nodes that a name in DNS has: `cluster.dns`.
 *
 * Deno tells no difference between a name that does not exist, one without such records and a name server that fails: it finds
 * nothing. So an answer with records is believed, and finding nothing is not: what was known stays. One answer says that there
 * is no node: a single SRV record with the target "." (RFC 2782).
 *
 * @module
 */
import type { Logger } from "../../../base/logger.ts";
import { type Address, formatAddress } from "../../../config/address.ts";
import type { NodeInfo } from "../node_info.ts";
import { Known } from "./known.ts";
import { BadNode, MAX_NODES, nodeOfUrl } from "./node_text.ts";
import { PolledDirectory } from "./polled.ts";

export interface DnsDirectoryOptions {
  /** `_service._proto.name` is asked for SRV records, any other name for addresses. */
  readonly name: string;
  /** Scheme and path of the nodes' URLs, and the port where the records have none. */
  readonly pattern: { readonly scheme: string; readonly port: number; readonly path: string };
  /** The name that the certificates of nodes have that are found by address. Default: `name`. */
  readonly serverName?: string;
  /** The name server. Default: that of the machine. */
  readonly server?: Address;
  readonly refreshMs: number;
  readonly log: Logger;
  /** How long an answer may take. Default 3,000. */
  readonly timeoutMs?: number;
}

const ADDRESS_TYPES = ["A", "AAAA"] as const;

export class DnsDirectory extends PolledDirectory {
  readonly #options: DnsDirectoryOptions;
  readonly #name: string;
  /** The last addresses of each type. */
  readonly #addresses: (readonly string[])[] = ADDRESS_TYPES.map(() => []);

  constructor(options: DnsDirectoryOptions) {
    super(new Known("dns", options.log), options.refreshMs);
    this.#options = options;
    this.#name = options.name.replace(/\.$/, "");
  }

  protected async look(signal: AbortSignal): Promise<readonly NodeInfo[]> {
    const nodes = this.#name.startsWith("_")
      ? await this.#services(signal)
      : (await this.#hosts(signal)).map((hostname) => this.#node(hostname));
    if (nodes.length > MAX_NODES) {
      throw new BadNode(`${this.#name} has more than ${MAX_NODES} nodes`);
    }
    return nodes;
  }

  async #services(signal: AbortSignal): Promise<NodeInfo[]> {
    const records = await Deno.resolveDns(this.#name, "SRV", this.#asking(signal));
    const real = records.map(({ target, port }) => ({ target: target.replace(/\.$/, ""), port }))
      .filter(({ target }) => target !== "");
    if (real.length === 0 && records.length !== 1) throw this.#nothing();
    return real.map(({ target, port }) => nodeOfUrl(this.#url({ hostname: target, port })));
  }

  /** All addresses. A type that cannot be asked for keeps those it had. */
  async #hosts(signal: AbortSignal): Promise<string[]> {
    const asked = await Promise.allSettled(
      ADDRESS_TYPES.map((type) => Deno.resolveDns(this.#name, type, this.#asking(signal))),
    );
    if (!asked.some(({ status }) => status === "fulfilled")) {
      const reasons = asked.map((one) => (one as PromiseRejectedResult).reason);
      throw reasons.find((reason) => !isNothing(reason)) ?? this.#nothing();
    }
    asked.forEach((one, at) => {
      if (one.status === "fulfilled") this.#addresses[at] = one.value;
      // There are addresses of the other type, so the name is known: it has none of this one.
      else if (isNothing(one.reason)) this.#addresses[at] = [];
    });
    return this.#addresses.flat();
  }

  #node(hostname: string): NodeInfo {
    const { serverName = this.#name, pattern: { port } } = this.#options;
    return { ...nodeOfUrl(this.#url({ hostname, port })), serverName };
  }

  #url(address: Address): string {
    const { scheme, path } = this.#options.pattern;
    return `${scheme}://${formatAddress(address)}${path}`;
  }

  #asking(signal: AbortSignal): Deno.ResolveDnsOptions {
    const { server, timeoutMs = 3000 } = this.#options;
    return {
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      ...(server && { nameServer: { ipAddr: server.hostname, port: server.port } }),
    };
  }

  #nothing(): Error {
    return new BadNode(`${this.#name} has no records, or its name server fails`);
  }
}

const isNothing = (error: unknown) => error instanceof Deno.errors.NotFound;
