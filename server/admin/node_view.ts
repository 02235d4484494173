import type { Admission } from "../admission.ts";
import type { Relay } from "../relay.ts";

/** One node: what runs in one thread. */
export interface NodeView {
  readonly relay: Relay;
  /** Lets people in to everything but the admin interface, and counts those it turns away. */
  readonly admission: Pick<Admission, "admit" | "foreign" | "pages" | "refused">;
  /** QUIC handshakes that failed before there was a connection. */
  readonly handshakesFailed: number;
  /** WebTransport requests by the status they were answered with. */
  readonly webTransportAnswers: ReadonlyMap<number, number>;
  /** Requests for a WebSocket by the status they were answered with; 200 stands for the upgrade. */
  readonly webSocketAnswers: ReadonlyMap<number, number>;
  /** Counts failures that reached nobody. Absent where nobody watches for them. */
  readonly strays?: { readonly count: number } | undefined;
}
