/**
 * The memory of frames: slabs, cut from arenas of shared memory. They are lent and taken back without an allocation. The size
 * of a slab is the pool's capacity times a power of two. So a group of any size needs few slabs, and a returned slab fits the
 * next group of that size.
 *
 * @module
 */

/** Bytes on loan from a pool. Give them back to that pool once, when nobody reads them any more. */
export interface Slab {
  readonly bytes: Uint8Array;
  /** Its arena and its place there: by these another thread finds the same bytes. */
  readonly arena: number;
  readonly offset: number;
  readonly sizeClass: number;
}

export interface FramePoolOptions {
  /** Bytes of the smallest slab. Default 1500: one network packet. */
  readonly frameCapacity?: number;
  /** Bytes of one arena; slabs above a quarter of it get an arena of their own. Default 1 MiB. */
  readonly arenaBytes?: number;
  /** Whether other threads can read the memory. Default: if the runtime can. */
  readonly shared?: boolean;
  /** More free bytes than this go back to the system. Default 256 MiB. */
  readonly maxFreeBytes?: number;
}

/** Plain counters, read by `metrics/` when it is scraped. */
export interface FramePoolStats {
  /** Slabs on loan now, and their bytes. */
  inUse: number;
  bytesInUse: number;
  /** Slabs lent since the start: `reused` ones had been lent before, `grown` ones had not. */
  gets: number;
  reused: number;
  grown: number;
  /** Bytes of all arenas held now. */
  arenaBytes: number;
}

const CLASSES = 16;
const NOTHING = new Uint8Array(0);

/** A slab inside the pool. It loses its memory when its arena goes back. */
type OwnSlab = { -readonly [K in keyof Slab]: Slab[K] };

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
  /** Called with each new arena, and with `undefined` for each that went back. Other threads have to know. */
  onArena: ((index: number, memory: ArrayBufferLike | undefined) => void) | undefined;
  /** All that have slabs now. They add and remove themselves. */
  readonly holders = new Set<object>();
  /** Called with each slab while more than `alarmBytes` are on loan. Must not call the pool. */
  onAlarm: (() => void) | undefined;
  /** Infinity: never. */
  alarmBytes = Infinity;
  /** Changes take effect with the next slab that comes back. */
  maxFreeBytes: number;
  readonly #arenaBytes: number;
  readonly #shared: boolean;
  readonly #free: OwnSlab[][] = Array.from({ length: CLASSES }, () => []);
  readonly #arenas: (ArrayBufferLike | undefined)[] = [];
  /** Slabs on loan of each arena, and all slabs it was cut into. */
  readonly #lent: number[] = [];
  readonly #cut: OwnSlab[][] = [];
  #open = -1;
  #openAt = 0;

  constructor(options: FramePoolOptions = {}) {
    this.frameCapacity = options.frameCapacity ?? 1500;
    this.#arenaBytes = options.arenaBytes ?? 1 << 20;
    this.#shared = options.shared ?? typeof SharedArrayBuffer !== "undefined";
    this.maxFreeBytes = options.maxFreeBytes ?? 256 << 20;
  }

  /** The memory of arena `index`, for another thread; `undefined` when it went back. */
  arena(index: number): ArrayBufferLike | undefined {
    return this.#arenas[index];
  }

  /** All arenas by index; `undefined` for those that went back. */
  arenas(): (ArrayBufferLike | undefined)[] {
    return [...this.#arenas];
  }

  /** Lends a slab of at least `minBytes`, or the largest size there is. */
  get(minBytes: number): Slab {
    let sizeClass = 0;
    for (let size = this.frameCapacity; size < minBytes && sizeClass < CLASSES - 1; size *= 2) {
      sizeClass++;
    }
    const stats = this.stats;
    const free = this.#free[sizeClass]!;
    let slab = free.pop();
    // A slab whose arena went back is not free any more.
    while (slab !== undefined && this.#arenas[slab.arena] === undefined) slab = free.pop();
    stats.gets++;
    stats.inUse++;
    if (slab === undefined) {
      stats.grown++;
      slab = this.#grow(sizeClass);
    } else stats.reused++;
    stats.bytesInUse += slab.bytes.length;
    this.#lent[slab.arena]!++;
    if (stats.bytesInUse > this.alarmBytes) this.onAlarm?.();
    return slab;
  }

  /** Takes a slab back. */
  put(slab: Slab): void {
    const length = slab.bytes.length;
    const { stats } = this;
    const { arena } = slab;
    stats.inUse--;
    stats.bytesInUse -= length;
    const unused = --this.#lent[arena]! === 0;
    // The arena that slabs are cut from now stays.
    if (unused && arena !== this.#open && stats.arenaBytes - stats.bytesInUse > this.maxFreeBytes) {
      return this.#handBack(arena);
    }
    this.#free[slab.sizeClass]!.push(slab);
  }

  #handBack(arena: number): void {
    this.stats.arenaBytes -= this.#arenas[arena]!.byteLength;
    this.#arenas[arena] = undefined;
    // `get` skips those among the free ones. They have no memory any more.
    for (const slab of this.#cut[arena]!) slab.bytes = NOTHING;
    this.#cut[arena] = [];
    this.onArena?.(arena, undefined);
  }

  #isBig(length: number): boolean {
    return length > this.#arenaBytes / 4;
  }

  #grow(sizeClass: number): OwnSlab {
    const length = this.frameCapacity * 2 ** sizeClass;
    if (this.#isBig(length)) {
      const arena = this.#addArena(length);
      return this.#slab(new Uint8Array(this.#arenas[arena]!), arena, 0, sizeClass);
    }
    if (this.#open < 0 || this.#openAt + length > this.#arenaBytes) {
      this.#open = this.#addArena(this.#arenaBytes);
      this.#openAt = 0;
    }
    const offset = this.#openAt;
    this.#openAt += length;
    const bytes = new Uint8Array(this.#arenas[this.#open]!, offset, length);
    return this.#slab(bytes, this.#open, offset, sizeClass);
  }

  #slab(bytes: Uint8Array, arena: number, offset: number, sizeClass: number): OwnSlab {
    const slab = { bytes, arena, offset, sizeClass };
    this.#cut[arena]!.push(slab);
    return slab;
  }

  #addArena(length: number): number {
    const memory = this.#shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length);
    this.stats.arenaBytes += length;
    const index = this.#arenas.push(memory) - 1;
    this.#lent[index] = 0;
    this.#cut[index] = [];
    this.onArena?.(index, memory);
    return index;
  }
}
