/**
 * The names of the versions of MoQ. How they work is in the folder of their protocol.
 *
 * @module
 */

/** The versions of moq-lite, newest first. A client offers these unless it is told otherwise. */
export const LITE_VERSIONS = [
  "moq-lite-06",
  "moq-lite-05",
  "moq-lite-04",
  "moq-lite-03",
  "moq-lite-02",
  "moq-lite-01",
] as const;

/**
 * The drafts of the IETF's moq-transport. Where the server's order counts (raw QUIC), the drafts that most peers were tested
 * with go first, the even ones before those that nobody aims at.
 */
export const IETF_VERSIONS: readonly IetfVersion[] = [
  "moq-transport-18",
  "moq-transport-16",
  "moq-transport-22",
  "moq-transport-20",
  "moq-transport-19",
  "moq-transport-21",
  "moq-transport-17",
  "moq-transport-15",
  "moq-transport-14",
];

/** A version of moq-lite by its name. */
export type LiteVersionName = typeof LITE_VERSIONS[number];
/** A draft of moq-transport by its name. */
export type IetfVersion = `moq-transport-${14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22}`;
/** A version by its name, as in configuration and logs: "moq-lite-05", "moq-transport-18". */
export type Version = LiteVersionName | IetfVersion;

/** Every version, in the order a server prefers them. moq-lite goes first: it says more about routes. */
export const VERSIONS: readonly Version[] = [...LITE_VERSIONS, ...IETF_VERSIONS];

const IETF = "moq-transport-";
/** Old versions share a name, and SETUP decides between them. All others are negotiated by names of their own. */
const ALPN: Partial<Record<Version, string>> = {
  "moq-lite-02": "moql",
  "moq-lite-01": "moql",
  "moq-transport-14": "moq-00",
};

/** Whether a version is a draft of moq-transport. */
export function isIetf(version: Version): version is IetfVersion {
  return version.startsWith(IETF);
}

/** Whether a session of a draft of moq-transport may come about under a protocol's name. Some names leave it to SETUP. */
export function isIetfProtocol(protocol: string): boolean {
  return !protocol.startsWith("moq-lite-");
}

/** The name that a version is negotiated by: ALPN, or WebTransport protocol. */
export function alpnOf(version: Version): string {
  return ALPN[version] ?? version.replace(IETF, "moqt-");
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
