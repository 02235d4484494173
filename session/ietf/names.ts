/**
 * Names of moq-transport as paths and names of the relay. A namespace is a list of fields, a path a list of segments: each
 * field is one segment. Fields are any bytes, segments are text without "/". What a segment cannot hold is escaped:
 *
 * - `/` is `\s`, and a byte that is no UTF-8 is `\xHH`. Then a `\` of the field is `\\`.
 * - An empty field is `\e`.
 * - Any other field stays as it is, also one with `\`. If it would be read as an escaped one, each `\` in it is doubled.
 *
 * So each namespace has exactly one path, and each path exactly one namespace. Names of tracks are escaped likewise, but "/"
 * and the empty name stay as they are.
 *
 * Nothing here limits lengths: `wire/ietf/names.ts` bounds what peers send, `wire/path.ts` what peers of moq-lite take.
 * Spec: draft-ietf-moq-transport-18, "Track Naming".
 *
 * @module
 */
import type { Namespace } from "../../wire/ietf/names.ts";

/** The path of a namespace, relative to wherever the namespace is. Normalised. */
export function pathOf(namespace: Namespace): string {
  return namespace.map((field) => textOf(field, SEGMENT)).join("/");
}

/** The namespace of a normalised path: {@link pathOf} reversed. It may have more fields than a peer takes. */
export function namespaceOf(path: string): Namespace {
  return path === "" ? [] : path.split("/").map((segment) => bytesOf(segment, SEGMENT));
}

/** The name of a track. */
export function trackNameOf(bytes: Uint8Array): string {
  return textOf(bytes, TRACK);
}

/** The bytes of a track's name: {@link trackNameOf} reversed. */
export function trackBytesOf(name: string): Uint8Array {
  return bytesOf(name, TRACK);
}

/** What has to be escaped in a kind of name beside bytes that are no UTF-8. */
interface Kind {
  readonly slash: boolean;
  readonly empty: boolean;
}
const SEGMENT: Kind = { slash: true, empty: true };
const TRACK: Kind = { slash: false, empty: false };

const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array, kind: Kind): string {
  const plain = plainText(bytes, kind);
  if (plain === undefined) return escaped(bytes, kind);
  return looksEscaped(plain, kind) ? doubled(plain) : plain;
}

function bytesOf(text: string, kind: Kind): Uint8Array {
  if (!text.includes("\\")) return utf8.encode(text);
  return unescaped(text, kind) ?? utf8.encode(looksEscaped(text, kind) ? halved(text)! : text);
}

/** The bytes as text, if nothing in them has to be escaped. */
function plainText(bytes: Uint8Array, { slash, empty }: Kind): string | undefined {
  if (empty && bytes.length === 0) return undefined;
  try {
    const text = strict.decode(bytes);
    return slash && text.includes("/") ? undefined : text;
  } catch {
    return undefined;
  }
}

function escaped(bytes: Uint8Array, kind: Kind): string {
  if (bytes.length === 0) return "\\e";
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = characterBytes(bytes, at);
    if (length === 0) text += `\\x${bytes.subarray(at, at + 1).toHex().toUpperCase()}`;
    else {
      const character = strict.decode(bytes.subarray(at, at + length));
      text += character === "\\" ? "\\\\" : character === "/" && kind.slash ? "\\s" : character;
    }
    at += Math.max(1, length);
  }
  return text;
}

/** How many bytes the character at `at` has; 0 when there is none. Spec: RFC 3629, 4. */
function characterBytes(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // Neither longer than needed, nor a surrogate, nor above U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < low || second > high) return 0;
  for (let i = at + 2; i < at + length; i++) if ((bytes[i] ?? 0) >> 6 !== 2) return 0;
  return length;
}

/** The bytes whose {@link escaped} text this is; `undefined` when it is none of those. */
function unescaped(text: string, kind: Kind): Uint8Array | undefined {
  if (text === "\\e" && kind.empty) return new Uint8Array();
  const bytes: number[] = [];
  let real = false;
  for (const [part, escape] of text.matchAll(/\\(x[0-9A-F]{2}|[\\s])?|[^\\]+/gs)) {
    if (part[0] !== "\\") bytes.push(...utf8.encode(part));
    else if (escape === undefined) return undefined;
    else if (escape === "\\") bytes.push(0x5c);
    else {
      real = true;
      bytes.push(escape === "s" ? 0x2f : parseInt(escape.slice(1), 16));
    }
  }
  if (!real) return undefined;
  const found = Uint8Array.from(bytes);
  return plainText(found, kind) === undefined && escaped(found, kind) === text ? found : undefined;
}

/** Whether a text is an {@link escaped} one, or one that was {@link doubled}, however often. */
function looksEscaped(text: string, kind: Kind): boolean {
  let at: string | undefined = text.includes("\\") ? text : undefined;
  for (; at !== undefined; at = halved(at)) if (unescaped(at, kind) !== undefined) return true;
  return false;
}

function doubled(text: string): string {
  return text.replaceAll("\\", "\\\\");
}

/** {@link doubled} reversed; `undefined` when it was not. */
function halved(text: string): string | undefined {
  const half = text.replaceAll("\\\\", "\\");
  return doubled(half) === text ? half : undefined;
}
