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
import { alpnsOf, LITE_VERSIONS, versionsOf } from "../wire/versions.ts";
import { Client, type DialOptions } from "./client.ts";

/** How to connect to a relay. */
export interface ConnectOptions extends DialOptions {
  /**
   * SHA-256 of the only certificate to accept, in hexadecimal or as bytes. Its signer is not checked then. A function is called
   * before every attempt with the URL that is dialed, for certificates that are replaced and for several nodes. If it returns
   * `undefined`, the signer is checked.
   */
  readonly hash?: string | Uint8Array | ((url: URL) => HashAnswer | Promise<HashAnswer>);
  /** Further root certificates, PEM. Deno only. */
  readonly caCerts?: readonly string[];
  /** Further headers of the WebTransport request, names in lower case. Deno only. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest time for one attempt, in milliseconds. Default 10,000; 5,000 with a list of URLs. */
  readonly timeoutMs?: number;
  /**
   * Whether the relay is asked for the other nodes of its cluster (`GET /route`): when it takes nobody more, when it sends us
   * away, and after each connect, so that another node is known when this one is lost. Default: for a client that reconnects,
   * or has a list of URLs.
   */
  readonly route?: boolean;
  /** Where this client is, as the nodes of the cluster call it (`cluster.region`). Default: where the relay is that is asked. */
  readonly region?: string;
  /**
   * Browsers: after this long a WebSocket is tried beside WebTransport, in milliseconds; `Infinity` means never.
   * Default 1,000.
   */
  readonly webSocketAfterMs?: number;
  /**
   * Browsers: allows a WebSocket even with `hash`. A WebSocket cannot check the hash: the browser trusts it as it trusts pages of
   * that host. For pages that the relay itself serves. Default: no.
   */
  readonly webSocketUnpinned?: boolean;
  /**
   * Limits of the QUIC connection. Deno only; browsers choose for themselves. A client that reconnects takes a connection for
   * lost after 3 seconds of silence, if nothing else is set here, so that other nodes still have what it missed.
   */
  readonly transport?: TransportSettings;
}

/** What the `hash` function may return. */
export type HashAnswer = string | Uint8Array | undefined;

/**
 * Connects to a relay. The scheme of the URL decides how:
 *
 * - `https://` WebTransport;
 * - `moqt://` and `moql://` raw QUIC, in Deno only;
 * - `wss://` and `ws://` WebSocket, for networks without QUIC;
 * - `http://` for development: the certificate's hash is fetched from `/certificate.sha256` of the same host and port,
 *   then WebTransport with that certificate alone.
 *
 * Deno has QUIC with `--unstable-net`. Without it a WebSocket is used if possible. Browsers use their own WebTransport. If
 * there is none, or it does not connect in time, they use a WebSocket to the same host and port.
 *
 * The path of the URL is the prefix of every broadcast path of the session. Its query goes to the relay as it is.
 *
 * A list of URLs is tried in its order until a relay takes us. A client that reconnects goes to another of them when its relay
 * is lost, full or leaving; these come in random order, so that the clients of a lost relay spread. Nodes that the relay names
 * itself ({@link ConnectOptions.route}) are like those of the list; of their URLs host and port count. The token goes to no
 * others.
 *
 * @param url One, or the nodes of a cluster, the preferred one first.
 * @returns A client with an open session. The caller closes it.
 * @throws {CertificateRefused} @throws {RequestRefused} The server said why (Deno).
 * @throws {HandshakeFailed} The browser does not say why.
 * @throws {NoWebTransport} There is none in this browser or runtime.
 * @throws {ConnectFailed} The base of those above: unreachable, no answer in time, or aborted.
 * @throws {NoCommonVersion} The relay speaks none of the given versions.
 * @throws {RangeError} There is no such version, the hash is malformed, or the list is empty.
 */
export async function connect(
  url: string | URL | readonly (string | URL)[],
  options: ConnectOptions = {},
): Promise<Client> {
  const urls = [url].flat().map((one) => new URL(one as string | URL));
  const [first] = urls;
  if (first === undefined) throw new RangeError("Cannot connect: the list of URLs is empty");
  const { versions: names, hash, ...rest } = options;
  const versions = names === undefined ? LITE_VERSIONS : versionsOf(names);
  const protocols = alpnsOf(versions);
  const pin = typeof hash === "function" ? undefined : pinOf(hash);
  const dial = await dialerFor(first);
  const several = urls.length > 1;
  const defaults = {
    ...(several ? { timeoutMs: 5000 } : {}),
    ...(options.reconnect ? { transport: VIGILANT } : {}),
  };
  const dialer = async (target: URL, signal: AbortSignal) => {
    const pinned = typeof hash === "function" ? pinOf(await hash(target)) : pin;
    const settings = { ...defaults, ...rest, protocols, ...pinned, signal };
    return await dial(target, settings).catch((error: unknown) => {
      if (!(error instanceof ProtocolRefused)) throw error;
      throw new NoCommonVersion("others", versions.join(", "));
    });
  };
  // Loaded by those who may go on elsewhere alone.
  const elsewhere = several || options.reconnect
    ? (await import("./nodes/places.ts")).placesOf(urls, options)
    : undefined;
  const whole = elsewhere?.dialing(dialer) ?? dialer;
  return await Client.dial(first, whole, { ...rest, versions }, elsewhere);
}

/** How soon a loss is noticed by those who go on elsewhere. */
const VIGILANT: TransportSettings = { idleTimeoutMs: 3000, keepAliveMs: 750 };

/**
 * The dialer of this runtime. Deno's is loaded only when it is needed, so a browser never loads Deno's sockets. A bundler that
 * splits code puts them into a file that no browser requests. One that writes a single file needs
 * `--external ../transport/dial.ts`.
 */
async function dialerFor(url: URL): Promise<typeof dialFromBrowser> {
  const { Deno } = globalThis as { Deno?: object };
  if (Deno === undefined || !("QuicEndpoint" in Deno)) {
    requireTransport(url); // before anything else is used that this runtime may lack
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
