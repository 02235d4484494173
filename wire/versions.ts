/**
 * The names of the versions of MoQ. How they work is in the folder of their protocol.
 *
 * @module
 */

/** Every version, newest first. They are offered in this order. */
export const VERSIONS = [
  "moq-lite-06",
  "moq-lite-05",
  "moq-lite-04",
  "moq-lite-03",
  "moq-lite-02",
  "moq-lite-01",
] as const;

/** A version by its name, as in configuration and logs: "moq-lite-05". */
export type Version = typeof VERSIONS[number];

/** Old versions share a name, and SETUP decides between them. All others are negotiated by their own names. */
const ALPN: Partial<Record<Version, string>> = { "moq-lite-02": "moql", "moq-lite-01": "moql" };

/** The name that a version is negotiated by: ALPN, or WebTransport protocol. */
export function alpnOf(version: Version): string {
  return ALPN[version] ?? version;
}

/** The names to offer for a choice of versions, each once, in the same order. */
export function alpnsOf(versions: readonly Version[]): string[] {
  return [...new Set(versions.map(alpnOf))];
}

/** Checks the names of versions. @throws {RangeError} There is no such version. */
export function versionsOf(names: readonly string[]): readonly Version[] {
  const known: readonly string[] = VERSIONS;
  const wrong = names.find((name) => !known.includes(name));
  if (wrong === undefined) return names as readonly Version[];
  throw new RangeError(
    `Cannot speak "${wrong}": there is no such version; known are ${VERSIONS.join(", ")}`,
  );
}
