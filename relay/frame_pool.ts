/**
 * The memory that frames live in: slabs cut from arenas of shared memory, lent out and taken back without an allocation.
 * A slab's size is the pool's capacity times a power of two, so a group of any size takes few slabs and a returned one
 * fits the next group like it.
 *
 * @module
 */

/** A run of bytes on loan. Give it back to the pool it came from, once, when nobody reads it any more. */
export interface Slab {
  readonly bytes: Uint8Array;
  /** Which of the pool's arenas it lies in, and where: what another thread needs to find the same bytes. */
  readonly arena: number;
  readonly offset: number;
  readonly sizeClass: number;
}

export interface FramePoolOptions {
  /** Bytes of the smallest slab. Default 1500: one network packet. */
  readonly frameCapacity?: number;
  /** Bytes of one arena; slabs above a quarter of it get an arena of their own. Default 1 MiB. */
  readonly arenaBytes?: number;
  /** Memory that other threads can read. Default: wherever the runtime has it. */
  readonly shared?: boolean;
  /** Big slabs beyond this many free bytes are handed back to the system. Default 256 MiB. */
  readonly maxFreeBytes?: number;
}

/** Plain counters, read by `metrics/` when it is scraped. */
export interface FramePoolStats {
  /** Slabs on loan now, and their bytes. */
  inUse: number;
  bytesInUse: number;
  /** Slabs lent since the start; of these `reused` had been lent before, the others were `grown`. */
  gets: number;
  reused: number;
  grown: number;
  /** Bytes of all arenas held now. */
  arenaBytes: number;
}

const CLASSES = 16;

export class FramePool {
  readonly stats: FramePoolStats = {
    inUse: 0,
    bytesInUse: 0,
    gets: 0,
    reused: 0,
    grown: 0,
    arenaBytes: 0,
  };
  readonly frameCapacity: number;
  /** Told of each new arena, and with `undefined` of each that was handed back: what other threads have to learn. */
  onArena: ((index: number, memory: ArrayBufferLike | undefined) => void) | undefined;
  readonly #arenaBytes: number;
  readonly #shared: boolean;
  readonly #maxFreeBytes: number;
  readonly #free: Slab[][] = Array.from({ length: CLASSES }, () => []);
  readonly #arenas: (ArrayBufferLike | undefined)[] = [];
  #freeBigBytes = 0;
  #open = -1;
  #openAt = 0;

  constructor(options: FramePoolOptions = {}) {
    this.frameCapacity = options.frameCapacity ?? 1500;
    this.#arenaBytes = options.arenaBytes ?? 1 << 20;
    this.#shared = options.shared ?? typeof SharedArrayBuffer !== "undefined";
    this.#maxFreeBytes = options.maxFreeBytes ?? 256 << 20;
  }

  /** The memory of arena `index`, to be posted to another thread; `undefined` once it was handed back. */
  arena(index: number): ArrayBufferLike | undefined {
    return this.#arenas[index];
  }

  /** All arenas by index, with gaps where one was handed back. */
  arenas(): (ArrayBufferLike | undefined)[] {
    return [...this.#arenas];
  }

  /** Lends a slab of at least `minBytes`, or the largest there is. */
  get(minBytes: number): Slab {
    let sizeClass = 0;
    for (let size = this.frameCapacity; size < minBytes && sizeClass < CLASSES - 1; size *= 2) {
      sizeClass++;
    }
    const stats = this.stats;
    const slab = this.#free[sizeClass]!.pop();
    stats.gets++;
    stats.inUse++;
    if (slab !== undefined) {
      stats.reused++;
      stats.bytesInUse += slab.bytes.length;
      if (this.#isBig(slab.bytes.length)) this.#freeBigBytes -= slab.bytes.length;
      return slab;
    }
    stats.grown++;
    const grown = this.#grow(sizeClass);
    stats.bytesInUse += grown.bytes.length;
    return grown;
  }

  /** Takes a slab back. */
  put(slab: Slab): void {
    const length = slab.bytes.length;
    this.stats.inUse--;
    this.stats.bytesInUse -= length;
    if (this.#isBig(length)) {
      if (this.#freeBigBytes + length > this.#maxFreeBytes) {
        this.#arenas[slab.arena] = undefined;
        this.stats.arenaBytes -= length;
        this.onArena?.(slab.arena, undefined);
        return;
      }
      this.#freeBigBytes += length;
    }
    this.#free[slab.sizeClass]!.push(slab);
  }

  #isBig(length: number): boolean {
    return length > this.#arenaBytes / 4;
  }

  #grow(sizeClass: number): Slab {
    const length = this.frameCapacity * 2 ** sizeClass;
    if (this.#isBig(length)) {
      const arena = this.#addArena(length);
      return { bytes: new Uint8Array(this.#arenas[arena]!), arena, offset: 0, sizeClass };
    }
    if (this.#open < 0 || this.#openAt + length > this.#arenaBytes) {
      this.#open = this.#addArena(this.#arenaBytes);
      this.#openAt = 0;
    }
    const offset = this.#openAt;
    this.#openAt += length;
    const bytes = new Uint8Array(this.#arenas[this.#open]!, offset, length);
    return { bytes, arena: this.#open, offset, sizeClass };
  }

  #addArena(length: number): number {
    const memory = this.#shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length);
    this.stats.arenaBytes += length;
    const index = this.#arenas.push(memory) - 1;
    this.onArena?.(index, memory);
    return index;
  }
}
