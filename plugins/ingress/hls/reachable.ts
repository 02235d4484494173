/**
 * Where a playlist may lead: to public addresses, and to hosts that the configuration names. A name is resolved once, and the
 * connection goes to the address that was checked.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { BlockList } from "node:net";
import { QumoError } from "../../../base/errors.ts";
import { type Address, ipBytes } from "../../../config/address.ts";

/** A playlist leads to an address that is not allowed. */
export class HlsRefused extends QumoError {
  readonly code = "QUMO_HLS_REFUSED";
}

/** IPv4 addresses that are no single public host (RFC 6890 and its registry). */
const RESERVED: readonly (readonly [string, number])[] = [
  ...[["0.0.0.0", 8], ["10.0.0.0", 8], ["100.64.0.0", 10], ["127.0.0.0", 8]] as const,
  ...[["169.254.0.0", 16], ["172.16.0.0", 12], ["192.0.0.0", 24], ["192.0.2.0", 24]] as const,
  ...[["192.88.99.0", 24], ["192.168.0.0", 16], ["198.18.0.0", 15]] as const,
  ...[["198.51.100.0", 24], ["203.0.113.0", 24], ["224.0.0.0", 3]] as const,
];
const reserved = new BlockList();
for (const [net, bits] of RESERVED) reserved.addSubnet(net, bits, "ipv4");

/**
 * Whether an IP address belongs to a host of the public Internet. In IPv6 those are the global addresses (2000::/3), without those
 * that carry an IPv4 address or are for documentation.
 */
export function isPublicAddress(address: string): boolean {
  const bytes = ipBytes(address);
  if (bytes === undefined) return false;
  if (bytes.length === 4) return !reserved.check(bytes.join("."), "ipv4");
  const [a, b] = [bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!];
  if (a >> 13 !== 1 || a === 0x2002) return false; // not 2000::/3; 6to4
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false; // Teredo and its like; documents
  return a !== 0x3fff; // documents
}

/** What a resolver answers. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

const byTheSystem: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

/** Decides for one instance. */
export class Reachable {
  readonly #hosts: readonly Address[];
  readonly #resolve: Resolve;

  /** @param hosts These may have any address; port 0 allows every port. */
  constructor(hosts: readonly Address[], resolve: Resolve = byTheSystem) {
    this.#hosts = hosts;
    this.#resolve = resolve;
  }

  /**
   * The addresses of a host that are allowed; at least one.
   * @param hostname A name, an IPv4 address, or an IPv6 address without brackets.
   * @throws {HlsRefused} There is none. @throws The resolver's error.
   */
  async addressesOf(hostname: string, port: number): Promise<readonly string[]> {
    const known = ipBytes(hostname) !== undefined;
    const all = known ? [hostname] : await this.#resolve(hostname);
    const named = this.#hosts.some((one) =>
      sameHost(one.hostname, hostname) && (one.port === 0 || one.port === port)
    );
    const open = named ? all : all.filter(isPublicAddress);
    if (open.length > 0) return open;
    const leads = known ? hostname : `${hostname}, which is ${all.join(" and ") || "nowhere"}`;
    throw new HlsRefused(
      `Cannot fetch from ${leads}: the address is not public; name ${hostname} in \`private_hosts\` if the playlist may lead there`,
    );
  }
}

/** An address in one form, or a name. */
function sameHost(a: string, b: string): boolean {
  return (ipBytes(a)?.toHex() ?? a.toLowerCase()) === (ipBytes(b)?.toHex() ?? b.toLowerCase());
}
