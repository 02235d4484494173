/**
 * QUIC's streams over a WebSocket, for whoever cannot come by QUIC: qmux, through `@moq/qmux`, on either side.
 *
 * @module
 */
import QmuxSession from "@moq/qmux";
import { BrowserConnection, type SessionTransport } from "../browser/browser_connection.ts";
import { SocketStream } from "./websocket_stream.ts";
import type { TransportSettings } from "../quic/quic_settings.ts";

/**
 * Versions of qmux, newest first. What came before them, "webtransport", is not among them: without flow control a peer could
 * fill this side's memory, and whoever speaks it speaks "qmux-00" as well.
 */
const QMUX_VERSIONS = ["qmux-02", "qmux-01", "qmux-00"];
/** What a peer may send ahead of its reader: on all streams, and on one. */
const CONNECTION_WINDOW_BYTES = 1 << 20;
const STREAM_WINDOW_BYTES = 256 << 10;
/** Silence after which the peer is held for gone. It is asked for a sign of life at a third of it. */
const SILENCE_MS = 30_000;

/**
 * The names of a WebSocket's subprotocols, best first: each version of MoQ in each version of qmux, newest version of MoQ
 * first, then the bare names of qmux, which leave the version of MoQ to SETUP.
 *
 * @param protocols MoQ's versions, newest first; the bare names are for "moql" alone.
 */
export function subprotocolsOf(protocols: readonly string[]): string[] {
  const named = protocols.flatMap((name) => QMUX_VERSIONS.map((qmux) => `${qmux}.${name}`));
  return protocols.includes("moql") ? [...named, ...QMUX_VERSIONS] : named;
}

/**
 * Which subprotocol of an offer is taken: the first of ours, whatever the order of the offer, so that nobody is talked down
 * to an older version than both sides know.
 *
 * @param offered The header `Sec-WebSocket-Protocol`.
 * @returns `undefined` when there is nothing in common, or no offer: the upgrade is to be refused.
 */
export function chooseSubprotocol(
  offered: string | null | undefined,
  protocols: readonly string[],
): string | undefined {
  const names = new Set((offered ?? "").split(",").map((name) => name.trim()));
  return subprotocolsOf(protocols).find((name) => names.has(name));
}

/** One WebSocket, and where it comes from. */
export interface WebSocketOptions {
  /** Which end of qmux this is. */
  readonly side: "client" | "server";
  /** Path and query that were dialed. */
  readonly path: string;
  /** "ip:port" of the peer. */
  readonly remoteAddress: string;
  /** The subprotocol, where the socket does not tell. */
  readonly subprotocol?: string;
  /** How many streams the peer may open; the rest is QUIC's. */
  readonly transport?: Pick<TransportSettings, "maxUniStreams" | "maxBidiStreams">;
  /** Ends the connection below at once, for sockets that cannot be closed in order. */
  readonly drop?: () => void;
  /** Called with each message that comes. */
  readonly heard?: () => void;
}

/**
 * A connection over a WebSocket that is open or opening. The socket belongs to it from now on.
 * @throws What kept the socket from opening.
 */
export async function overWebSocket(
  socket: WebSocket,
  options: WebSocketOptions,
): Promise<BrowserConnection> {
  const { side, subprotocol, drop, heard, transport: limits = {} } = options;
  const stream = new SocketStream(socket, {
    ...(subprotocol === undefined ? {} : { protocol: subprotocol }),
    ...(drop === undefined ? {} : { drop }),
    ...(heard === undefined ? {} : { heard }),
    stallMs: SILENCE_MS,
  });
  const config = {
    maxStreamsUni: BigInt(limits.maxUniStreams ?? 1000),
    maxStreamsBidi: BigInt(limits.maxBidiStreams ?? 200),
    maxData: BigInt(CONNECTION_WINDOW_BYTES),
    maxStreamDataBidiLocal: BigInt(STREAM_WINDOW_BYTES),
    maxStreamDataBidiRemote: BigInt(STREAM_WINDOW_BYTES),
    maxStreamDataUni: BigInt(STREAM_WINDOW_BYTES),
    maxIdleTimeout: BigInt(SILENCE_MS),
  };
  const session = side === "server"
    ? QmuxSession.accept(stream, { config })
    : new QmuxSession(stream, { config });
  await session.ready;
  const { path, remoteAddress } = options;
  // The same to whoever uses it; the types of streams differ in what nobody here asks of them.
  const transport = session as unknown as SessionTransport;
  return new BrowserConnection(transport, { kind: "websocket", path, remoteAddress });
}
