/**
 * Accepts raw QUIC and WebTransport on the same port.
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

/** The answer to a request, and who takes its session. */
export interface AcceptAnswer extends WebTransportAnswer {
  /** Gets the connection in place of {@link AcceptOptions.onConnection}. */
  readonly onConnection?: (connection: Connection) => void;
}

/** How connections are accepted. */
export interface AcceptOptions extends WebTransportAcceptOptions {
  /** Called once per well-formed request with a known protocol. */
  decide(request: WebTransportRequest): AcceptAnswer | Promise<AcceptAnswer>;
  /** Gets each open connection and owns it. */
  readonly onConnection: (connection: Connection) => void;
  /**
   * Called when a WebTransport client connects. @returns Is called when its session is open or failed; `undefined` refuses it.
   */
  readonly begin?: (remoteAddress: string) => (() => void) | undefined;
  /** Called when a WebTransport session could not be opened, although the request was good. */
  readonly onFailure?: (remoteAddress: string, error: unknown) => void;
  /** Called when a connection for WebTransport has ended without a request. */
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
    take = answer.onConnection ?? options.onConnection; // the last decision is the one for this session
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
