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

/** Who has slabs on loan, and can be made to give them back. */
export interface Holder {
  readonly heldBytes: number;
  /** Gives up what it has, as soon as nobody reads from it any more. */
  evict(): void;
}

export interface FramePoolOptions {
  /** Bytes of the smallest slab. Default 1500: one network packet. */
  readonly frameCapacity?: number;
  /** Bytes of one arena; slabs above a quarter of it get an arena of their own. Default 1 MiB. */
  readonly arenaBytes?: number;
  /** Memory that other threads can read. Default: wherever the runtime has it. */
  readonly shared?: boolean;
  /** Memory beyond this many free bytes is handed back to the system. Default 256 MiB. */
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
const NOTHING = new Uint8Array(0);

/** As the pool has it: without memory once its arena was handed back. */
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
  /** Told of each new arena, and with `undefined` of each that was handed back: what other threads have to learn. */
  onArena: ((index: number, memory: ArrayBufferLike | undefined) => void) | undefined;
  /** Everybody who has slabs now. They enter and leave by themselves. */
  readonly holders = new Set<Holder>();
  /** Called while more bytes are on loan than this, with each slab; must not call back into the pool. */
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
    const free = this.#free[sizeClass]!;
    let slab = free.pop();
    // What lies in an arena that was handed back is free no more.
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
    // The arena that is cut up now stays.
    if (unused && arena !== this.#open && stats.arenaBytes - stats.bytesInUse > this.maxFreeBytes) {
      return this.#handBack(arena);
    }
    this.#free[slab.sizeClass]!.push(slab);
  }

  #handBack(arena: number): void {
    this.stats.arenaBytes -= this.#arenas[arena]!.byteLength;
    this.#arenas[arena] = undefined;
    // Those among the free ones are passed over when their turn comes; until then they hold no memory.
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
