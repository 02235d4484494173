import { networkOf, parseAddress } from "../../config/address.ts";

/**
 * Whom a peer counts as where addresses are counted.
 * @param remoteAddress "ip:port", or whatever else a transport calls its peer.
 */
export function addressKey(remoteAddress: string): string {
  return networkOf(parseAddress(remoteAddress)?.hostname ?? remoteAddress);
}
