/**
 * Which way a browser takes to a relay: WebTransport, and WebSocket where that is missing or does not come through.
 *
 * @module
 */
import { dialBrowser, requireWebTransport } from "./browser.ts";
import type { Connection } from "../connection.ts";
import { ConnectFailed } from "../errors.ts";
import type { WebTransportConnectOptions } from "../webtransport/webtransport_client.ts";

/** How a browser dials. */
export interface BrowserDialOptions extends WebTransportConnectOptions {
  /** How long WebTransport has before a WebSocket is tried beside it; `Infinity` for never. Default 1,000. */
  readonly webSocketAfterMs?: number;
  /** Whether a WebSocket may stand in for a pinned WebTransport, though it cannot check the hash. Default: not. */
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

/** @throws {NoWebTransport} Neither WebTransport nor what stands in for it is here. */
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

/** The first that is up; the other is given up. When both fail, why WebTransport did. */
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
  webTransport.catch(start.resolve); // It has failed: no need to wait longer.
  const webSocket = start.promise.then(() => {
    end.signal.throwIfAborted();
    return dialWebSocket(url, { ...forWebSocket, signal });
  });
  const ways = [webTransport, webSocket];
  try {
    const winner = await Promise.any(ways);
    for (const way of ways) {
      // Too late by a moment: it is closed as soon as it is up.
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

/** What it takes is loaded when it is needed: most browsers never ask for it. */
async function dialWebSocket(url: URL, options: WebTransportConnectOptions): Promise<Connection> {
  const { connectWebSocket } = await import("../websocket/websocket_client.ts");
  return await connectWebSocket(url, options);
}
