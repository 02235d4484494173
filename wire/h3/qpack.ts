/**
 * QPACK header blocks (RFC 9204) without a dynamic table: we announce capacity 0, so a peer that refers to one breaks the
 * protocol. What we send uses static entries and plain literals.
 *
 * @module
 */
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import { decodeHuffman, isomorphic } from "./huffman.ts";
import { type HeaderField, STATIC_TABLE } from "./static_table.ts";

const WHERE = "QPACK header block";
/** One byte can stand for a long field, so a limit on the size of the block is not enough. */
const MAX_FIELDS = 256;
const utf8 = new TextEncoder();

/** Decodes one whole header block. Values are bytes as code units 0 to 255. @throws {ProtocolViolation} */
export function decodeHeaders(block: Uint8Array): HeaderField[] {
  const r = new Reader(block, WHERE);
  if (prefixed(r, r.u8(), 8) !== 0) throw r.fail("it needs a dynamic table");
  prefixed(r, r.u8(), 7);
  const fields: HeaderField[] = [];
  while (r.left > 0) {
    if (fields.length === MAX_FIELDS) throw r.fail(`more than ${MAX_FIELDS} fields`);
    const first = r.u8();
    if (first & 0x80) {
      if (!(first & 0x40)) throw r.fail("reference to the dynamic table");
      fields.push(entry(r, prefixed(r, first, 6)));
    } else if (first & 0x40) {
      if (!(first & 0x10)) throw r.fail("name in the dynamic table");
      const [name] = entry(r, prefixed(r, first, 4));
      fields.push([name, string(r, r.u8(), 7)]);
    } else if (first & 0x20) {
      const name = string(r, first, 3);
      fields.push([name, string(r, r.u8(), 7)]);
    } else throw r.fail("post-base reference to the dynamic table");
  }
  return fields;
}

/** Encodes a header block that any decoder reads without a dynamic table. */
export function encodeHeaders(fields: readonly HeaderField[]): Uint8Array {
  const w = new Writer();
  w.u8(0);
  w.u8(0);
  for (const [name, value] of fields) {
    const whole = STATIC_TABLE.findIndex(([n, v]) => n === name && v === value);
    const named = STATIC_TABLE.findIndex(([n]) => n === name);
    if (whole >= 0) putPrefixed(w, 0xc0, 6, whole);
    else {
      if (named >= 0) putPrefixed(w, 0x50, 4, named);
      else putString(w, 0x20, 3, name);
      putString(w, 0x00, 7, value);
    }
  }
  return w.done().slice();
}

function entry(r: Reader, index: number): HeaderField {
  const found = STATIC_TABLE[index];
  if (!found) throw r.fail(`the static table has no entry ${index}`);
  return found;
}

/** Reads an integer that begins in the low `bits` of `first` (RFC 7541 §5.1). */
function prefixed(r: Reader, first: number, bits: number): number {
  const most = 2 ** bits - 1;
  let value = first & most;
  if (value < most) return value;
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = r.u8();
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw r.fail("integer above 2^35");
}

/** Reads a string. Its length begins in the low `bits` of `first`. The bit above them is the Huffman flag. */
function string(r: Reader, first: number, bits: number): string {
  const raw = r.take(prefixed(r, first, bits));
  return first & 2 ** bits ? decodeHuffman(raw) : isomorphic(raw);
}

function putPrefixed(w: Writer, flags: number, bits: number, value: number): void {
  const most = 2 ** bits - 1;
  if (value < most) return w.u8(flags | value);
  w.u8(flags | most);
  let rest = value - most;
  while (rest >= 0x80) {
    w.u8(0x80 | rest % 0x80);
    rest = Math.floor(rest / 0x80);
  }
  w.u8(rest);
}

function putString(w: Writer, flags: number, bits: number, value: string): void {
  const raw = utf8.encode(value);
  putPrefixed(w, flags, bits, raw.length);
  w.put(raw);
}

/** The fields as a map, repeated ones joined by ", " (RFC 9110 §5.3). @throws {ProtocolViolation} A pseudo-header is repeated, or follows a regular field. */
export function headerMap(fields: readonly HeaderField[]): Map<string, string> {
  const map = new Map<string, string>();
  let regular = false;
  for (const [name, value] of fields) {
    const before = map.get(name);
    if (name.startsWith(":")) {
      if (regular) throw new ProtocolViolation(WHERE, `${name} after a regular field`);
      if (before !== undefined) throw new ProtocolViolation(WHERE, `${name} twice`);
    } else regular = true;
    map.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return map;
}
