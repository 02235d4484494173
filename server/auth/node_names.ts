/**
 * What a node answers to. The token of a dial names the node that is dialed: whoever else gets it cannot use it.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { networkInterfaces } from "node:os";
import { coversHost, isIpAddress, isLoopback, unbracketed } from "../../config/address.ts";
import type { Config } from "../../config/schema.ts";
import { certifiedHosts } from "../../config/tls/pem_pair.ts";

/** The node that a token is for: by its name, or by the only certificate that the dialer accepts. */
export interface DialedNode {
  /** "host:port" in lower case, as they were dialed. */
  readonly node?: string;
  /** SHA-256 of its certificate, in hex. Where it is there, it alone counts. */
  readonly cert?: string;
}

/** @param serverName The name that its certificate has to have, where that is not the host of the URL. */
export function dialedNode(
  url: URL,
  { hash, serverName }: { readonly hash?: Uint8Array; readonly serverName?: string } = {},
): DialedNode {
  if (hash !== undefined) return { cert: hash.toHex() };
  return { node: `${hostOf(serverName ?? url.hostname)}:${url.port || 443}` };
}

/** Whether a token is for this node. @param remote "ip:port" of who shows it. */
export type IsDialed = (dialed: DialedNode, remote: string) => boolean;

export interface NodeNamesOptions {
  readonly config: Pick<Config, "server" | "cluster">;
  /** The UDP port that was bound. */
  readonly port: number;
  /** The certificate, PEM. */
  readonly cert: string;
  /** Addresses of the machine. Default: as it tells. */
  readonly addresses?: () => readonly string[];
}

/** All addresses of the machine. */
const EVERYWHERE = ["::", "0.0.0.0"];

/** The names of one node. They change with its certificate. */
export class NodeNames {
  readonly #options: NodeNamesOptions;
  readonly #ports: ReadonlySet<number>;
  readonly #hosts: readonly string[];
  #certified: readonly string[] = [];
  /** The hash of the certificate in use, and of the one before: somebody may dial right now. */
  #hashes: readonly string[] = [];
  #addresses: readonly string[] | undefined;

  constructor(options: NodeNamesOptions) {
    this.#options = options;
    const { config: { server, cluster }, port, cert } = options;
    const own = cluster.url === undefined ? undefined : new URL(cluster.url);
    const urlPort = own && Number(own.port || (own.protocol === "http:" ? 80 : 443));
    this.#ports = new Set([port, server.address.port, ...(own ? [urlPort!] : [])]);
    this.#hosts = [
      ...(own ? [own.hostname] : []),
      ...server.certHosts,
      server.address.hostname,
      Deno.hostname(),
    ].map(hostOf);
    this.replaceCertificate(cert);
  }

  replaceCertificate(cert: string): void {
    this.#certified = certifiedHosts(cert).map((host) => host.toLowerCase());
    const hash = new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
    this.#hashes = [hash, ...this.#hashes].slice(0, 2);
  }

  readonly isDialed: IsDialed = ({ node, cert }, remote) => {
    if (cert !== undefined) return this.#hashes.includes(cert);
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(node ?? "") ?? [];
    if (host === undefined || !this.#ports.has(Number(port))) return false;
    // Every machine is called so by itself.
    if (isLoopback(host) || host.endsWith(".localhost")) {
      return isLoopback(unbracketed(remote.replace(/:\d+$/, "")));
    }
    if ([...this.#hosts, ...this.#certified].some((own) => coversHost(own, host))) return true;
    return isIpAddress(host) && this.#isOwnAddress(host);
  };

  #isOwnAddress(host: string): boolean {
    if (!EVERYWHERE.includes(this.#options.config.server.address.hostname)) return false;
    this.#addresses ??= (this.#options.addresses ?? addressesOfMachine)();
    return this.#addresses.includes(host);
  }
}

/** Lower case, without brackets and without a dot at the end. */
const hostOf = (host: string) => unbracketed(host).toLowerCase().replace(/\.$/, "");

/** @returns None where they may not be read. */
export function addressesOfMachine(): string[] {
  try {
    return Object.values(networkInterfaces()).flatMap((one) => one ?? [])
      .map(({ address }) => address.replace(/%.*$/, ""));
  } catch {
    return [];
  }
}
