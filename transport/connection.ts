/**
 * The interface of every transport: streams in both directions, datagrams, close. It has nothing of MoQ.
 * Implemented by raw QUIC, WebTransport, and a connected pair in memory for tests.
 *
 * @module
 */

/** The transport of a peer. */
export type TransportKind = "quic" | "webtransport" | "websocket" | "memory";

/** The end of a connection. `code` is the peer's or ours; 0 is a normal end. */
export interface CloseInfo {
  /** The application's code, 0 … 2^32-1. */
  readonly code: number;
  /** For people; may be empty. */
  readonly reason: string;
  /** True when it ended without a close: idle timeout, lost network, killed process. */
  readonly abrupt: boolean;
}

/** Options for opening a stream. */
export interface StreamOptions {
  /** Higher goes first when the connection is congested; any 32-bit signed integer. */
  readonly sendOrder?: number;
}

/** A connection to one peer, by any transport. The owner calls {@link Connection.close} in the end. */
export interface Connection {
  /** Its transport. */
  readonly kind: TransportKind;
  /** The MoQ protocol both ends agreed on ("moq-lite-05", "moql", …), or "" when none was named. */
  readonly protocol: string;
  /** Path and query of the dialed URL; "/" where the transport does not have them. */
  readonly path: string;
  /** "ip:port" of the peer, for logs; a name for in-memory ends. */
  readonly remoteAddress: string;
  /** Largest datagram payload in bytes at the moment; 0 without datagrams. */
  readonly maxDatagramBytes: number;
  /** Fulfils (never rejects) once the connection has ended. */
  readonly closed: Promise<CloseInfo>;

  /** Opens a stream, waiting for the peer's credit. @throws {ConnectionClosed} */
  openBidi(options?: StreamOptions): Promise<BidiStream>;
  /** Opens a stream, waiting for the peer's credit. @throws {ConnectionClosed} */
  openUni(options?: StreamOptions): Promise<SendStream>;
  /** The next stream the peer opened, or `undefined` once the connection has ended. */
  acceptBidi(): Promise<BidiStream | undefined>;
  /** The next stream the peer opened, or `undefined` once the connection has ended. */
  acceptUni(): Promise<ReceiveStream | undefined>;
  /** Sends or drops; never waits and never throws. Returns false if it dropped: too large, or the connection is closed. */
  sendDatagram(payload: Uint8Array): boolean;
  /** The next datagram, or `undefined` once the connection has ended. The bytes belong to the caller. */
  readDatagram(): Promise<Uint8Array | undefined>;
  /** Asks the peer to leave by a message of the transport; absent where it has none. The connection stays open. */
  drain?(): void;
  /** Fulfils (never rejects) when the peer asks us to leave by a message of the transport; absent where it has none. */
  readonly draining?: Promise<unknown>;
  /** Closes the connection and its streams. Only the first call counts. */
  close(code?: number, reason?: string): void;
}

/** Both halves of a bidirectional stream. */
export interface BidiStream {
  /** What we send. */
  readonly send: SendStream;
  /** What the peer sends. */
  readonly receive: ReceiveStream;
}

/**
 * The sending half of a stream. Made for one writer that never waits per chunk: `write` queues, `blocked` tells when to
 * stop, `onWritable` when to go on. Hold a reference as long as the stream should live: a collected one is finished.
 */
export interface SendStream {
  /**
   * Gives bytes to the transport, which reads them until the write is done (`blocked` turns false): do not change them
   * before. Never throws; a failure shows in `closed`. Ignored after `finish`, `reset` or a failure.
   */
  write(bytes: Uint8Array): void;
  /** True while an earlier write is not done. */
  readonly blocked: boolean;
  /** True once writing has ended: finished, reset, stopped by the peer, or the connection is gone. */
  readonly done: boolean;
  /** Calls back once when `blocked` has turned false or the stream has failed; replaces an earlier callback. */
  onWritable(callback: () => void): void;
  /** Writes and waits until the transport has taken the bytes. @throws {StreamClosed} */
  flush(bytes?: Uint8Array): Promise<void>;
  /** Ends the stream in order (FIN) after what was written. Never throws. */
  finish(): void;
  /** False where the transport has no reset: there `reset` is the same as `finish`, so cut a message in its middle first. */
  readonly canReset: boolean;
  /** Abandons the stream with a code. Never throws. */
  reset(code: number): void;
  /** Fulfils (never rejects) when the sending side is over: "finished" by us, "reset" by us, "stopped" by the peer, or "lost". */
  readonly closed: Promise<SendEnd>;
  /** Changes the priority of bytes that are not sent yet. */
  setSendOrder(order: number): void;
}

/** How a sending half ended. */
export type SendEnd = "finished" | "reset" | "stopped" | "lost";

/** The receiving half of a stream. One reader. */
export interface ReceiveStream {
  /**
   * The next bytes, never empty; `undefined` at the end in order (FIN). The bytes belong to the caller.
   * @throws {StreamReset} The peer abandoned the stream.
   * @throws {ConnectionClosed} The connection ended first.
   */
  read(): Promise<Uint8Array | undefined>;
  /** Tells the peer to stop sending. Never throws; a pending `read` ends. */
  stop(code: number): void;
}
