import { z } from "zod";
import {
  DURATION_HINT,
  formatSize,
  parseDurationMs,
  parseSizeBytes,
  SIZE_HINT,
} from "../base/units.ts";
import { isPattern, isPlainPattern } from "../wire/path_pattern.ts";
import { ADDRESS_HINT, formatAddress, parseAddress } from "./address.ts";

/** Facts about a setting for error messages, the example file and the docs. */
export interface Notes {
  /** Completes "expected …" in error messages, and is the column of values in the docs. */
  readonly expects: string;
  /** How such a value is written, for error messages. */
  readonly hint?: string;
  /** Older keys that files may use, as full paths. */
  readonly aliases?: readonly string[];
  /** Shown in the example file for a setting that has no default. */
  readonly example?: string;
  /** What happens without a value, for a setting that has no default. */
  readonly unset?: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** A list that may also be written as one text. */
  readonly list?: true;
}

export const notes = z.registry<Notes>();

type Extra = Omit<Notes, "expects" | "hint">;

interface Range<T> {
  readonly min: T;
  readonly max: T;
  readonly byDefault: T;
}

/** A text that `read` converts to a value; `undefined` means that the text is wrong. */
function parsed<T>(read: (text: string) => T | undefined) {
  return z.string().transform((text, context) => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: "" });
    return z.NEVER;
  });
}

/** A whole number. */
export function integer(range: Range<number>, about: string, extra: Extra = {}) {
  const expects = `a whole number from ${range.min} to ${range.max}`;
  return z.int().min(range.min).max(range.max).prefault(range.byDefault).describe(about)
    .register(notes, { expects, ...extra });
}

/** A whole number, or "auto" for as many as the machine has processors. */
export function processors(max: number, about: string, extra: Extra = {}) {
  return z.union([z.int(), z.string()]).transform((given, context) => {
    if (given === "auto") return Math.min(max, navigator.hardwareConcurrency);
    const count = typeof given === "number" ? given : /^\d+$/.test(given) ? Number(given) : NaN;
    if (count >= 1 && count <= max) return count;
    context.addIssue({ code: "custom", message: "" });
    return z.NEVER;
  }).prefault(1).describe(about)
    .register(notes, { expects: `a whole number from 1 to ${max}, or "auto"`, ...extra });
}

/** A duration like "10s", read as milliseconds. */
export function duration(range: Range<string>, about: string) {
  const min = parseDurationMs(range.min)!;
  const max = parseDurationMs(range.max)!;
  const expects = `a duration from ${range.min} to ${range.max}`;
  return parsed((text) => {
    const ms = parseDurationMs(text);
    return ms !== undefined && ms >= min && ms <= max ? ms : undefined;
  }).prefault(range.byDefault).describe(about).register(notes, { expects, hint: DURATION_HINT });
}

/** A size like 1500 or "4KB", read as bytes. */
export function size(range: Range<number>, about: string, extra: Extra = {}) {
  const expects = `a size from ${formatSize(range.min)} to ${formatSize(range.max)}`;
  const text = formatSize(range.byDefault);
  return z.union([z.int(), z.string()]).transform((given, context) => {
    const bytes = parseSizeBytes(String(given));
    if (bytes !== undefined && bytes >= range.min && bytes <= range.max) return bytes;
    context.addIssue({ code: "custom", message: "" });
    return z.NEVER;
  }).prefault(/^\d+$/.test(text) ? range.byDefault : text).describe(about)
    .register(notes, { expects, hint: SIZE_HINT, ...extra });
}

/** A size, or 0 for no limit. */
export function sizeOrNone(range: Range<number>, about: string) {
  const expects = `a size from ${formatSize(range.min)} to ${formatSize(range.max)}, or 0`;
  return z.union([z.int(), z.string()]).transform((given, context) => {
    const bytes = parseSizeBytes(String(given));
    if (bytes === 0 || (bytes !== undefined && bytes >= range.min && bytes <= range.max)) {
      return bytes;
    }
    context.addIssue({ code: "custom", message: "" });
    return z.NEVER;
  }).prefault(range.byDefault === 0 ? 0 : formatSize(range.byDefault)).describe(about)
    .register(notes, { expects, hint: SIZE_HINT });
}

