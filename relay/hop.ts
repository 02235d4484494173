/** A hop id for a new relay or publisher. Old JavaScript peers read it exactly: 1 … 2^53-1. */
export function randomHop(): bigint {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  const id = (BigInt(high! & 0x1f_ffff) << 32n) + BigInt(low!);
  return id === 0n ? 1n : id;
}
