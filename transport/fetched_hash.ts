/**
 * Fetches the SHA-256 of a certificate from a relay under development.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { parseHash } from "./certificate_hash.ts";
import { ConnectFailed } from "./errors.ts";
import { textWithin } from "./text_within.ts";

/** Longest answer that is read. */
const MAX_HASH_BYTES = 1024;

/** What to dial for a development URL: the same host by `https:`, and its only accepted certificate. */
export interface PinnedUrl {
  readonly url: URL;
  readonly hash: Uint8Array<ArrayBuffer>;
}

/** The reason in an error of Deno's `fetch`, whose own message is only "fetch failed". */
function causeOf(thrown: unknown): string {
  const deeper = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const said = reasonOf(deeper);
  // "error sending request for url (…): client error (Connect): tcp connect error: Connection refused (os error 111)"
  return /client error \(Connect\): (.+)$/.exec(said)?.[1] ?? said;
}

/**
 * Fetches the hash of the certificate of an `http:` URL's host from `/certificate.sha256`. An attacker on the network path can replace it.
 * @throws {ConnectFailed}
 */
export async function fetchHash(url: URL, signal: AbortSignal): Promise<PinnedUrl> {
  const from = new URL("/certificate.sha256", url);
  let text: string;
  try {
    // Nobody is asked but the host that the URL names, and a hash is short.
    const answer = await fetch(from, { signal, cache: "no-store", redirect: "error" });
    text = (await textWithin(answer, MAX_HASH_BYTES)).trim();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  } catch (cause) {
    const why = `its certificate's hash could not be fetched from ${from}: ${causeOf(cause)}`;
    throw new ConnectFailed(url.href, why, undefined, { cause });
  }
  const hash = parseHash(text);
  if (hash === undefined) {
    throw new ConnectFailed(url.href, `${from} is not the SHA-256 of a certificate in hex`);
  }
  // The port must be explicit: a change of the scheme would change a default port.
  const secure = `https://${url.hostname}:${url.port || 80}${url.pathname}${url.search}`;
  return { url: new URL(secure), hash };
}
