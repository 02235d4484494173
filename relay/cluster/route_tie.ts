/**
 * A number that every node of a cluster computes alike for a route, to choose between routes that are equal otherwise. As in
 * moq-net 0.3 (`fnv_key`): FNV-1a of 64 bits over the path and the chain, each hop as 8 bytes, the lowest first.
 *
 * @module
 */
import type { HopId } from "../route.ts";

/** The start value, in two halves of 32 bits. */
const SEED_HIGH = 0x420c;
const SEED_LOW = 0x0dec_b00b;
/** FNV's prime is 2^40 and this. */
const PRIME = 0x1b3;

const utf8 = new TextEncoder();

/** The lower number wins. @param path Normalised. @returns Below 2^64. */
export function routeTie(path: string, hops: readonly HopId[]): bigint {
  let high = SEED_HIGH;
  let low = SEED_LOW;
  const take = (byte: number) => {
    low = (low ^ byte) >>> 0;
    const product = low * PRIME;
    high = (Math.imul(high, PRIME) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  };
  for (const byte of utf8.encode(path)) take(byte);
  for (const hop of hops) {
    for (const half of [Number(hop & 0xffff_ffffn), Number(hop >> 32n)]) {
      for (let shift = 0; shift < 32; shift += 8) take((half >>> shift) & 0xff);
    }
  }
  return (BigInt(high) << 32n) | BigInt(low);
}
