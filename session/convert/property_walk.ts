import { ProtocolViolation } from "../../wire/errors.ts";
import type { Profile } from "../../wire/ietf/profile.ts";

/** Walks over key-value pairs. It allocates nothing, so that it can be used for each object. */
export class PropertyWalk {
  /** The type of the pair. */
  type = 0;
  /** The value under an even type; the number of bytes under an odd one. */
  value = 0;
  /** Where those bytes begin. They end at {@link at}. */
  from = 0;
  /** Where the next pair begins. */
  at = 0;
  /** Whether no number so far was above 2^53-1: then all are exact. */
  exact = true;
  #bytes: Uint8Array = EMPTY;
  #end = 0;
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  /** Starts with the pair at `from`. @param end Where the last one ends. */
  begin(bytes: Uint8Array, from: number, end: number): void {
    this.#bytes = bytes;
    this.at = from;
    this.#end = end;
    this.type = 0;
    this.exact = true;
  }

  /** Steps to the next pair. @returns Whether there is one. @throws {ProtocolViolation} It is not whole. */
  next(): boolean {
    if (this.at >= this.#end) return false;
    const type = this.#integer();
    this.type = this.#profile.pairDeltas ? this.type + type : type;
    if (this.type > Number.MAX_SAFE_INTEGER) this.exact = false;
    this.value = this.#integer();
    this.from = this.at;
    if (this.type % 2 === 1) this.at += this.value;
    if (this.at > this.#end) throw new ProtocolViolation(WHERE, `${this.value} bytes expected`);
    return true;
  }

  #integer(): number {
    const { varints } = this.#profile;
    const width = this.at < this.#end ? varints.width(this.#bytes[this.at]!) : 0;
    if (width === 0 || this.at + width > this.#end) {
      throw new ProtocolViolation(WHERE, "no whole varint");
    }
    const value = varints.get(this.#bytes, this.at);
    if (value > Number.MAX_SAFE_INTEGER) this.exact = false;
    this.at += width;
    return value;
  }
}

const EMPTY = new Uint8Array();
const WHERE = "properties";
