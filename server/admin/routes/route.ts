/**
 * One row of the admin interface's table: what is asked, what is answered, who may, and what does it. The routes are
 * registered from it, and the OpenAPI document and docs/admin-api.md are made from it.
 *
 * @module
 */
import type { Context } from "hono";
import type { Exposition } from "../../../metrics/catalog.ts";
import type { ServerView } from "../server_view.ts";
import type { Schema } from "../schema.ts";

/**
 * Who may ask: everybody who reaches the address (`open`); whoever has the token, where there is one (`read`); and where
 * there is none, this machine alone and no foreign web page (`change`).
 */
export type Access = "open" | "read" | "change";

export interface AdminParameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly about: string;
  readonly schema: Schema;
}

export interface AdminAnswer {
  readonly about: string;
  /** Of the body; absent when there is none. */
  readonly schema?: Schema;
  /** Default: "application/json". */
  readonly type?: string;
  /** As JSON, where that is answered to who asks for it. */
  readonly orJson?: Schema;
}

export interface AdminRequest {
  readonly c: Context;
  readonly view: ServerView;
  readonly exposition: Exposition;
  /** Checked; numbers are numbers. Those that were not given are absent. */
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Checked, where the route has a body. */
  readonly body: unknown;
}

export interface AdminRoute {
  readonly method: "get" | "put" | "post" | "delete";
  /** As OpenAPI writes it: "/api/v1/sessions/{id}". */
  readonly path: string;
  /** Unique. */
  readonly id: string;
  readonly group: "Sessions" | "Content" | "Tokens" | "Plugins" | "Hooks" | "Server" | "Health";
  readonly access: Access;
  /** One line, no full stop. */
  readonly summary: string;
  readonly about?: string;
  readonly parameters?: readonly AdminParameter[];
  /** JSON. `strict`: what does not fit the schema is refused before the handler sees it. */
  readonly body?: {
    readonly schema: Schema;
    readonly strict: boolean;
    readonly optional?: boolean;
  };
  /** By status. What every route may answer as well is not repeated here. */
  readonly answers: Readonly<Record<number, AdminAnswer>>;
  handle(request: AdminRequest): Response | Promise<Response>;
}

/** Why a request was not answered as wished. The words are stable. */
export const ERROR_CODES = {
  bad_request: "The path, the query or the body is not as it should be.",
  token_needed: "Show the token as `Authorization: Bearer TOKEN`.",
  token_wrong: "Another token is set.",
  foreign_page:
    "A web page that is not listed in `admin.cors_origins`, or has no token, wants to change something.",
  not_local: "Without a token only this machine may change anything.",
  not_found: "Nothing is at this path.",
  no_such_session: "There is no session of this number; it may have ended.",
  no_such_plugin: "There is no instance of this name.",
  method_not_allowed: "The path has other methods: they are in the header `allow`.",
  body_too_large: "The body is larger than anything that is taken here.",
  misdirected: "Name this machine by its address, or as localhost.",
  not_reloaded: "The configuration cannot be used; that in use stays.",
  internal: "A fault of the server's; its log tells more.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** As every error is answered. */
export interface ErrorJson {
  /** What went wrong, for people. */
  readonly error: string;
  readonly code: ErrorCode;
  /** Each wrong place of a body or query. */
  readonly problems?: readonly { readonly path: string; readonly message: string }[];
}

export function failure(
  c: Context,
  status: 400 | 401 | 403 | 404 | 405 | 413 | 421 | 422 | 500,
  code: ErrorCode,
  error: string = ERROR_CODES[code],
  problems?: ErrorJson["problems"],
): Response {
  const json: ErrorJson = { error, code, ...(problems === undefined ? {} : { problems }) };
  return c.json(json, status);
}
