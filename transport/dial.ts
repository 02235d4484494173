import { reasonOf } from "../base/errors.ts";
import type { Connection } from "./connection.ts";
import { ConnectFailed } from "./errors.ts";
import { connectQuic } from "./quic.ts";
import { connectWebTransport, type WebTransportConnectOptions } from "./webtransport_client.ts";

/**
 * Connects by the scheme of the URL: `https:` WebTransport; `moqt:` and `moql:` raw QUIC; `http:` fetches the hash of the
 * server's certificate over plain HTTP from `/certificate.sha256`, then WebTransport with that certificate alone. The
 * last is for development: whoever sits between can swap the hash.
 *
 * @throws {ConnectFailed}
 */
export async function dial(
  url: string | URL,
  options: WebTransportConnectOptions,
): Promise<Connection> {
  const target = new URL(url);
  switch (target.protocol) {
    case "https:":
      return await connectWebTransport(target, options);
    case "moqt:":
    case "moql:":
      return await connectQuic(target, options);
    case "http:": {
      const hash = await fetchHash(target, options);
      // A URL cannot change its scheme to a special one from another port's default: spell the port out.
      const secure = `https://${target.hostname}:${target.port || 80}${target.pathname}`;
      return await connectWebTransport(secure + target.search, { ...options, hash });
    }
    default:
      throw new ConnectFailed(
        target.href,
        `the scheme ${target.protocol} is unknown; use https:, http:, moqt: or moql:`,
      );
  }
}

async function fetchHash(url: URL, options: WebTransportConnectOptions): Promise<Uint8Array> {
  const from = new URL("/certificate.sha256", url);
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.timeoutMs ?? 10_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  let text: string;
  try {
    const answer = await fetch(from, { signal });
    text = (await answer.text()).trim();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  } catch (cause) {
    const why = `its certificate's hash could not be fetched from ${from}: ${reasonOf(cause)}`;
    throw new ConnectFailed(url.href, why, undefined, { cause });
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new ConnectFailed(url.href, `${from} is not the SHA-256 of a certificate in hex`);
  }
  return Uint8Array.fromHex(text);
}
