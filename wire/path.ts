/**
 * Broadcast paths: segments joined by "/". Outer and doubled slashes do not count; bytes are compared as they are, with no
 * Unicode normalisation and no percent decoding. Spec: draft-lcurley-moq-lite, "Path".
 *
 * @module
 */

/** Most segments a path may have; more is a protocol violation. */
export const MAX_PATH_PARTS = 32;

/** The one spelling of a path: no leading, trailing or doubled slash. */
export function normalizePath(path: string): string {
  return path.split("/").filter((part) => part !== "").join("/");
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

/** What is left of `path` below `prefix`, or `undefined` when it is not covered. Both normalised. */
export function stripPrefix(path: string, prefix: string): string | undefined {
  if (!hasPrefix(path, prefix)) return undefined;
  return prefix === "" ? path : path.slice(prefix.length + 1);
}

/** Joins two normalised paths; either may be empty. */
export function joinPath(prefix: string, suffix: string): string {
  return prefix === "" ? suffix : suffix === "" ? prefix : `${prefix}/${suffix}`;
}

/** Whether a segment of `suffix` starts with a dot: such broadcasts are only shown to those who ask below it. */
export function isHidden(suffix: string): boolean {
  return suffix.startsWith(".") || suffix.includes("/.");
}
