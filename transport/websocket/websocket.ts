/**
 * Streams like those of QUIC over a WebSocket, for peers without QUIC: qmux, by `@moq/qmux`, on both sides.
 *
 * @module
 */
import QmuxSession from "@moq/qmux";
import { BrowserConnection, type SessionTransport } from "../browser/browser_connection.ts";
import { SocketStream } from "./websocket_stream.ts";
import type { TransportSettings } from "../quic/quic_settings.ts";

/**
 * Versions of qmux, newest first. Their predecessor "webtransport" is left out: it has no flow control, so a peer could fill
 * our memory. Peers with it also have "qmux-00".
 */
const QMUX_VERSIONS = ["qmux-02", "qmux-01", "qmux-00"];
/** Names of MoQ's versions that are settled by SETUP. */
const SETTLED_LATER: ReadonlySet<string> = new Set(["moql", "moq-00"]);
/** Windows of flow control: of all streams, and of one. */
const CONNECTION_WINDOW_BYTES = 1 << 20;
const STREAM_WINDOW_BYTES = 256 << 10;
/** A peer is lost after this silence. It gets a ping after a third of it. */
const SILENCE_MS = 30_000;

/**
 * The subprotocols of a WebSocket, best first: each version of MoQ in each version of qmux, newest version of MoQ first, then
 * the bare names of qmux, where SETUP has the version of MoQ.
 *
 * @param protocols MoQ's versions, newest first; the bare names are for those that SETUP settles.
 */
export function subprotocolsOf(protocols: readonly string[]): string[] {
  const named = protocols.flatMap((name) => QMUX_VERSIONS.map((qmux) => `${qmux}.${name}`));
  return protocols.some((name) => SETTLED_LATER.has(name)) ? [...named, ...QMUX_VERSIONS] : named;
}

/**
 * Chooses a subprotocol of an offer: the client's first version of MoQ that we know, in the newest common version of qmux.
 *
 * @param offered The header `Sec-WebSocket-Protocol`.
 * @returns `undefined` without a common one or without an offer: refuse the upgrade.
 */
export function chooseSubprotocol(
  offered: string | null | undefined,
  protocols: readonly string[],
): string | undefined {
  const known = subprotocolsOf(protocols);
  const names = (offered ?? "").split(",").map((name) => name.trim());
  const common = names.filter((name) => known.includes(name));
  // A bare name says nothing of the version: it comes last, wherever it stands.
  const first = common.find((name) => versionIn(name) !== "") ?? common[0];
  if (first === undefined) return undefined;
  const version = versionIn(first);
  return known.find((name) => versionIn(name) === version && common.includes(name));
}

/** The version of MoQ in a subprotocol; empty in a bare one. */
export function versionIn(subprotocol: string): string {
  return subprotocol.slice(subprotocol.indexOf(".") + 1 || subprotocol.length);
}

/** Facts about one WebSocket. */
export interface WebSocketOptions {
  /** Our side of qmux. */
  readonly side: "client" | "server";
  /** Path and query that were dialed. */
  readonly path: string;
  /** "ip:port" of the peer. */
  readonly remoteAddress: string;
  /** The subprotocol, where the socket does not have it. */
  readonly subprotocol?: string;
  /** How many streams the peer may open. Other settings are for QUIC only. */
  readonly transport?: Pick<TransportSettings, "maxUniStreams" | "maxBidiStreams">;
  /** Drops the TCP connection at once, for sockets that cannot be closed in order. */
  readonly drop?: () => void;
  /** Called with each message. */
  readonly heard?: () => void;
}

/**
 * A connection over a WebSocket that is open or opening. It owns the socket from now on.
 * @throws The reason why the socket did not open.
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
  // The same at run time; the types of streams differ in members that we do not use.
  const transport = session as unknown as SessionTransport;
  return new BrowserConnection(transport, { kind: "websocket", path, remoteAddress });
}
