import type { Relay } from "./relay.ts";

/** One node: what runs in one thread. */
export interface NodeView {
  readonly relay: Relay;
  /** Handshakes that failed before there was a connection. */
  readonly quicHandshakesFailed: () => number;
  /** WebTransport requests by the status they were answered with. */
  readonly webTransportAnswers: () => ReadonlyMap<number, number>;
}
