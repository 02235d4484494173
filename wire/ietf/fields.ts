/**
 * Fields that messages of moq-transport are made of.
 *
 * @module
 */
import { Reader, Writer } from "../cursor.ts";
import type { Field } from "../message.ts";
import { wide, type WideInteger } from "./integers.ts";

/** Where an object stands in its track. */
export interface Location {
  readonly group: number;
  readonly object: number;
}

/** Most bytes of a reason phrase. */
export const MAX_REASON_BYTES = 1_024;
/** Most bytes of a token's value. */
export const MAX_TOKEN_BYTES = 8 << 10;
const utf8 = new TextEncoder();

export const location: Field<Location> = {
  write(w, v) {
    w.varint(v.group);
    w.varint(v.object);
  },
  read: (r) => ({ group: r.varint(), object: r.varint() }),
};

/** A text of at most {@link MAX_REASON_BYTES}; a longer one is cut when it is written. */
export const reason: Field<string> = {
  write(w, v) {
    w.sized(utf8.encode(v).length <= MAX_REASON_BYTES ? utf8.encode(v) : cut(v));
  },
  read: (r) => r.text(MAX_REASON_BYTES),
};

function cut(text: string): Uint8Array {
  const room = new Uint8Array(MAX_REASON_BYTES);
  return room.subarray(0, utf8.encodeInto(text, room).written);
}

/** In which order groups are sent, or preferred. */
export type GroupOrder = "ascending" | "descending";
const ORDERS: readonly (GroupOrder | undefined)[] = [undefined, "ascending", "descending"];

function order(code: number, r: Reader): GroupOrder | undefined {
  if (code >= ORDERS.length) throw r.fail(`group order ${code}`);
  return ORDERS[code];
}

/** One byte, 0 where the choice is left to the publisher. */
export const anyOrder: Field<GroupOrder | undefined> = {
  write: (w, v) => w.u8(ORDERS.indexOf(v)),
  read: (r) => order(r.u8(), r),
};

/** One byte, 1 or 2. */
export const groupOrder: Field<GroupOrder> = {
  write: (w, v) => w.u8(ORDERS.indexOf(v)),
  read: (r) => order(r.u8(), r) ?? fail(r, "group order 0"),
};

/** Throws, for the end of an expression. */
function fail(r: Reader, detail: string): never {
  throw r.fail(detail);
}

/** A field of one byte as the value of an even key-value pair: the same number as a varint. */
export function byteAsVarint<T>(byte: Field<T>): Field<T> {
  return {
    write(w, v) {
      const one = new Writer();
      byte.write(one, v);
      w.varint(one.done()[0]!);
    },
    read(r) {
      const value = r.roundedVarint();
      if (value > 0xff) throw r.fail(`${value} where one byte is expected`);
      return byte.read(new Reader(Uint8Array.of(value), r.where));
    },
  };
}

/** A field behind its length, which it has to fill. */
export function sized<T>(field: Field<T>, maxBytes: number): Field<T> {
  return {
    write(w, v) {
      const inner = new Writer(w.varints);
      field.write(inner, v);
      w.sized(inner.done());
    },
    read(r) {
      const length = r.varint();
      if (length > maxBytes) throw r.fail(`${length} bytes, at most ${maxBytes} taken`);
      const inner = new Reader(r.take(length), r.where, r.varints);
      const value = field.read(inner);
      if (inner.left > 0) throw r.fail(`${inner.left} bytes left in a field of ${length}`);
      return value;
    },
  };
}

/** What a peer shows to be let in. The alias is a number that stands for a token of the same session. */
export type Token =
  | { readonly kind: "value"; readonly type: WideInteger; readonly value: Uint8Array }
  | {
    readonly kind: "register";
    readonly alias: WideInteger;
    readonly type: WideInteger;
    readonly value: Uint8Array;
  }
  | { readonly kind: "use"; readonly alias: WideInteger }
  | { readonly kind: "delete"; readonly alias: WideInteger };

const TOKEN_KINDS = ["delete", "register", "use", "value"] as const;

/** A token, up to the end of what it stands in. */
export const token: Field<Token> = {
  write(w, v) {
    w.varint(TOKEN_KINDS.indexOf(v.kind));
    if (v.kind !== "value") wide.write(w, v.alias);
    if (v.kind === "use" || v.kind === "delete") return;
    if (v.value.length > MAX_TOKEN_BYTES) {
      throw new RangeError(`Cannot encode a token of more than ${MAX_TOKEN_BYTES} bytes`);
    }
    wide.write(w, v.type);
    w.put(v.value);
  },
  read(r) {
    const code = r.roundedVarint();
    const kind = TOKEN_KINDS[code];
    if (kind === undefined) throw r.fail(`token of kind ${code}`);
    if (kind === "use" || kind === "delete") return { kind, alias: wide.read(r) };
    if (kind === "register") {
      const alias = wide.read(r);
      return { kind, alias, type: wide.read(r), value: tokenValue(r) };
    }
    return { kind, type: wide.read(r), value: tokenValue(r) };
  },
};

function tokenValue(r: Reader): Uint8Array {
  if (r.left > MAX_TOKEN_BYTES) {
    throw r.fail(`token of ${r.left} bytes, at most ${MAX_TOKEN_BYTES} taken`);
  }
  return r.take(r.left).slice();
}

/** A token behind its length. */
export const sizedToken = sized(token, MAX_TOKEN_BYTES + 32);
