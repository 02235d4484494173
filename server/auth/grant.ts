/**
 * What a session may do, and the answer to one that may not. Plain data: it passes between threads as it is.
 *
 * @module
 */
import type { CloseReason, RefusalReason } from "../../session/reasons.ts";

/** What a session may do. */
export interface Grant {
  /** Absolute path the session is mounted at: its own "". Normalised. */
  readonly root: string;
  /** Patterns of the broadcasts it may publish, relative to `root`. */
  readonly publish: readonly string[];
  /** Patterns of the broadcasts it hears of and may read, relative to `root`. */
  readonly subscribe: readonly string[];
  /** The session ends then, in milliseconds since 1970. */
  readonly expiresAtMs?: number;
  /** When its token was signed, in milliseconds since 1970; absent when the token does not say. */
  readonly issuedAtMs?: number;
  /** Name of its token. */
  readonly jti?: string;
  /** Whose token it is. */
  readonly sub?: string;
}

/** The answer to somebody who may not come in. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** HTTP status, where nothing but the request stands yet. */
  readonly status: 401 | 403 | 404 | 421 | 429 | 502 | 503;
  /** What a session is closed with, where the connection stands already. */
  readonly closing: CloseReason;
  /** For people; holds nothing of the token. */
  readonly message: string;
}

const STATUS: Readonly<Record<RefusalReason, Refusal["status"]>> = {
  draining: 503,
  full: 503,
  address_full: 429,
  bad_path: 404,
  foreign_page: 403,
  foreign_name: 421,
  no_token: 401,
  bad_token: 401,
  expired: 401,
  revoked: 401,
  not_granted: 403,
  server_refused: 401,
  unavailable: 502,
};

const CLOSING: Readonly<Record<Refusal["status"], CloseReason>> = {
  401: "unauthorized",
  403: "unauthorized",
  404: "notFound",
  421: "misdirected",
  429: "tooMany",
  502: "unreachable",
  503: "unavailable",
};

/** Makes the answer for a reason. */
export function refusal(
  reason: RefusalReason,
  message: string,
  status: Refusal["status"] = STATUS[reason],
): Refusal {
  return { reason, status, closing: CLOSING[status], message };
}

/** Everything below the path that was dialed: nobody restricts anything. */
export function fullGrant(root: string): Grant {
  return { root, publish: ["**"], subscribe: ["**"] };
}
