import { fetchHash } from "./fetched_hash.ts";
import type { Connection } from "./connection.ts";
import { ConnectFailed } from "./errors.ts";
import { connectQuic } from "./quic/quic.ts";
import {
  connectWebTransport,
  type WebTransportConnectOptions,
} from "./webtransport/webtransport_client.ts";

/**
 * Connects by the scheme of the URL: `https:` WebTransport; `moqt:` and `moql:` raw QUIC; `wss:` and `ws:` WebSocket; `http:` fetches the hash of the
 * server's certificate over plain HTTP from `/certificate.sha256`, then WebTransport with that certificate alone. The
 * last is for development: an attacker on the network path can replace the hash.
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
    case "wss:":
    case "ws:":
      // Loaded only when it is needed: qmux is large.
      return await (await import("./websocket/websocket_client.ts")).connectWebSocket(
        target,
        options,
      );
    case "moqt:":
    case "moql:":
      return await connectQuic(target, options);
    case "http:": {
      const signal = AbortSignal.any([
        AbortSignal.timeout(options.timeoutMs ?? 10_000),
        ...(options.signal ? [options.signal] : []),
      ]);
      const { url: secure, hash } = await fetchHash(target, signal);
      return await connectWebTransport(secure, { ...options, hash });
    }
    default:
      throw new ConnectFailed(
        target.href,
        `the scheme ${target.protocol} is unknown; use https:, http:, moqt:, moql:, wss: or ws:`,
      );
  }
}
