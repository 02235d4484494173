/**
 * Takes in who comes by raw QUIC and by WebTransport on the same port.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { QuicListener } from "./quic.ts";
import type { QuicConnection } from "./quic_connection.ts";
import { acceptWebTransport, type WebTransportAcceptOptions } from "./webtransport_server.ts";

/** What is done with those who come. */
export interface AcceptOptions extends WebTransportAcceptOptions {
  /** A connection is up; it belongs to the callee. */
  readonly onConnection: (connection: Connection) => void;
  /** A WebTransport client got no session, for no fault of its own request. */
  readonly onFailure?: (remoteAddress: string, error: unknown) => void;
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
  try {
    const connection = await acceptWebTransport(quic, options);
    if (connection !== undefined) options.onConnection(connection);
  } catch (error) {
    options.onFailure?.(quic.remoteAddress, error);
    quic.close();
  }
}
