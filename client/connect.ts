/**
 * Dials a relay and starts a session with it.
 *
 * @module
 */
import type { TransportSettings } from "../transport/quic_settings.ts";
import { alpnsOf, type Dialect, dialectByName, DIALECTS } from "../wire/lite/dialect.ts";
import { Client, type ClientOptions } from "./client.ts";

/** How to reach a relay, and what to speak with it. */
export interface ConnectOptions extends Omit<ClientOptions, "versions" | "path"> {
  /** Versions by name ("moq-lite-05"), preferred first. Default: all, newest first. */
  readonly versions?: readonly string[];
  /** SHA-256 of the one certificate to accept, in hexadecimal or as bytes, instead of checking who signed it. */
  readonly hash?: string | Uint8Array;
  /** Further root certificates, PEM. */
  readonly caCerts?: readonly string[];
  /** Further headers of the WebTransport request, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives up when aborted; without effect once the session is up. */
  readonly signal?: AbortSignal;
  /** Gives up after this long, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  readonly transport?: TransportSettings;
}

/**
 * Connects to a relay. The scheme of the URL decides how:
 *
 * - `https://` WebTransport;
 * - `moqt://` and `moql://` raw QUIC;
 * - `http://` for development: the certificate's hash is fetched from `/certificate.sha256` of the same host and port,
 *   then WebTransport with that certificate alone.
 *
 * The path of the URL stands before every broadcast path of the session; its query goes to the relay as it is.
 *
 * @returns A live session. The caller closes it.
 * @throws {ConnectFailed} Refused, unreachable, wrong certificate, or an HTTP status other than 200 (`status`).
 * @throws {NoCommonVersion} The relay speaks none of the versions asked for.
 * @throws {RangeError} A version or hash that is none.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Client> {
  const { versions: names, hash, caCerts, headers, signal, timeoutMs, transport, ...rest } =
    options;
  const versions = names === undefined ? DIALECTS : names.map(versionOf);
  // Sockets are loaded when they are needed only: what runs over a connection works without them, in a browser too.
  const { dial } = await import("../transport/dial.ts");
  const connection = await dial(url, {
    protocols: alpnsOf(versions),
    ...(hash === undefined ? {} : { hash: hashOf(hash) }),
    ...(caCerts === undefined ? {} : { caCerts }),
    ...(headers === undefined ? {} : { headers }),
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(transport === undefined ? {} : { transport }),
  });
  const { pathname, search } = new URL(url);
  const path = connection.kind === "quic" ? { path: pathname + search } : {};
  return await Client.over(connection, { ...rest, ...path, versions });
}

function versionOf(name: string): Dialect {
  const dialect = dialectByName(name);
  if (dialect !== undefined) return dialect;
  const known = DIALECTS.map((d) => d.name).join(", ");
  throw new RangeError(`Cannot speak "${name}": there is no such version; known are ${known}`);
}

function hashOf(hash: string | Uint8Array): Uint8Array {
  if (typeof hash !== "string") return hash;
  const bare = hash.replaceAll(":", "");
  if (/^[0-9a-f]{64}$/i.test(bare)) return Uint8Array.fromHex(bare);
  throw new RangeError(
    `Cannot use "${hash}" as a certificate's SHA-256: it is 64 hexadecimal digits`,
  );
}
