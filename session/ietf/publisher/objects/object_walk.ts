/**
 * Walks over kept objects of a subgroup, head by head. Their receiver has checked them, so nothing is checked again. It is
 * for what is rare: to begin or end inside a subgroup, and to fetch.
 *
 * @module
 */
import { concat } from "../../../../base/bytes.ts";
import type { Subgroup } from "../../../../relay/group/group.ts";
import { MAX_OBJECT_PROPERTY_BYTES } from "../../../../wire/ietf/data/object_head.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";

/** Objects that are passed without a pause: other tasks need their turn. */
export const SLICE_OBJECTS = 4096;

/** Longest head of an object: three integers, properties with their length, and the status. */
const MAX_HEAD_BYTES = MAX_OBJECT_PROPERTY_BYTES + 4 * 9;
const EMPTY: Uint8Array = new Uint8Array(0);

export class ObjectWalk {
  /** Id of the object that was stepped on last; -1 before the first. */
  id = -1;
  /** Where that object begins in the kept bytes, where its id ends, where its payload begins, and where the next one begins. */
  start = 0;
  idEnd = 0;
  payloadAt = 0;
  end = 0;
  status = 0;
  /** Its properties, without their length. A view, or a copy. */
  properties: Uint8Array = EMPTY;
  readonly #varints: Profile["varints"];
  /** Where the reader stands in the window. */
  #at = 0;

  /** @param profile A draft whose objects have the layout of the subgroup. */
  constructor(profile: Profile) {
    this.#varints = profile.varints;
  }

  /** Steps on the next object. @returns false when its head is not here: then nothing has changed. */
  step(subgroup: Subgroup): boolean {
    const { end } = this;
    const window = subgroup.slice(end);
    if (this.#head(window, subgroup)) return true;
    if (end + window.length === subgroup.bytes) return false;
    // The head goes on in another slab.
    const pieces = [window];
    let at = end + window.length;
    while (at < subgroup.bytes && at < end + MAX_HEAD_BYTES) {
      const piece = subgroup.slice(at, Math.min(subgroup.bytes, end + MAX_HEAD_BYTES));
      pieces.push(piece);
      at += piece.length;
      if (this.#head(concat(pieces), subgroup)) return true;
    }
    return false;
  }

  /** Goes behind the last whole object at once. Call it before the first step. */
  skipWhole({ lastId, wholeBytes }: Subgroup): void {
    this.id = lastId;
    this.end = wholeBytes;
  }

  /** Whether the object that was stepped on is here to its end. */
  isWhole(subgroup: Subgroup): boolean {
    return this.end <= subgroup.bytes;
  }

  #head(bytes: Uint8Array, { head }: Subgroup): boolean {
    this.#at = 0;
    const delta = this.#integer(bytes);
    if (delta < 0) return false;
    const idEnd = this.#at;
    let properties: Uint8Array = EMPTY;
    if (head.properties === true) {
      const length = this.#integer(bytes);
      if (length < 0 || this.#at + length > bytes.length) return false;
      properties = bytes.subarray(this.#at, this.#at += length);
    }
    const size = this.#integer(bytes);
    if (size < 0) return false;
    const status = size === 0 ? this.#integer(bytes) : 0;
    if (status < 0) return false;
    this.start = this.end;
    this.id += delta + 1;
    this.idEnd = this.start + idEnd;
    this.properties = properties;
    this.payloadAt = this.start + this.#at;
    this.end = this.payloadAt + size;
    this.status = status;
    return true;
  }

  /** The integer at the reader's place, which moves on; -1 when it is not whole. */
  #integer(bytes: Uint8Array): number {
    if (this.#at >= bytes.length) return -1;
    const width = this.#varints.width(bytes[this.#at]!);
    if (this.#at + width > bytes.length) return -1;
    const value = this.#varints.get(bytes, this.#at);
    this.#at += width;
    return value;
  }
}
