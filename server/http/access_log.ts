/**
 * One line of the log for every request: HTTP of both addresses, and what asks there for a WebSocket.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import { masked } from "../../base/masking.ts";
import type { Config } from "../../config/schema.ts";
import { type HttpApp, remoteOf } from "./http_listener.ts";
import { asksForWebSocket } from "./websocket_upgrade.ts";

/** Who asked for what, and what came of it. */
export interface Access {
  /** Where it was asked. */
  readonly at: "public" | "admin";
  readonly transport: "http" | "websocket" | "webtransport";
  readonly method: string;
  /** Path and query; tokens in it are masked here. */
  readonly path: string;
  readonly status: number;
  /** From the request until the answer began. */
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

  /** `app`, with a line for every request. */
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
