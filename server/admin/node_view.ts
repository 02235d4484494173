import type { Relay } from "../relay.ts";

/** One node: what runs in one thread. */
export interface NodeView {
  readonly relay: Relay;
  /** Handshakes that failed before there was a connection. */
  readonly quicHandshakesFailed: () => number;
  /** WebTransport requests by the status they were answered with. */
  readonly webTransportAnswers: () => ReadonlyMap<number, number>;
  /** The same of requests for a WebSocket; 200 stands for the upgrade. */
  readonly webSocketAnswers: () => ReadonlyMap<number, number>;
  /** Requests turned away before anything was served, by reason. */
  readonly refused: () => ReadonlyMap<string, number>;
  /** Failures that reached nobody. */
  readonly strayFailures: () => number;
}
