import { networkOf, parseAddress } from "../../config/address.ts";

/**
 * The key that an address is counted by.
 * @param remoteAddress "ip:port", or what else a transport calls its peer.
 */
export function addressKey(remoteAddress: string): string {
  return networkOf(parseAddress(remoteAddress)?.hostname ?? remoteAddress);
}
