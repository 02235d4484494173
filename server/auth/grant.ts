/**
 * What a session may do, and the answer to one that may not. Plain data: it passes between threads as it is.
 *
 * @module
 */
import { SESSION_CODE } from "../../wire/lite/codes.ts";

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

/** Why somebody is turned away. The words are stable: they are a label of the metrics. */
export type RefusalReason =
  /** The server is about to stop. */
  | "draining"
  /** As many sessions as the server takes, or as it takes from one address. */
  | "full"
  | "address_full"
  /** No session can stand at such a path. */
  | "bad_path"
  /** A web page of another site, or under a name that is not the relay's, and nobody is asked for a token. */
  | "foreign_page"
  | "foreign_name"
  /** No token, and nothing here is public. */
  | "no_token"
  /** It cannot be read, its signature is wrong, its key unknown, or it claims more than its key may grant. */
  | "bad_token"
  | "expired"
  | "revoked"
  /** A good token for another path, or for another role than the peer declares. */
  | "not_granted"
  /** The auth server said no. */
  | "server_refused"
  /** Keys or the auth server cannot be reached. */
  | "unavailable";

export const REFUSAL_REASONS: readonly RefusalReason[] = [
  "draining",
  "full",
  "address_full",
  "bad_path",
  "foreign_page",
  "foreign_name",
  "no_token",
  "bad_token",
  "expired",
  "revoked",
  "not_granted",
  "server_refused",
  "unavailable",
];

/** The answer to somebody who may not come in. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** HTTP status, where nothing but the request stands yet. */
  readonly status: 401 | 403 | 404 | 421 | 429 | 502 | 503;
  /** Code a session is closed with, where the connection stands already. */
  readonly sessionCode: number;
  /** For people; holds nothing of the token. */
  readonly message: string;
}

/** Session codes from here on are HTTP statuses and the like. */
const APPLICATION_CODE = 64;

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

/** Makes the answer for a reason. */
export function refusal(
  reason: RefusalReason,
  message: string,
  status: Refusal["status"] = STATUS[reason],
): Refusal {
  const denied = status === 401 || status === 403;
  const sessionCode = denied ? SESSION_CODE.unauthorized : APPLICATION_CODE + status;
  return { reason, status, sessionCode, message };
}

/** Everything below the path that was dialed: nobody restricts anything. */
export function fullGrant(root: string): Grant {
  return { root, publish: ["**"], subscribe: ["**"] };
}
