/**
 * Whom an address stands for where addresses are counted: one IPv4 address, or an IPv6 network of 64 bits, which is what
 * one customer has at least.
 *
 * @module
 */
import { ipBytes, parseAddress } from "../../config/address.ts";

/** @param remoteAddress "ip:port", or whatever else a transport calls its peer. */
export function addressKey(remoteAddress: string): string {
  const host = parseAddress(remoteAddress)?.hostname ?? remoteAddress;
  const bytes = ipBytes(host);
  if (bytes === undefined || bytes.length === 4) return host;
  const mapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
  return mapped ? bytes.subarray(12).join(".") : `${bytes.subarray(0, 8).toHex()}/64`;
}
