/**
 * Structured fields (RFC 8941) as far as `wt-available-protocols` and `wt-protocol` need them: strings, and lists of
 * strings. Parameters are parsed and ignored.
 *
 * @module
 */
import { ProtocolViolation } from "../errors.ts";

const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const PARAMETER =
  /; *[a-z*][a-z0-9_\-.*]*(?:=(?:"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*|-?\d{1,15}(?:\.\d{1,3})?|:[A-Za-z0-9+/=]*:|\?[01]))?/y;
const COMMA = /[ \t]*,[ \t]*/y;

/** Parses a list of strings; an empty field is an empty list. @throws {ProtocolViolation} */
export function parseStringList(field: string): string[] {
  const cursor = new Cursor(field.replace(/^ +| +$/g, ""), "list of strings");
  const items: string[] = [];
  if (cursor.atEnd) return items;
  do items.push(cursor.string()); while (cursor.match(COMMA));
  cursor.end();
  return items;
}

/** Parses one string. @throws {ProtocolViolation} */
export function parseString(field: string): string {
  const cursor = new Cursor(field.replace(/^ +| +$/g, ""), "string");
  const item = cursor.string();
  cursor.end();
  return item;
}

/** Prints one string. @throws {RangeError} It has characters other than printable ASCII. */
export function printString(value: string): string {
  if (!/^[\x20-\x7e]*$/.test(value)) {
    throw new RangeError(`Cannot print ${JSON.stringify(value)} as a structured string: not ASCII`);
  }
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Prints a list of strings. @throws {RangeError} One has characters other than printable ASCII. */
export function printStringList(values: readonly string[]): string {
  return values.map(printString).join(", ");
}

class Cursor {
  #at = 0;
  constructor(readonly text: string, readonly where: string) {}
  get atEnd(): boolean {
    return this.#at === this.text.length;
  }
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (!found) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
  string(): string {
    const found = this.match(STRING);
    if (!found) throw new ProtocolViolation(this.where, `a string expected at ${this.#at}`);
    while (this.match(PARAMETER));
    return found[1]!.replace(/\\(.)/g, "$1");
  }
  end(): void {
    if (!this.atEnd) {
      throw new ProtocolViolation(this.where, `nothing more expected at ${this.#at}`);
    }
  }
}
