/**
 * Writes one log line per request: HTTP on both addresses, requests for a WebSocket, and WebTransport.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import { masked } from "../../base/masking.ts";
import type { Config } from "../../config/schema.ts";
import { type HttpApp, remoteOf } from "./http_listener.ts";
import { asksForWebSocket } from "./websocket_upgrade.ts";

/** One request and its answer. */
export interface Access {
  /** Which HTTP interface. */
  readonly at: "public" | "admin";
  readonly transport: "http" | "websocket" | "webtransport";
  readonly method: string;
  /** Path and query; tokens in it are masked before it is written. */
  readonly path: string;
  readonly status: number;
  /** Time until the answer began. */
  readonly durationMs: number;
  /** "ip:port" of the peer, where it is known. */
  readonly remote: string | undefined;
}

export class AccessLog {
  readonly #log: Logger;
  readonly #level: Config["logging"]["access"];

  constructor(log: Logger, level: Config["logging"]["access"]) {
    this.#log = log;
    this.#level = level;
  }

  write({ path, durationMs, ...access }: Access): void {
    if (this.#level === "off") return;
    this.#log[this.#level]("request", {
      ...access,
      path: masked(path),
      durationMs: Math.round(durationMs * 10) / 10,
    });
  }

  /** Wraps `app`: it writes a line per request. */
  around(app: HttpApp, at: Access["at"]): HttpApp {
    if (this.#level === "off") return app;
    return {
      fetch: async (request, peer) => {
        const { pathname, search } = new URL(request.url);
        const { method } = request;
        const startedAt = performance.now();
        let status = 500;
        try {
          const response = await app.fetch(request, peer);
          status = response.status;
          return response;
        } finally {
          this.write({
            at,
            transport: asksForWebSocket(request) ? "websocket" : "http",
            method,
            path: pathname + search,
            status,
            durationMs: performance.now() - startedAt,
            remote: remoteOf(peer) || undefined,
          });
        }
      },
    };
  }
}
