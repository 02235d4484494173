/** Buckets per doubling. A value is known to one part in this many. */
const SUB_BITS = 7;
const SUB = 1 << SUB_BITS;
/** Up to 2^31 microseconds: more than half an hour. */
const BUCKETS = (31 - SUB_BITS + 1) * SUB;

/**
 * Times in microseconds, exact below 128 and to 0.8 % above. Recording allocates nothing, and histograms of several
 * processes add up to one.
 */
export class Histogram {
  count = 0;
  /** The largest value, exactly. */
  max = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  /** Counts one value. Values below 0 count as 0: the clocks of two processes differ a little. */
  record(us: number): void {
    const value = us <= 0 ? 0 : Math.min(Math.round(us), 2 ** 31 - 1);
    this.#buckets[bucketOf(value)]!++;
    this.count++;
    if (value > this.max) this.max = value;
  }

  /** The smallest value that a share of all does not exceed: `quantile(0.99)`. 0 without values. */
  quantile(share: number): number {
    let left = Math.ceil(this.count * share);
    if (this.count === 0 || left <= 0) return 0;
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#buckets[i]!;
      if (left <= 0) return Math.min(upperEnd(i), this.max);
    }
    return this.max;
  }

  clear(): void {
    this.#buckets.fill(0);
    this.count = 0;
    this.max = 0;
  }

  /** The histogram as plain data: pairs of bucket and count. */
  toJSON(): HistogramData {
    const pairs: number[] = [];
    for (let i = 0; i < BUCKETS; i++) if (this.#buckets[i]! > 0) pairs.push(i, this.#buckets[i]!);
    return { max: this.max, pairs };
  }

  /** Adds what another one has recorded. */
  add({ max, pairs }: HistogramData): void {
    for (let i = 0; i < pairs.length; i += 2) {
      this.#buckets[pairs[i]!]! += pairs[i + 1]!;
      this.count += pairs[i + 1]!;
    }
    this.max = Math.max(this.max, max);
  }
}

/** A histogram as it is sent between processes. */
export interface HistogramData {
  readonly max: number;
  readonly pairs: readonly number[];
}

function bucketOf(value: number): number {
  if (value < SUB) return value;
  const shift = 31 - SUB_BITS - Math.clz32(value);
  return (shift + 1) * SUB + ((value >>> shift) - SUB);
}

/** The largest value of a bucket. */
function upperEnd(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  return (SUB + bucket % SUB + 1) * 2 ** shift - 1;
}
