/**
 * One route of the admin interface: its path, parameters, body and answers, who may ask, and the handler. The HTTP server,
 * the OpenAPI document and docs/admin-api.md are all made from the table of these.
 *
 * @module
 */
import type { Context } from "hono";
import type { z } from "zod";
import { ERROR_CODES, type ErrorCode } from "../../../admin/error_codes.ts";
import type { ErrorJson } from "../../../admin/shapes.ts";
import type { Exposition } from "../../../metrics/catalog.ts";
import type { ServerView } from "../server_view.ts";

/**
 * Who may ask. `open`: everybody who reaches the address. `read`: who shows the token, if one is set. `change`: the same,
 * but if no token is set, only this machine and no foreign web page.
 */
export type Access = "open" | "read" | "change";

export interface AdminParameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly about: string;
  /** A text, or a whole number. */
  readonly shape: z.ZodString | z.ZodInt;
}

export interface AdminAnswer {
  readonly about: string;
  /** Of the body; absent when there is none. */
  readonly shape?: z.ZodType;
  /** Default: "application/json". */
  readonly type?: string;
  /** Shape of the JSON that clients get if they ask for JSON. */
  readonly orJson?: z.ZodType;
}

export interface AdminRequest {
  readonly c: Context;
  readonly view: ServerView;
  readonly exposition: Exposition;
  /** Checked. Numbers are numbers. A parameter that was not given is absent. */
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
  readonly group:
    | "Sessions"
    | "Content"
    | "Tokens"
    | "Nodes"
    | "Plugins"
    | "Hooks"
    | "Server"
    | "Health";
  readonly access: Access;
  /** One line, no full stop. */
  readonly summary: string;
  readonly about?: string;
  readonly parameters?: readonly AdminParameter[];
  /** JSON. `strict`: what does not have the shape is refused before the handler sees it. */
  readonly body?: { readonly shape: z.ZodType; readonly strict: boolean };
  /** By status. Errors that every route may answer with are not repeated here. */
  readonly answers: Readonly<Record<number, AdminAnswer>>;
  handle(request: AdminRequest): Response | Promise<Response>;
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
