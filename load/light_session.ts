/**
 * Sessions that only subscribe and keep no groups: they have no origin, no rings and no pool. They are for programs that play
 * thousands of viewers. Everybody else wants {@link connect} of the library.
 *
 * @module
 */
import { parseHash } from "../transport/certificate_hash.ts";
import { fetchHash } from "../transport/fetched_hash.ts";
import { dial } from "../transport/dial.ts";
import type { TransportSettings } from "../transport/quic/quic_settings.ts";
import { alpnOf, alpnsOf, isIetf, LITE_VERSIONS, versionsOf } from "../wire/versions.ts";
import { LightIetf } from "./light_ietf.ts";
import { LightLite } from "./light_lite.ts";
import type { LightSession } from "./light.ts";

/** Where to dial, computed once for many sessions. Plain data: it can be sent to another process. */
export interface LightTarget {
  /** `https:` or `moqt:`. */
  readonly url: string;
  /** SHA-256 of the one certificate to accept, in hexadecimal. */
  readonly hash?: string;
  readonly caCerts?: readonly string[];
  /** Names of the versions to offer; all if absent. */
  readonly versions?: readonly string[];
}

/**
 * Makes a target of a user's input. For an `http:` URL it fetches the certificate's hash, once for all sessions.
 * @param transport Overrules the scheme: the same host and port by raw QUIC or by WebTransport.
 * @throws {ConnectFailed}
 */
export async function lightTarget(
  target: LightTarget,
  transport?: "quic" | "webtransport",
): Promise<LightTarget> {
  let url = new URL(target.url);
  let { hash } = target;
  const asked = url.protocol === "http:" || url.protocol === "https:" ? "webtransport" : "quic";
  if (url.protocol === "http:") {
    const pinned = await fetchHash(url, AbortSignal.timeout(10_000));
    url = pinned.url;
    hash ??= pinned.hash.toHex();
  }
  const scheme = (transport ?? asked) === "quic" ? "moqt" : "https";
  const port = url.port || "443";
  return {
    ...target,
    url: `${scheme}://${url.hostname}:${port}${url.pathname || "/"}${url.search}`,
    ...(hash === undefined ? {} : { hash }),
  };
}

/** How one session dials. */
export interface LightOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  readonly transport?: TransportSettings;
  readonly signal?: AbortSignal;
}

/** Dials and negotiates the version. @throws {ConnectFailed} @throws {NoCommonVersion} */
export async function dialLight(
  target: LightTarget,
  options: LightOptions = {},
): Promise<LightSession> {
  const { url, hash, caCerts } = target;
  const versions = versionsOf(target.versions ?? LITE_VERSIONS);
  const pinned = hash === undefined ? undefined : parseHash(hash);
  const connection = await dial(url, {
    ...options,
    protocols: alpnsOf(versions),
    ...(pinned === undefined ? {} : { hash: pinned }),
    ...(caCerts === undefined ? {} : { caCerts }),
  });
  const { pathname, search } = new URL(url);
  const path = connection.kind === "quic" ? pathname + search : undefined;
  try {
    // Where the transport names no protocol, SETUP settles the version.
    const named = versions.find((version) => alpnOf(version) === connection.protocol);
    return isIetf(named ?? versions[0]!)
      ? await LightIetf.over(connection, versions, path)
      : await LightLite.over(connection, versions, path);
  } catch (error) {
    connection.close();
    throw error;
  }
}
