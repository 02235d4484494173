/**
 * One row of the admin interface's table: what is asked, what is answered, who may, and what does it. The routes are
 * registered from it, and the OpenAPI document and docs/admin-api.md are made from it.
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
 * Who may ask: everybody who reaches the address (`open`); whoever has the token, where there is one (`read`); and where
 * there is none, this machine alone and no foreign web page (`change`).
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
  /** As JSON, where that is answered to who asks for it. */
  readonly orJson?: z.ZodType;
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
  /** JSON. `strict`: what does not have the shape is refused before the handler sees it. */
  readonly body?: { readonly shape: z.ZodType; readonly strict: boolean };
  /** By status. What every route may answer as well is not repeated here. */
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