/** A number, with a fraction or without. */
export function decimal(range: Range<number>, about: string, extra: Extra = {}) {
  const expects = `a number from ${range.min} to ${range.max}`;
  return z.number().min(range.min).max(range.max).prefault(range.byDefault).describe(about)
    .register(notes, { expects, ...extra });
}

/** A text that is not empty. Without a default it is required. */
export function text(about: string, extra: Extra & { readonly byDefault?: string } = {}) {
  const { byDefault, ...rest } = extra;
  const schema = z.string().min(1);
  const note = { expects: "a text", ...rest };
  return byDefault === undefined
    ? schema.describe(about).register(notes, note)
    : schema.prefault(byDefault).describe(about).register(notes, note);
}

/** A text that `read` takes, or `none` (`undefined`), which is the default. */
export function readText<T>(
  expects: string,
  read: (text: string) => T | undefined,
  about: string,
  none = "off",
) {
  return parsed((text) => {
    if (text === "" || text === none) return { value: undefined };
    const value = read(text);
    return value === undefined ? undefined : { value };
  }).transform((found) => found.value).prefault(none).describe(about)
    .register(notes, { expects: `${expects}, or "${none}"` });
}

/** A text that is never shown. An empty one counts as absent. */
export function secret(about: string, extra: Extra = {}) {
  return z.string().transform((text) => text === "" ? undefined : text).optional().describe(about)
    .register(notes, { expects: "a text", secret: true, ...extra });
}

export function flag(byDefault: boolean, about: string) {
  return z.boolean().prefault(byDefault).describe(about)
    .register(notes, { expects: "true or false" });
}

export function oneOf<const T extends readonly [string, ...string[]]>(
  values: T,
  byDefault: NoInfer<T[number]>,
  about: string,
) {
  return z.enum(values).prefault(byDefault).describe(about)
    .register(notes, { expects: `one of ${values.join(", ")}` });
}

/** Several values of a fixed set, in order. An empty list is refused. */
export function someOf<const T extends readonly [string, ...string[]]>(values: T, about: string) {
  return z.array(z.enum(values)).min(1).prefault([...values]).describe(about)
    .register(notes, { expects: `a list of ${values.join(", ")}` });
}

/** A list of texts that `accept` allows. */
export function list(
  expects: string,
  accept: (text: string) => boolean,
  about: string,
  byDefault: readonly string[] = [],
) {
  return z.array(z.string().refine(accept)).prefault([...byDefault]).describe(about)
    .register(notes, { expects });
}

/** Patterns over broadcast paths: "rooms/*", "live/**". */
export function patterns(about: string) {
  return list('a list of patterns like "live/**"', isPattern, about);
}

/** Patterns of broadcasts, in their plain form. */
export function broadcasts(about: string, byDefault: readonly string[] = []) {
  const expects = "a list of paths; `*` is any part, `**` at the end any parts";
  return list(expects, isPlainPattern, about, byDefault);
}

/** The path of a file, relative to the working directory. An empty text counts as absent. */
export function filePath(about: string, extra: Extra = {}) {
  return z.string().transform((path) => path === "" ? undefined : path).optional().describe(about)
    .register(notes, { expects: "a path", ...extra });
}

/** A SHA-256 in hexadecimal, with or without colons. An empty text counts as absent. */
export function sha256(about: string, extra: Extra = {}) {
  return parsed((text) => {
    const digits = text.replaceAll(":", "");
    if (digits === "") return { hash: undefined };
    return /^[0-9a-f]{64}$/i.test(digits) ? { hash: Uint8Array.fromHex(digits) } : undefined;
  }).transform((found) => found.hash).optional().describe(about)
    .register(notes, { expects: "64 hexadecimal digits", ...extra });
}

