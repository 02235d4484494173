/**
 * Broadcast paths: segments joined by "/". Outer and doubled slashes do not count. Bytes are compared as they are, without
 * Unicode normalisation or percent decoding. Spec: draft-lcurley-moq-lite, "Path".
 *
 * The path of a URL is percent-encoded. {@link pathOfUrl} reads it, for every transport alike.
 *
 * @module
 */

/** Most segments a path may have; more is a protocol violation. */
export const MAX_PATH_PARTS = 32;

/** Most relays in the chain that a path is announced through; more is a protocol violation. */
export const MAX_HOPS = 32;

/** Most bytes of UTF-8 in a path, and in the name of a track; more is a protocol violation. The drafts set no limit. */
export const MAX_NAME_BYTES = 1_024;

const utf8 = new TextEncoder();
const scratch = new Uint8Array(MAX_NAME_BYTES + 3);

/** Whether peers accept a track's name: at most {@link MAX_NAME_BYTES} of UTF-8. */
export function isName(name: string): boolean {
  if (name.length > MAX_NAME_BYTES) return false;
  return name.length * 3 <= MAX_NAME_BYTES ||
    utf8.encodeInto(name, scratch).written <= MAX_NAME_BYTES;
}

/** Whether peers accept a normalised path: at most {@link MAX_PATH_PARTS} segments and {@link MAX_NAME_BYTES}. */
export function isPath(path: string): boolean {
  return isName(path) && pathParts(path) <= MAX_PATH_PARTS;
}

/** The normal form of a path: no leading, trailing or doubled slash. */
export function normalizePath(path: string): string {
  return path.split("/").filter((part) => part !== "").join("/");
}

/** Control characters: C0, DEL and C1. Nobody reads or types them, and a log shows them as something else. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Percent-decodes a part of a URL, once. An encoded "%" stays a "%", whatever follows it.
 * @returns `undefined` if it does not decode to UTF-8, or has control characters.
 */
export function decodedOnce(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return CONTROL.test(decoded) ? undefined : decoded;
  } catch { // Not well-formed.
    return undefined;
  }
}

/**
 * The broadcast path in the path of a URL: decoded once, then normalised. An encoded slash is a slash, so a path has the same
 * normal form over HTTP, WebSocket and WebTransport, and in SETUP over raw QUIC.
 *
 * @param pathname Without its query.
 * @returns `undefined` if {@link decodedOnce} gives nothing, or a segment is "." or "..", which URLs resolve and paths do not.
 */
export function pathOfUrl(pathname: string): string | undefined {
  const decoded = decodedOnce(pathname);
  if (decoded === undefined) return undefined;
  const path = normalizePath(decoded);
  return path.split("/").some((part) => part === "." || part === "..") ? undefined : path;
}

/** A normalised path, encoded for a URL, without a leading slash. {@link pathOfUrl} reads it back. */
export function urlOfPath(path: string): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  // These need no encoding in a segment (RFC 3986, 3.3).
  return encoded.replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

/** Normalises a path that an application gives. @throws {RangeError} No peer would accept it. */
export function givenPath(path: string): string {
  const at = normalizePath(path);
  if (isPath(at)) return at;
  throw new RangeError(
    `Cannot use a path of ${at.length} characters and ${pathParts(at)} parts: ` +
      `at most ${MAX_NAME_BYTES} bytes of UTF-8 and ${MAX_PATH_PARTS} parts`,
  );
}

/** Checks the name of a track that an application gives. @throws {RangeError} No peer would accept it. */
export function givenName(name: string): string {
  if (isName(name)) return name;
  throw new RangeError(
    `Cannot use a track name of ${name.length} characters: at most ${MAX_NAME_BYTES} bytes of UTF-8`,
  );
}

/** Number of segments; 0 for the empty path. */
export function pathParts(path: string): number {
  return path === "" ? 0 : path.split("/").length;
}

/** Whether `prefix` covers `path` by whole segments: "foo" covers "foo" and "foo/bar", not "foobar". Both normalised. */
export function hasPrefix(path: string, prefix: string): boolean {
  return prefix === "" || path === prefix ||
    (path.startsWith(prefix) && path[prefix.length] === "/");
}

/** The part of `path` below `prefix`, or `undefined` if the prefix does not cover it. Both normalised. */
export function stripPrefix(path: string, prefix: string): string | undefined {
  if (!hasPrefix(path, prefix)) return undefined;
  return prefix === "" ? path : path.slice(prefix.length + 1);
}

/** Joins two normalised paths; either may be empty. */
export function joinPath(prefix: string, suffix: string): string {
  return prefix === "" ? suffix : suffix === "" ? prefix : `${prefix}/${suffix}`;
}

/** One key for a broadcast's path and the name of a track, whatever characters they have: those of moq-transport may hold any. */
export function trackKey(path: string, name: string): string {
  return `${path.length} ${path}${name}`;
}

/** Whether a segment of `suffix` starts with a dot. Such a broadcast is shown only to those who ask below that segment. */
export function isHidden(suffix: string): boolean {
  return suffix.startsWith(".") || suffix.includes("/.");
}

/** A path and every prefix of it by whole segments, longest first; the last is "". Normalised. */
export function* prefixesOf(path: string): Generator<string> {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) yield at;
  yield "";
}
