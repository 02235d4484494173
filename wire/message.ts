import { Reader, Writer } from "./cursor.ts";
import { ProtocolViolation } from "./errors.ts";
import type { Varints } from "./varint.ts";

const utf8 = new TextEncoder();

/** How one field is written and read. Both stand side by side, so that they cannot drift apart. */
export interface Field<T> {
  write(w: Writer, value: T): void;
  read(r: Reader): T;
}

export const u8: Field<number> = { write: (w, v) => w.u8(v), read: (r) => r.u8() };
export const varint: Field<number> = { write: (w, v) => w.varint(v), read: (r) => r.varint() };
export const bigVarint: Field<bigint> = {
  write: (w, v) => w.bigVarint(v),
  read: (r) => r.bigVarint(),
};
export const text: Field<string> = { write: (w, v) => w.text(v), read: (r) => r.text() };
/** `undefined` is written as 0, and n as n + 1: the drafts' form of "absent or value". */
export const optional: Field<number | undefined> = {
  write: (w, v) => w.varint(v === undefined ? 0 : v + 1),
  read: (r) => {
    const v = r.varint();
    return v === 0 ? undefined : v - 1;
  },
};
/** One byte, strictly 0 or 1. */
export const flag: Field<boolean> = {
  write: (w, v) => w.u8(v ? 1 : 0),
  read: (r) => {
    const v = r.u8();
    if (v > 1) throw r.fail(`flag must be 0 or 1, got ${v}`);
    return v === 1;
  },
};
/** Most bytes of the URI in GOAWAY. */
export const MAX_URI_BYTES = 8_192;

/** Text of at most {@link MAX_URI_BYTES}. The receiver checks whether it is a URL. */
export const uri: Field<string> = {
  write(w, v) {
    if (utf8.encode(v).length > MAX_URI_BYTES) {
      throw new RangeError(`Cannot encode a URI of more than ${MAX_URI_BYTES} bytes`);
    }
    w.text(v);
  },
  read: (r) => r.text(MAX_URI_BYTES),
};

/** A field that this version does not have. It takes no bytes and is always read as `value`. */
export function absent<const T>(value: T): Field<T> {
  return { write() {}, read: () => value };
}
/** A varint count, then that many items. */
export function listOf<T>(item: Field<T>, max: number): Field<readonly T[]> {
  return {
    write: (w, v) => {
      if (v.length > max) throw new RangeError(`Cannot encode ${v.length} items: at most ${max}`);
      w.varint(v.length);
      for (const one of v) item.write(w, one);
    },
    read: (r) => {
      const count = r.varint();
      if (count > max) throw r.fail(`${count} items, at most ${max} allowed`);
      return Array.from({ length: count }, () => item.read(r));
    },
  };
}

// deno-lint-ignore no-explicit-any
type Fields = Record<string, Field<any>>;
type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** A control message of one version. Decoders throw `ProtocolViolation` and nothing else, whatever the bytes. */
export interface Message<T> {
  readonly name: string;
  /** The longest body that is accepted, in bytes. Its length is checked before anything is kept. */
  readonly maxBytes: number;
  /** The body, without type or length. */
  encode(value: T): Uint8Array;
  /** Reads one whole body; leftover bytes are a violation. Text and numbers are copied out, `body` may be reused. */
  decode(body: Uint8Array): T;
}
export type Decoded<M> = M extends Message<infer T> ? T : never;

/** Most bytes of a request or an answer: several times what two names and a few numbers need. */
export const MAX_MESSAGE_BYTES = 8 << 10;

/**
 * Declares a control message: fields in wire order. The TypeScript type is inferred from them.
 *
 * @param varints How the version writes integers of variable length; as QUIC does, where it is not said.
 */
export function message<const F extends Fields>(
  name: string,
  fields: F,
  maxBytes = MAX_MESSAGE_BYTES,
  varints?: Varints,
): Message<ValueOf<F>> {
  const entries = Object.entries(fields);
  return {
    name,
    maxBytes,
    encode(value) {
      const w = new Writer(varints);
      for (const [key, field] of entries) field.write(w, (value as Record<string, unknown>)[key]);
      return w.done();
    },
    decode(body) {
      const r = new Reader(body, name, varints);
      const out: Record<string, unknown> = {};
      for (const [key, field] of entries) out[key] = field.read(r);
      if (r.left > 0) throw r.fail(`${r.left} bytes left after the last field`);
      return out as ValueOf<F>;
    },
  };
}

/** `message` with a rule across fields, checked by encode and decode. `problem` says what is wrong with a value, if anything. */
export function checked<T>(
  message: Message<T>,
  problem: (value: T) => string | undefined,
): Message<T> {
  return {
    ...message,
    encode(value) {
      const wrong = problem(value);
      if (wrong !== undefined) throw new RangeError(`Cannot encode ${message.name}: ${wrong}`);
      return message.encode(value);
    },
    decode(body) {
      const value = message.decode(body);
      const wrong = problem(value);
      if (wrong !== undefined) throw new ProtocolViolation(message.name, wrong);
      return value;
    },
  };
}

/** `body` as it is sent on a stream: its type, if given, and its length in front. */
export function framed(body: Uint8Array, type?: number): Uint8Array {
  const w = new Writer();
  if (type !== undefined) w.varint(type);
  w.sized(body);
  return w.done();
}
