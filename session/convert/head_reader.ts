import { MAX_OBJECT_PROPERTY_BYTES, ObjectHeads } from "../../wire/ietf/data/object_head.ts";
import type { Profile } from "../../wire/ietf/profile.ts";

/** Longest head of an object: four integers and its properties. */
const MAX_HEAD_BYTES = 4 * 9 + MAX_OBJECT_PROPERTY_BYTES;

/** Reads the heads of a subgroup's objects, also those that come in pieces. */
export class HeadReader {
  readonly heads: ObjectHeads;
  /** Where the properties of the last head stand. */
  window: Uint8Array = NONE;
  /** The beginning of a head that is not whole, and how much of it there is. */
  #begun: Uint8Array = NONE;
  #length = 0;

  constructor(profile: Profile, properties: boolean) {
    this.heads = new ObjectHeads(profile, properties);
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
      if (behind >= 0) return behind - from;
    }
    const had = this.#length;
    this.#append(bytes, from);
    const behind = this.heads.next(this.#begun, 0, this.#length);
    if (behind < 0) return -1;
    this.window = this.#begun;
    this.#length = 0;
    return behind - had;
  }

  #append(bytes: Uint8Array, from: number): void {
    const more = bytes.subarray(from, from + MAX_HEAD_BYTES - this.#length);
    const length = this.#length + more.length;
    if (length > this.#begun.length) {
      const grown = new Uint8Array(Math.max(64, 2 * length));
      grown.set(this.#begun.subarray(0, this.#length));
      this.#begun = grown;
    }
    this.#begun.set(more, this.#length);
    this.#length = length;
  }
}

const NONE = new Uint8Array();
