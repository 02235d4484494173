/**
 * How many sessions there are and from where, and how many bytes are kept, over all threads of a server. Each thread writes its
 * own part of one piece of shared memory and reads the sum: no message is sent and nobody waits.
 *
 * The sessions of an address are counted in a sketch, whose memory does not grow with the number of addresses: rows of counters,
 * each with another hash; the lowest is the count, or by rare chance a little more.
 *
 * @module
 */
import { addressKey } from "./address_key.ts";

/** The memory the threads of one server share. Plain data: it is posted to each. */
export interface SharedCensus {
  readonly counters: SharedArrayBuffer;
  /** Keeps peers from choosing addresses that collide. */
  readonly seed: number;
}

const ROWS = 4;
const COLUMNS = 32_768;
/** Sessions, and kept bytes in units of 4,096. */
const [SESSIONS, CACHE, HEAD] = [0, 1, 2];
const UNIT_BYTES = 4096;
const PART = HEAD + ROWS * COLUMNS;

/** Memory for the census of `threads` threads. */
export function sharedCensus(threads: number): SharedCensus {
  return {
    counters: new SharedArrayBuffer(threads * PART * Int32Array.BYTES_PER_ELEMENT),
    seed: crypto.getRandomValues(new Uint32Array(1))[0]!,
  };
}

export class Census {
  readonly #counters: Int32Array;
  readonly #seed: number;
  readonly #own: number;

  /** @param index Which of the threads this one is; what an earlier one in its place left is forgotten. */
  constructor(shared: SharedCensus = sharedCensus(1), index = 0) {
    this.#counters = new Int32Array(shared.counters);
    this.#seed = shared.seed;
    this.#own = index * PART;
    this.#counters.fill(0, this.#own, this.#own + PART);
  }

  /** Sessions there are now. */
  get sessions(): number {
    return this.#sum(SESSIONS);
  }

  /** Sessions of an address there are now, "ip:port". */
  sessionsOf(remoteAddress: string): number {
    return Math.min(...this.#cells(remoteAddress).map((cell) => this.#sum(cell)));
  }

  /** How many threads there are. */
  get threads(): number {
    return this.#counters.length / PART;
  }

  /** Bytes kept by all threads. */
  get cacheBytes(): number {
    return this.#sum(CACHE) * UNIT_BYTES;
  }

  /** Tells how many bytes this thread keeps. */
  setCacheBytes(bytes: number): void {
    Atomics.store(this.#counters, this.#own + CACHE, Math.ceil(bytes / UNIT_BYTES));
  }

  /** A session begins. @returns Call it once when that is over. */
  enter(remoteAddress: string): () => void {
    const cells = [SESSIONS, ...this.#cells(remoteAddress)];
    for (const cell of cells) Atomics.add(this.#counters, this.#own + cell, 1);
    return () => {
      for (const cell of cells) Atomics.sub(this.#counters, this.#own + cell, 1);
    };
  }

  /** Where an address is counted, in each row. */
  #cells(remoteAddress: string): number[] {
    const key = addressKey(remoteAddress);
    return Array.from({ length: ROWS }, (_, row) => {
      let hash = (this.#seed ^ Math.imul(row + 1, 0x9e37_79b1)) | 0;
      for (let i = 0; i < key.length; i++) {
        hash = Math.imul(hash ^ key.charCodeAt(i), 0x0100_0193);
        hash ^= hash >>> 15;
      }
      hash = Math.imul(hash ^ (hash >>> 13), 0x85eb_ca6b);
      return HEAD + row * COLUMNS + ((hash ^ (hash >>> 16)) >>> 0) % COLUMNS;
    });
  }

  #sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.#counters.length; at += PART) sum += this.#counters[at]!;
    return sum;
  }
}

/** The memory of a thread that died: its sessions are over. */
export function clearCensus({ counters }: SharedCensus, index: number): void {
  new Int32Array(counters).fill(0, index * PART, (index + 1) * PART);
}
