/**
 * The values in RTMP commands: the part of AMF 0 that publishers use.
 *
 * @see Action Message Format, AMF 0 (December 2007).
 * @module
 */
import { RtmpViolation } from "./errors.ts";

/** An object is a map, so that no key of a peer meets a prototype. */
export type Amf =
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly Amf[]
  | ReadonlyMap<string, Amf>;

/** How deep objects may be nested. */
export const MAX_AMF_DEPTH = 8;
/** How many values a message may have, keys not counted. */
export const MAX_AMF_VALUES = 256;

const NUMBER = 0, BOOLEAN = 1, STRING = 2, OBJECT = 3, NULL = 5, UNDEFINED = 6, ECMA_ARRAY = 8;
const OBJECT_END = 9, STRICT_ARRAY = 10, DATE = 11, LONG_STRING = 12, UNSUPPORTED = 13;
const XML = 15, TYPED_OBJECT = 16;

/** Reads every value of a message. @throws {RtmpViolation} Cut off, too deep, too many, or of an unknown type. */
export function decodeAmf(bytes: Uint8Array): Amf[] {
  const cursor = new Cursor(bytes);
  const values: Amf[] = [];
  while (!cursor.done) values.push(cursor.value(0));
  return values;
}

/** Writes values one after the other. @throws {RangeError} A text is longer than 65,535 bytes. */
export function encodeAmf(values: readonly Amf[]): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  for (const value of values) encode(value, out);
  return Uint8Array.from(out);
}

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): Amf {
    if (depth > MAX_AMF_DEPTH) {
      throw new RtmpViolation(`Cannot read AMF: it is deeper than ${MAX_AMF_DEPTH}`);
    }
    if (++this.#values > MAX_AMF_VALUES) {
      throw new RtmpViolation(`Cannot read AMF: it has more than ${MAX_AMF_VALUES} values`);
    }
    const type = this.#bytes[this.#take(1)]!;
    switch (type) {
      case NUMBER:
        return this.#view.getFloat64(this.#take(8));
      case BOOLEAN:
        return this.#bytes[this.#take(1)] !== 0;
      case STRING:
        return this.#text(this.#view.getUint16(this.#take(2)));
      case XML:
      case LONG_STRING:
        return this.#text(this.#view.getUint32(this.#take(4)));
      case NULL:
        return null;
      case UNDEFINED:
      case UNSUPPORTED:
        return undefined;
      case DATE:
        return this.#view.getFloat64(this.#take(10));
      case TYPED_OBJECT:
        this.#text(this.#view.getUint16(this.#take(2)));
        return this.#map(depth);
      case ECMA_ARRAY: // Its count is only a hint.
        this.#take(4);
        return this.#map(depth);
      case OBJECT:
        return this.#map(depth);
      case STRICT_ARRAY: {
        const length = this.#view.getUint32(this.#take(4));
        const list: Amf[] = [];
        for (let i = 0; i < length; i++) list.push(this.value(depth + 1));
        return list;
      }
      default:
        throw new RtmpViolation(`Cannot read AMF: type ${type} is not known`);
    }
  }

  #map(depth: number): ReadonlyMap<string, Amf> {
    const map = new Map<string, Amf>();
    for (;;) {
      const key = this.#text(this.#view.getUint16(this.#take(2)));
      if (key === "" && this.#bytes[this.#at] === OBJECT_END) {
        this.#at++;
        return map;
      }
      map.set(key, this.value(depth + 1));
    }
  }

  #text(length: number): string {
    const from = this.#take(length);
    return utf8.decode(this.#bytes.subarray(from, from + length));
  }

  /** Where the next bytes begin. They are all there. */
  #take(count: number): number {
    const from = this.#at;
    if (count > this.#bytes.length - from) {
      throw new RtmpViolation("Cannot read AMF: it is cut off");
    }
    this.#at += count;
    return from;
  }
}

function encode(value: Amf, out: number[]): void {
  if (typeof value === "number") {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    out.push(NUMBER, ...new Uint8Array(view.buffer));
  } else if (typeof value === "boolean") out.push(BOOLEAN, value ? 1 : 0);
  else if (typeof value === "string") {
    out.push(STRING);
    encodeText(value, out);
  } else if (value === null) out.push(NULL);
  else if (value === undefined) out.push(UNDEFINED);
  else if (value instanceof Map) {
    out.push(OBJECT);
    for (const [key, inner] of value) {
      encodeText(key, out);
      encode(inner, out);
    }
    out.push(0, 0, OBJECT_END);
  } else {
    const list = value as readonly Amf[];
    out.push(STRICT_ARRAY, ...uint32(list.length));
    for (const inner of list) encode(inner, out);
  }
}

function encodeText(text: string, out: number[]): void {
  const bytes = toUtf8.encode(text);
  if (bytes.length > 0xffff) throw new RangeError("A text of AMF 0 has at most 65,535 bytes");
  out.push(bytes.length >> 8, bytes.length & 0xff, ...bytes);
}

const uint32 = (n: number) => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
