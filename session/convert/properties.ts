/**
 * Properties of objects and tracks in another layout: other integers, types by themselves or as differences.
 *
 * @module
 */
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import {
  decodeProperties,
  encodeProperties,
  OBJECT_PROPERTY,
  type Pair,
} from "../../wire/ietf/pairs.ts";
import type { Profile } from "../../wire/ietf/profile.ts";
import { PropertyWalk } from "./property_walk.ts";

/** Each varint may take nine bytes in another layout. */
const MOST_GROWTH = 9;
const SMALLEST = 256;

/** Converts properties of one layout into those of another. */
export class PropertyConverter {
  readonly #from: Profile;
  readonly #to: Profile;
  readonly #walk: PropertyWalk;
  #into = new Uint8Array(SMALLEST);

  constructor(from: Profile, to: Profile) {
    this.#from = from;
    this.#to = to;
    this.#walk = new PropertyWalk(from);
  }

  /**
   * What stands in `bytes`, converted. A number that the other layout cannot write is left out with its type.
   *
   * @returns A view that is valid until the next call.
   * @throws {ProtocolViolation} They are not properties.
   */
  convert(bytes: Uint8Array, from = 0, end = bytes.length): Uint8Array {
    if (from === end) return NONE;
    const most = (end - from) * MOST_GROWTH;
    if (this.#into.length < most) this.#into = new Uint8Array(most);
    const written = this.#walkOver(bytes, from, end);
    return written < 0 ? this.#byPairs(bytes.subarray(from, end)) : this.#into.subarray(0, written);
  }

  /**
   * The properties of an object, as {@link convert}: none where its status may have none.
   * @returns `undefined` when the other layout has no such status. @throws {ProtocolViolation} They are not properties.
   */
  ofObject(status: number, bytes: Uint8Array, from?: number, end?: number): Uint8Array | undefined {
    const { statuses, statusWithProperties } = this.#to;
    if (!statuses.includes(status)) return undefined;
    const mayHave = status === STATUS.normal || statusWithProperties;
    return mayHave ? this.convert(bytes, from, end) : NONE;
  }

  /** @returns How many bytes were written; -1 when it takes more than to go from one pair to the next. */
  #walkOver(bytes: Uint8Array, from: number, end: number): number {
    const walk = this.#walk;
    const { varints, pairDeltas } = this.#to;
    const into = this.#into;
    let at = 0;
    let before = 0;
    walk.begin(bytes, from, end);
    while (walk.next()) {
      const { type, value } = walk;
      const behind = pairDeltas && type < before;
      if (!walk.exact || behind || type === OBJECT_PROPERTY.immutable) return -1;
      at = varints.put(into, at, pairDeltas ? type - before : type);
      at = varints.put(into, at, value);
      before = type;
      if (type % 2 === 0) continue;
      for (let i = walk.from; i < walk.at; i++) into[at++] = bytes[i]!;
    }
    return at;
  }

  /**
   * For types out of order, properties in properties, and numbers above 2^53-1.
   * @param inner Whether they stand in others. Those have no others in them.
   */
  #byPairs(bytes: Uint8Array, inner = false): Uint8Array {
    const { max } = this.#to.varints;
    const pairs = decodeProperties(bytes, this.#from).filter(({ type, value }) =>
      type <= max && (value instanceof Uint8Array || value <= max)
    ).map((pair) => inner ? pair : this.#nested(pair));
    if (this.#to.pairDeltas) pairs.sort((a, b) => a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
    return encodeProperties(pairs, this.#to);
  }

  #nested({ type, value }: Pair): Pair {
    if (type !== OBJECT_PROPERTY.immutable || !(value instanceof Uint8Array)) {
      return { type, value };
    }
    try {
      return { type, value: this.#byPairs(value, true) };
    } catch { // Whatever it is, it is passed on as it is.
      return { type, value };
    }
  }
}

const NONE = new Uint8Array();
