/**
 * Takes in who comes by raw QUIC and by WebTransport on the same port.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { QuicListener } from "./quic/quic.ts";
import type { QuicConnection } from "./quic/quic_connection.ts";
import {
  acceptWebTransport,
  type WebTransportAcceptOptions,
  type WebTransportAnswer,
  type WebTransportRequest,
} from "./webtransport/webtransport_server.ts";

/** An answer, and who takes the session that comes of it. */
export interface AcceptAnswer extends WebTransportAnswer {
  /** Gets the connection in place of {@link AcceptOptions.onConnection}. */
  readonly onConnection?: (connection: Connection) => void;
}

/** What is done with those who come. */
export interface AcceptOptions extends WebTransportAcceptOptions {
  /** Asked once per request whose form and protocol are good. */
  decide(request: WebTransportRequest): AcceptAnswer | Promise<AcceptAnswer>;
  /** A connection is up; it belongs to the callee. */
  readonly onConnection: (connection: Connection) => void;
  /**
   * A WebTransport client begins to open its session. @returns Called when that is over; `undefined` turns it away.
   */
  readonly begin?: (remoteAddress: string) => (() => void) | undefined;
  /** A WebTransport client got no session, for no fault of its own request. */
  readonly onFailure?: (remoteAddress: string, error: unknown) => void;
  /** A connection for WebTransport has ended, and nobody has asked for a session on it. */
  readonly onNothingAsked?: (remoteAddress: string) => void;
}

/** Fulfils when the listener has stopped. */
export async function acceptConnections(
  listener: QuicListener,
  options: AcceptOptions,
): Promise<void> {
  for await (const connection of listener) {
    if (connection.protocol === "h3") void openWebTransport(connection, options);
    else options.onConnection(connection);
  }
}

async function openWebTransport(quic: QuicConnection, options: AcceptOptions): Promise<void> {
  let take = options.onConnection;
  let asked = false;
  const decide = async (request: WebTransportRequest) => {
    asked = true;
    const answer = await options.decide(request);
    take = answer.onConnection ?? options.onConnection; // the last one decided on is the one that comes
    return answer;
  };
  const over = options.begin === undefined ? () => {} : options.begin(quic.remoteAddress);
  if (over === undefined) return quic.close();
  try {
    const connection = await acceptWebTransport(quic, { ...options, decide }).finally(over);
    if (connection !== undefined) take(connection);
    else if (!asked) options.onNothingAsked?.(quic.remoteAddress);
  } catch (error) {
    options.onFailure?.(quic.remoteAddress, error);
    quic.close();
  }
}
