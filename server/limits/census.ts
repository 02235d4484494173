/**
 * Counts sessions, sessions per address and kept bytes over all threads of a server. Each thread writes its own part of a
 * shared memory and reads the sum. No thread sends a message or waits.
 *
 * The sessions of an address are counted in a sketch, whose memory does not grow with the number of addresses. It has rows of
 * counters, each with another hash. The lowest counter is the count, or rarely a little more.
 *
 * @module
 */
import { addressKey } from "./address_key.ts";

/** The shared memory of the threads of one server. It is plain data and is posted to each. */
export interface SharedCensus {
  readonly counters: SharedArrayBuffer;
  /** With it, peers cannot choose addresses that collide. */
  readonly seed: number;
}

const ROWS = 4;
const COLUMNS = 32_768;
/** Indexes: sessions, kept bytes in units of 4,096, whether the server has too much to do, and kilobytes of media sent. */
const [SESSIONS, CACHE, BUSY, SENT, HEAD] = [0, 1, 2, 3, 4];
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

  /** @param index The index of this thread. The counts of an earlier thread in its place are cleared. */
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

  /** Sets how many bytes this thread keeps. */
  setCacheBytes(bytes: number): void {
    Atomics.store(this.#counters, this.#own + CACHE, Math.ceil(bytes / UNIT_BYTES));
  }

  /** Kilobytes (1,024 bytes) of media that all threads have sent, modulo 2^32. */
  get sentKilobytes(): number {
    return this.#sum(SENT) >>> 0;
  }

  /** Sets how many bytes of media this thread has sent since its start. */
  setSentBytes(bytes: number): void {
    Atomics.store(this.#counters, this.#own + SENT, Math.floor(bytes / 1024) % 2 ** 32);
  }

  /** Whether a thread has said that the server has too much to do. */
  get busy(): boolean {
    return this.#sum(BUSY) > 0;
  }

  /** Says for all threads whether the server has too much to do. One thread says it. */
  setBusy(busy: boolean): void {
    Atomics.store(this.#counters, this.#own + BUSY, Number(busy));
  }

  /** Counts a session. @returns Call it once at its end. */
  enter(remoteAddress: string): () => void {
    const cells = [SESSIONS, ...this.#cells(remoteAddress)];
    for (const cell of cells) Atomics.add(this.#counters, this.#own + cell, 1);
    return () => {
      for (const cell of cells) Atomics.sub(this.#counters, this.#own + cell, 1);
    };
  }

  /** The counters of an address, one in each row. */
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

/** Clears the counts of a thread that died. */
export function clearCensus({ counters }: SharedCensus, index: number): void {
  new Int32Array(counters).fill(0, index * PART, (index + 1) * PART);
}