/** The path of a directory. */
export function directory(byDefault: string, about: string) {
  return z.string().min(1).prefault(byDefault).describe(about)
    .register(notes, { expects: "a path" });
}

/** A listening address. */
export function address(byDefault: string, about: string) {
  return parsed(parseAddress).prefault(byDefault).describe(about)
    .register(notes, { expects: ADDRESS_HINT });
}

/** An optional listening address. */
export function optionalListen(about: string, extra: Extra = {}) {
  return parsed(parseAddress).optional().describe(about)
    .register(notes, { expects: ADDRESS_HINT, ...extra });
}

/** A listening address, or "" or "off" for none (`undefined`). */
export function optionalAddress(byDefault: string, about: string, extra: Extra = {}) {
  const expects = `${ADDRESS_HINT}, or "off"`;
  return parsed((text) => {
    if (text === "" || text === "off") return { address: undefined };
    const address = parseAddress(text);
    return address && { address };
  }).transform((found) => found.address).prefault(byDefault).describe(about)
    .register(notes, { expects, ...extra });
}

/** A URL with one of `schemes`, or "" for none (`undefined`). */
export function optionalUrl(schemes: readonly string[], about: string) {
  return parsed((text) => {
    if (text === "") return { url: undefined };
    return isUrl(text, schemes) ? { url: text } : undefined;
  }).transform((found) => found.url).prefault("").describe(about)
    .register(notes, { expects: `a URL that begins with ${either(schemes)}, or ""` });
}

/** A required URL with one of `schemes`. */
export function url(schemes: readonly string[], about: string, extra: Extra = {}) {
  return parsed((text) => isUrl(text, schemes) ? text : undefined).describe(about)
    .register(notes, { expects: `a URL that begins with ${either(schemes)}`, ...extra });
}

/** A Redis server: a URL with "redis" or "rediss", "host:port" of one without a password, or "" for none (`undefined`). */
export function optionalRedisUrl(about: string) {
  const schemes = ["redis", "rediss"];
  return parsed((text) => {
    if (text === "") return { url: undefined };
    if (isUrl(text, schemes)) return { url: text };
    const address = text.startsWith(":") ? undefined : parseAddress(text);
    return address && { url: `redis://${formatAddress(address)}` };
  }).transform((found) => found.url).prefault("").describe(about)
    .register(notes, { expects: `a URL that begins with ${either(schemes)}, "host:port", or ""` });
}

const either = (schemes: readonly string[]) =>
  schemes.map((s) => `${s}://`).join(", ").replace(/, ([^,]*)$/, " or $1");

/** The URL parser accepts unknown schemes without a host. A URL to dial needs one. */
const isUrl = (text: string, schemes: readonly string[]) =>
  URL.canParse(text) && /^[a-z]+:\/\/[^/?#]/i.test(text) &&
  schemes.includes(new URL(text).protocol.slice(0, -1));

/** A hop id: 1 to 2^62-1, in decimal digits (a varint, RFC 9000 §16). */
export function hopId(about: string, extra: Extra) {
  const expects = "a whole number from 1 to 4611686018427387903";
  return z.union([z.int(), z.string()]).transform((given, context) => {
    const text = String(given);
    const id = /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
    if (id > 0n && id < 2n ** 62n) return id;
    context.addIssue({ code: "custom", message: "" });
    return z.NEVER;
  }).optional().describe(about).register(notes, { expects, ...extra });
}

/** Several URLs with one of `schemes`: a list, or one text. An empty text is no URL. */
export function urls(schemes: readonly string[], about: string, extra: Extra = {}) {
  const each = z.string().refine((text) => isUrl(text, schemes));
  const expects = `URLs that begin with ${either(schemes)}: one, a list, or ""`;
  return z.union([z.literal("").transform(() => []), each.transform((one) => [one]), z.array(each)])
    .prefault([]).describe(about).register(notes, { expects, list: true, ...extra });
}
