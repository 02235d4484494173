/**
 * The rights of a session, and the answer to a refused one. Both are plain data and can be posted to other threads.
 *
 * @module
 */
import type { CloseReason, RefusalReason } from "../../session/reasons.ts";

/** The rights of a session. */
export interface Grant {
  /** Absolute path of the session's root, normalised. Its own paths are relative to it. */
  readonly root: string;
  /** Patterns of the broadcasts it may publish, relative to `root`. */
  readonly publish: readonly string[];
  /** Patterns of the broadcasts it gets announced and may subscribe to, relative to `root`. */
  readonly subscribe: readonly string[];
  /** It is another node of the cluster. */
  readonly peer?: true;
  /** When the session ends, in milliseconds since 1970. */
  readonly expiresAtMs?: number;
  /** When its token was signed, in milliseconds since 1970; absent when the token does not say. */
  readonly issuedAtMs?: number;
  /** The `jti` of its token. */
  readonly jti?: string;
  /** The `sub` of its token. */
  readonly sub?: string;
}

/** The answer to a refused request. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** HTTP status, while there is only a request. */
  readonly status: 401 | 403 | 404 | 421 | 429 | 502 | 503;
  /** Why the session is closed, where there is a connection. */
  readonly closing: CloseReason;
  /** For people. It has no part of the token. */
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

/** Full rights below the dialed path. */
export function fullGrant(root: string): Grant {
  return { root, publish: ["**"], subscribe: ["**"] };
}

/** How soon somebody may ask again whom a full node, or one that is leaving, has turned away. */
const RETRY_AFTER_S = "2";

/**
 * What the answer to a refused request has besides its status: when to ask again, and who names other nodes.
 * @param path Path and query that were asked for, percent-encoded. The query may hold a token and is not repeated.
 */
export function refusalHeaders(
  { status }: Refusal,
  path: string,
): Readonly<Record<string, string>> {
  if (status !== 503) return {};
  const route = new URLSearchParams({ path: path.replace(/\?.*$/s, "") });
  return { "retry-after": RETRY_AFTER_S, link: `</route?${route}>; rel="alternate"` };
}
