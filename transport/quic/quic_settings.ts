/** Settings of QUIC connections. */
export interface TransportSettings {
  /** A connection is lost after this silence; the lower value of both ends counts. Default 10,000. */
  readonly idleTimeoutMs?: number;
  /** Sends something at least this often; must be well below the idle timeout; 0 for never. Default 4,000. */
  readonly keepAliveMs?: number;
  /** Unidirectional streams the peer may have open. Each costs memory in every idle connection. Default 500. */
  readonly maxUniStreams?: number;
  /** Bidirectional streams the peer may have open. Default 100. */
  readonly maxBidiStreams?: number;
  /** Default "bbr": it keeps queues short. "default" is the choice of Deno, which is CUBIC today. */
  readonly congestionControl?: "bbr" | "cubic" | "default";
}

/** The same settings for Deno. @internal */
export function denoTransport(settings: TransportSettings = {}): Deno.QuicTransportOptions {
  const keepAliveMs = settings.keepAliveMs ?? 4_000;
  return {
    maxIdleTimeout: settings.idleTimeoutMs ?? 10_000,
    ...(keepAliveMs > 0 ? { keepAliveInterval: keepAliveMs } : {}),
    maxConcurrentUnidirectionalStreams: settings.maxUniStreams ?? 500,
    maxConcurrentBidirectionalStreams: settings.maxBidiStreams ?? 100,
    congestionControl: CONTROL[settings.congestionControl ?? "bbr"],
  };
}

/** Deno names the purpose; in its source "low-latency" is quinn's BBR and "throughput" its CUBIC. */
const CONTROL = { bbr: "low-latency", cubic: "throughput", default: "default" } as const;
