/**
 * Decides who may ask the admin interface for what, and which web pages may read its answers.
 *
 * @module
 */
import type { Context } from "hono";
import { isIpAddress, isLoopback, unbracketed } from "../../config/address.ts";
import type { ServerView } from "./server_view.ts";
import { bearerOf } from "../auth/request.ts";
import { isLocal } from "../http/routing.ts";
import { type Access, failure } from "./routes/route.ts";
import type { AdminToken } from "./token.ts";

export class Guard {
  readonly #view: ServerView;
  readonly #token: AdminToken;
  /** Only this machine reaches the address. */
  readonly #local: boolean;

  constructor(view: ServerView, token: AdminToken) {
    this.#view = view;
    this.#token = token;
    const { address } = view.loaded.config.admin;
    this.#local = address !== undefined && isLoopback(address.hostname);
  }

  /** Stops DNS rebinding: a foreign page whose host name resolves to this machine. @returns The refusal. */
  misdirected(c: Context): Response | undefined {
    if (!this.#local || namesThisMachine(new URL(c.req.url).hostname)) return undefined;
    return failure(c, 421, "misdirected");
  }

  /** @returns The refusal, or `undefined` when the request is allowed. */
  async refusal(c: Context, access: Access): Promise<Response | undefined> {
    if (access === "open") return undefined;
    if (this.#token.isSet) {
      const given = bearerOf(c.req.raw.headers);
      if (given !== undefined && await this.#token.matches(given)) return undefined;
      c.header("www-authenticate", "Bearer");
      return failure(c, 401, given === undefined ? "token_needed" : "token_wrong");
    }
    if (access === "read") return undefined;
    const origin = c.req.header("origin");
    // A foreign page could change something in the name of the person who reads it.
    const foreign = origin === undefined ? fromElsewhere(c) : !this.#isOwnPage(origin);
    if (foreign) return failure(c, 403, "foreign_page");
    return this.#local || isLocal(c) ? undefined : failure(c, 403, "not_local");
  }

  /** Lets two kinds of pages read: those that are listed, and this server's dashboard under a loopback name. */
  allowPages(c: Context): void {
    c.header("vary", "Origin");
    const origin = c.req.header("origin");
    if (origin === undefined || !this.#mayRead(origin)) return;
    c.header("access-control-allow-origin", origin);
    c.header("access-control-expose-headers", "allow, www-authenticate");
    if (c.req.method !== "OPTIONS") return;
    c.header("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE");
    c.header("access-control-allow-headers", "authorization, content-type");
    c.header("access-control-max-age", "600");
  }

  #mayRead(origin: string): boolean {
    return this.#view.loaded.config.admin.corsOrigins.includes(origin) ||
      this.#local && this.#isOwnPage(origin);
  }

  #isOwnPage(origin: string): boolean {
    const { quicAddress, loaded } = this.#view;
    if (!loaded.config.server.http) return false;
    return ["localhost", "127.0.0.1", "[::1]"].some((host) =>
      new URL(`http://${host}:${quicAddress.port}`).origin === origin
    );
  }
}

/** Whether the browser says that a page of another site asks (Fetch Metadata). For requests without `Origin`. */
function fromElsewhere(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  return site !== undefined && site !== "same-origin" && site !== "none";
}

/** @param host As in a URL: an IPv6 address has brackets. */
function namesThisMachine(host: string): boolean {
  return host === "localhost" || isIpAddress(unbracketed(host));
}
