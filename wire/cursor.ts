import { ProtocolViolation } from "./errors.ts";
import { MAX_VARINT, QUIC_VARINTS, type Varints } from "./varint.ts";

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads fields from one whole message. Every read past the end is a {@link ProtocolViolation}. */
export class Reader {
  #at = 0;
  /** @param varints How integers of variable length are written. */
  constructor(
    readonly bytes: Uint8Array,
    readonly where: string,
    readonly varints: Varints = QUIC_VARINTS,
  ) {}

  /** Bytes not read yet. */
  get left(): number {
    return this.bytes.length - this.#at;
  }
  u8(): number {
    if (this.left < 1) throw this.fail("1 more byte expected");
    return this.bytes[this.#at++]!;
  }
  /** 16 bits, big-endian: only the legacy SETUP length has this form. */
  u16(): number {
    return this.u8() * 256 + this.u8();
  }
  u32(): number {
    return this.u16() * 65_536 + this.u16();
  }
  /** An integer of variable length. Values above 2^53-1 are refused, not rounded. */
  varint(): number {
    const value = this.roundedVarint();
    if (value > MAX_VARINT) throw this.fail("varint above 2^53-1");
    return value;
  }
  /** A varint of up to 64 bits. A value above 2^53-1 is rounded. */
  roundedVarint(): number {
    return this.varints.get(this.bytes, this.#varint());
  }
  /** A varint of up to 64 bits. For hop ids and costs, which are not on the media path. */
  bigVarint(): bigint {
    const at = this.#varint();
    let value = BigInt(this.bytes[at]! ^ this.varints.prefix(this.#at - at));
    for (let i = at + 1; i < this.#at; i++) value = (value << 8n) | BigInt(this.bytes[i]!);
    return value;
  }
  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (this.left < length) throw this.fail(`${length} bytes expected, ${this.left} left`);
    return this.bytes.subarray(this.#at, this.#at += length);
  }
  /** Text, with its length in front. @param maxBytes The longest text allowed. Checked before anything is copied. */
  text(maxBytes = Infinity): string {
    const length = this.varint();
    if (length > maxBytes) throw this.fail(`text of ${length} bytes, at most ${maxBytes} taken`);
    return this.#utf8(this.take(length));
  }
  /** The rest of the message, as text. */
  rest(): string {
    return this.#utf8(this.take(this.left));
  }
  fail(detail: string, options?: ErrorOptions): ProtocolViolation {
    return new ProtocolViolation(this.where, detail, options);
  }

  #utf8(raw: Uint8Array): string {
    try {
      return strictUtf8.decode(raw);
    } catch (cause) {
      throw this.fail("text is not UTF-8", { cause });
    }
  }

  #varint(): number {
    if (this.left < 1) throw this.fail("a varint expected, nothing left");
    const at = this.#at;
    const width = this.varints.width(this.bytes[at]!);
    // No varint begins with a byte of width 0.
    if (width === 0 || this.left < width) {
      throw this.fail(`varint of ${width} bytes, ${this.left} left`);
    }
    this.#at += width;
    return at;
  }
}

/** Appends fields to a buffer that doubles when full. */
export class Writer {
  #bytes = new Uint8Array(64);
  #at = 0;

  /** @param varints How integers of variable length are written. */
  constructor(readonly varints: Varints = QUIC_VARINTS) {}

  #room(n: number): number {
    const end = this.#at + n;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    const at = this.#at;
    this.#at = end;
    return at;
  }
  /** A shift would silently cut a larger number. */
  #fits(value: number, bits: number): void {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return;
    throw new RangeError(`Cannot encode ${value} in ${bits} bits: must be in [0, 2^${bits}-1]`);
  }
  u8(value: number): void {
    this.#fits(value, 8);
    const at = this.#room(1);
    this.#bytes[at] = value;
  }
  u16(value: number): void {
    this.#fits(value, 16);
    this.u8(value >> 8);
    this.u8(value & 0xff);
  }
  u32(value: number): void {
    this.#fits(value, 32);
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`Cannot encode varint ${value}: must be an integer in [0, 2^53-1]`);
    }
    const at = this.#room(this.varints.size(value));
    this.varints.put(this.#bytes, at, value);
  }
  bigVarint(value: bigint): void {
    if (value < 0n || value > this.varints.max) {
      throw new RangeError(`Cannot encode varint ${value}: must be in [0, ${this.varints.max}]`);
    }
    if (value <= BigInt(MAX_VARINT)) return this.varint(Number(value));
    const size = this.varints.size(value);
    const at = this.#room(size);
    let rest = value;
    for (let i = size - 1; i >= 0; i--) {
      this.#bytes[at + i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    this.#bytes[at]! |= this.varints.prefix(size);
  }
  put(raw: Uint8Array): void {
    const at = this.#room(raw.length);
    this.#bytes.set(raw, at);
  }
  /** Bytes with their length in front. */
  sized(raw: Uint8Array): void {
    this.varint(raw.length);
    this.put(raw);
  }
  text(value: string): void {
    this.sized(utf8.encode(value));
  }
  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }
  /** A view of what was written; valid until the next write. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}
