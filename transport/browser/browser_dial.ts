/**
 * How a browser dials a relay: WebTransport, or WebSocket where WebTransport is missing or does not work.
 *
 * @module
 */
import { dialBrowser, requireWebTransport } from "./browser.ts";
import type { Connection } from "../connection.ts";
import { ConnectFailed } from "../errors.ts";
import type { WebTransportConnectOptions } from "../webtransport/webtransport_client.ts";

/** How a browser dials. */
export interface BrowserDialOptions extends WebTransportConnectOptions {
  /** How long WebTransport is tried before a WebSocket is tried as well; `Infinity` for never. Default 1,000. */
  readonly webSocketAfterMs?: number;
  /** Whether a WebSocket may replace WebTransport with a pinned certificate. It cannot check the hash. Default: no. */
  readonly webSocketUnpinned?: boolean;
}

/**
 * Connects from a browser: `https:` and `http:` by WebTransport or by WebSocket, whichever is up first after WebTransport had
 * a head start; `wss:` and `ws:` by WebSocket alone. With a pinned certificate only WebTransport can check it.
 *
 * @throws {ConnectFailed} Why WebTransport failed, where it was tried.
 */
export async function dialFromBrowser(
  url: string | URL,
  options: BrowserDialOptions,
): Promise<Connection> {
  const asked = new URL(url);
  if (asked.protocol === "ws:" || asked.protocol === "wss:") {
    return await dialWebSocket(asked, options);
  }
  const { webSocketAfterMs = 1000, webSocketUnpinned = false, ...rest } = options;
  const { hash: _, ...unpinned } = rest;
  const forWebSocket = webSocketUnpinned ? unpinned : rest;
  if (!canUseWebSocket(asked, forWebSocket, webSocketAfterMs)) {
    return await dialBrowser(asked, rest);
  }
  if (typeof globalThis.WebTransport !== "function") {
    return await dialWebSocket(asked, forWebSocket);
  }
  return await race(asked, { options: rest, forWebSocket, headStartMs: webSocketAfterMs });
}

/** @throws {NoWebTransport} There is neither WebTransport nor WebSocket. */
export function requireTransport(url: URL): void {
  if (typeof globalThis.WebSocket !== "function") requireWebTransport(url);
}

function canUseWebSocket(
  url: URL,
  { hash }: WebTransportConnectOptions,
  afterMs: number,
): boolean {
  const known = url.protocol === "https:" || url.protocol === "http:";
  const here = typeof globalThis.WebSocket === "function";
  return known && here && hash === undefined && afterMs !== Infinity;
}

/** The first open connection; the other is closed. When both fail, the error is that of WebTransport. */
async function race(
  url: URL,
  { options, forWebSocket, headStartMs }: {
    readonly options: WebTransportConnectOptions;
    readonly forWebSocket: WebTransportConnectOptions;
    readonly headStartMs: number;
  },
): Promise<Connection> {
  const end = new AbortController();
  const signal = AbortSignal.any([end.signal, ...(options.signal ? [options.signal] : [])]);
  const start = Promise.withResolvers<void>();
  const late = setTimeout(start.resolve, headStartMs);
  const webTransport = dialBrowser(url, { ...options, signal });
  webTransport.catch(start.resolve); // it has failed: start at once
  const webSocket = start.promise.then(() => {
    end.signal.throwIfAborted();
    return dialWebSocket(url, { ...forWebSocket, signal });
  });
  const ways = [webTransport, webSocket];
  try {
    const winner = await Promise.any(ways);
    for (const way of ways) {
      // It opened too late: close it.
      way.then((connection) => connection !== winner && connection.close(), () => {});
    }
    return winner;
  } catch (thrown) {
    if (thrown instanceof AggregateError) throw thrown.errors[0];
    throw new ConnectFailed(url.href, "no way leads there", undefined, { cause: thrown });
  } finally {
    clearTimeout(late);
    end.abort(new DOMException("another way was faster", "AbortError"));
    start.resolve();
  }
}

/** Loads the WebSocket code on demand: most browsers never need it. */
async function dialWebSocket(url: URL, options: WebTransportConnectOptions): Promise<Connection> {
  const { connectWebSocket } = await import("../websocket/websocket_client.ts");
  return await connectWebSocket(url, options);
}
