/**
 * Dials a relay and starts a session with it.
 *
 * @module
 */
import { NoCommonVersion } from "../session/errors.ts";
import { dialFromBrowser, requireTransport } from "../transport/browser/browser_dial.ts";
import { parseHash } from "../transport/certificate_hash.ts";
import { ProtocolRefused } from "../transport/errors.ts";
import type { TransportSettings } from "../transport/quic/quic_settings.ts";
import { alpnsOf, VERSIONS, versionsOf } from "../wire/versions.ts";
import { Client, type DialOptions } from "./client.ts";

/** How to reach a relay, and what to speak with it. */
export interface ConnectOptions extends DialOptions {
  /**
   * SHA-256 of the one certificate to accept, in hexadecimal or as bytes, instead of checking who signed it. A function is
   * called before every attempt, for certificates that are replaced; `undefined` from it checks who signed it after all.
   */
  readonly hash?: string | Uint8Array | (() => HashAnswer | Promise<HashAnswer>);
  /** Further root certificates, PEM. Deno only. */
  readonly caCerts?: readonly string[];
  /** Further headers of the WebTransport request, names in lower case. Deno only. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives an attempt up after this long, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /**
   * Browsers: how long WebTransport has before a WebSocket is tried beside it, in milliseconds; `Infinity` for never.
   * Default 1,000.
   */
  readonly webSocketAfterMs?: number;
  /**
   * Browsers: with `hash`, lets a WebSocket stand in all the same, which the browser trusts or not as it does pages of that
   * host. For pages that the relay itself serves. Default: not, because a WebSocket cannot check the hash.
   */
  readonly webSocketUnpinned?: boolean;
  /** Limits of the QUIC connection. Deno only; browsers choose for themselves. */
  readonly transport?: TransportSettings;
}

/** What `hash` may call back with. */
export type HashAnswer = string | Uint8Array | undefined;

/**
 * Connects to a relay. The scheme of the URL decides how:
 *
 * - `https://` WebTransport;
 * - `moqt://` and `moql://` raw QUIC, in Deno only;
 * - `wss://` and `ws://` WebSocket, for where QUIC does not get through;
 * - `http://` for development: the certificate's hash is fetched from `/certificate.sha256` of the same host and port,
 *   then WebTransport with that certificate alone.
 *
 * Deno has QUIC with `--unstable-net`; without it a WebSocket takes its place where it can. In browsers the browser's own
 * WebTransport is used, and a WebSocket to the same host and port where there is none, or none that is up in time.
 *
 * The path of the URL stands before every broadcast path of the session; its query goes to the relay as it is.
 *
 * @returns A live session. The caller closes it.
 * @throws {CertificateRefused} @throws {RequestRefused} The server said why (Deno).
 * @throws {HandshakeFailed} The browser does not say why.
 * @throws {NoWebTransport} There is none in this browser or runtime.
 * @throws {ConnectFailed} Base of the above: unreachable, no answer in time, given up.
 * @throws {NoCommonVersion} The relay speaks none of the versions asked for.
 * @throws {RangeError} A version or hash that is none.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Client> {
  const {
    versions: names,
    hash,
    caCerts,
    headers,
    timeoutMs,
    transport,
    webSocketAfterMs,
    webSocketUnpinned,
    ...rest
  } = options;
  const versions = names === undefined ? VERSIONS : versionsOf(names);
  const how = {
    protocols: alpnsOf(versions),
    ...(caCerts === undefined ? {} : { caCerts }),
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(transport === undefined ? {} : { transport }),
    ...(webSocketAfterMs === undefined ? {} : { webSocketAfterMs }),
    ...(webSocketUnpinned === undefined ? {} : { webSocketUnpinned }),
  };
  const pin = typeof hash === "function" ? undefined : pinOf(hash);
  const dial = await dialerFor(new URL(url));
  const dialer = async (target: URL, signal: AbortSignal) => {
    const pinned = typeof hash === "function" ? pinOf(await hash()) : pin;
    return await dial(target, { ...how, ...pinned, signal }).catch((error: unknown) => {
      if (!(error instanceof ProtocolRefused)) throw error;
      throw new NoCommonVersion("others", versions.join(", "));
    });
  };
  return await Client.dial(url, dialer, { ...rest, versions });
}

/**
 * The dialers of where this runs. Deno's are loaded when they are needed only: in browsers, and in bundles for them, nothing
 * of Deno's sockets is reached. A bundler that splits code leaves them in a file that no browser asks for; one that writes a
 * single file is told `--external ../transport/dial.ts`.
 */
async function dialerFor(url: URL): Promise<typeof dialFromBrowser> {
  const { Deno } = globalThis as { Deno?: object };
  if (Deno === undefined || !("QuicEndpoint" in Deno)) {
    requireTransport(url); // told before anything that such a runtime may lack as well is used
    return dialFromBrowser;
  }
  return (await import("../transport/dial.ts")).dial;
}

/** @throws {RangeError} */
function pinOf(hash: HashAnswer): { readonly hash?: Uint8Array } {
  if (hash === undefined) return {};
  const bytes = typeof hash === "string" ? parseHash(hash) : hash;
  if (bytes !== undefined) return { hash: bytes };
  throw new RangeError(
    `Cannot use "${hash}" as a certificate's SHA-256: it is 64 hexadecimal digits`,
  );
}
