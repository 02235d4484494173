/**
 * Addresses of this machine for ICE candidates.
 *
 * The system's list comes through netlink. A service may not use that when its unit says `RestrictAddressFamilies` without
 * AF_NETLINK. `/proc/net` tells the same.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { isLoopback } from "../../config/address.ts";
import { WebRtcRefused } from "./errors.ts";

/** Where the addresses come from; a test brings its own. */
export interface AddressSources {
  /** The system's list. May throw. */
  interfaces(): readonly { readonly address: string }[];
  /** Text of a file. May throw. */
  read(path: string): string;
}

const SYSTEM: AddressSources = {
  interfaces: () => Deno.networkInterfaces(),
  read: (path) => Deno.readTextFileSync(path),
};

/**
 * Addresses of this machine that others may reach; loopback when there is no other.
 * @throws {WebRtcRefused} 503: they cannot be listed. The message names the option that gives them.
 */
export function ownAddresses(sources: AddressSources = SYSTEM): string[] {
  const outer = allAddresses(sources)
    .filter((address) => !isLoopback(address) && !/^(169\.254\.|fe80:)/i.test(address));
  return [...new Set(outer.length > 0 ? outer : ["127.0.0.1"])];
}

function allAddresses(sources: AddressSources): string[] {
  try {
    return sources.interfaces().map(({ address }) => address);
  } catch (error) {
    const found = [
      ...readOr(sources, "/proc/net/fib_trie", fibTrieAddresses),
      ...readOr(sources, "/proc/net/if_inet6", inet6Addresses),
    ];
    if (found.length > 0) return found;
    throw new WebRtcRefused(
      503,
      `Cannot answer: the addresses of this machine cannot be listed (${
        reasonOf(error)
      }). Name them in the option \`addresses\` of the plugin.`,
      { "retry-after": "60" },
    );
  }
}

function readOr(sources: AddressSources, path: string, parse: (text: string) => string[]) {
  try {
    return parse(sources.read(path));
  } catch { // This system lacks it, or denies it.
    return [];
  }
}

/** IPv4: an address stands above its line "/32 host LOCAL", once for each routing table. */
function fibTrieAddresses(text: string): string[] {
  return [...text.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s+\/32 host LOCAL/g)].map(([, ip]) => ip!);
}

/** IPv6: 32 digits, interface, prefix, scope (20 is the link's own), flags, name. */
function inet6Addresses(text: string): string[] {
  return [...text.matchAll(/^([0-9a-f]{32}) \S+ \S+ (\S+)/gm)]
    .filter(([, , scope]) => scope !== "20")
    .map(([, digits]) => {
      const groups = digits!.match(/.{4}/g)!.join(":");
      return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
    });
}
