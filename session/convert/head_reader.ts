import { type HeadParser, MAX_OBJECT_PROPERTY_BYTES } from "../../wire/ietf/data/object_head.ts";

/** Longest head of an object: its integers, a priority and its properties. */
const MAX_HEAD_BYTES = 8 * 9 + MAX_OBJECT_PROPERTY_BYTES;
/** What most heads need. */
const SMALL_HEAD_BYTES = 64;

/** Reads the heads of objects, also those that come in pieces. */
export class HeadReader<H extends HeadParser> {
  /** Where the last head stands, from its first byte to the one behind it. */
  window: Uint8Array = NONE;
  from = 0;
  behind = 0;
  /** The beginning of a head that is not whole, and how much of it there is. */
  #begun: Uint8Array = NONE;
  #length = 0;

  constructor(readonly heads: H) {}

  /** Whether a head has begun and is not whole. */
  get inside(): boolean {
    return this.#length > 0;
  }

  /**
   * Reads the next head.
   * @param from Where its next byte stands.
   * @returns How many bytes of the head stand there; -1 when it is not whole: then all were taken.
   * @throws {ProtocolViolation}
   */
  read(bytes: Uint8Array, from: number): number {
    if (this.#length === 0) {
      const behind = this.heads.next(bytes, from, bytes.length);
      this.window = bytes;
      this.from = from;
      this.behind = behind;
      if (behind >= 0) return behind - from;
    }
    const had = this.#length;
    for (let at = from; at < bytes.length;) {
      const most = this.#length < SMALL_HEAD_BYTES ? SMALL_HEAD_BYTES : MAX_HEAD_BYTES;
      at = this.#append(bytes, at, most);
      const behind = this.heads.next(this.#begun, 0, this.#length);
      if (behind < 0) continue;
      this.window = this.#begun;
      this.from = this.#length = 0;
      this.behind = behind;
      return behind - had;
    }
    return -1;
  }

  /** Bytes of a head that is not whole. */
  get heldBytes(): number {
    return this.#length;
  }

  /** Lets go of the bytes of the last head. */
  release(): void {
    this.window = NONE;
    if (this.#length === 0 && this.#begun.length > SMALL_HEAD_BYTES) this.#begun = NONE;
  }

  /** Adds bytes up to so many in all. @returns The offset behind them. */
  #append(bytes: Uint8Array, from: number, most: number): number {
    const more = bytes.subarray(from, from + most - this.#length);
    const length = this.#length + more.length;
    if (length > this.#begun.length) {
      const grown = new Uint8Array(Math.max(64, 2 * length));
      grown.set(this.#begun.subarray(0, this.#length));
      this.#begun = grown;
    }
    this.#begun.set(more, this.#length);
    this.#length = length;
    return from + more.length;
  }
}

const NONE = new Uint8Array();
