import { QumoError } from "../base/errors.ts";

/** The peer abandoned one stream. The number is the peer's own, 0 where the transport hides it. */
export class StreamReset extends QumoError {
  readonly code = "QUMO_STREAM_RESET";
  constructor(readonly peerCode: number, options?: ErrorOptions) {
    super(`Peer reset the stream with code ${peerCode}`, options);
  }
}

/** Something was asked of a stream whose sending side is over. */
export class StreamClosed extends QumoError {
  readonly code = "QUMO_STREAM_CLOSED";
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot write to the stream: ${why}`, options);
  }
}

/** Something was asked of a connection that has ended. */
export class ConnectionClosed extends QumoError {
  readonly code = "QUMO_CONNECTION_CLOSED";
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot use the connection: ${why}`, options);
  }
}

/** No connection came about: refused, unreachable, wrong certificate, no common protocol, HTTP status. */
export class ConnectFailed extends QumoError {
  readonly code = "QUMO_CONNECT_FAILED";
  constructor(readonly url: string, why: string, readonly status?: number, options?: ErrorOptions) {
    super(`Cannot connect to ${url}: ${why}`, options);
  }
}
