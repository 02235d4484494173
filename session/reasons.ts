/**
 * Why somebody is refused, why a session is closed and why a stream is given up, as words. Each protocol has its own codes
 * for the last two; HTTP has its statuses for the first.
 *
 * @module
 */

/** Why somebody is turned away. The words are stable: they are a label of the metrics. */
export const REFUSAL_REASONS = [
  /** The server is about to stop. */
  "draining",
  /** As many sessions as the server takes, or as it takes from one address. */
  "full",
  "address_full",
  /** No session can stand at such a path. */
  "bad_path",
  /** A web page of another site, or under a name that is not the relay's, and nobody is asked for a token. */
  "foreign_page",
  "foreign_name",
  /** No token, and nothing here is public. */
  "no_token",
  /** It cannot be read, its signature is wrong, its key unknown, or it claims more than its key may grant. */
  "bad_token",
  "expired",
  "revoked",
  /** A good token for another path, or for another role than the peer declares. */
  "not_granted",
  /** The auth server said no. */
  "server_refused",
  /** Keys or the auth server cannot be reached. */
  "unavailable",
] as const;
export type RefusalReason = typeof REFUSAL_REASONS[number];

/** Why a session is closed. */
export type CloseReason =
  /** In order. */
  | "none"
  | "internal"
  | "unauthorized"
  | "protocolViolation"
  /** It was asked to leave and did not. */
  | "goawayTimeout"
  /** A message, or the reading of what was sent, took too long. */
  | "controlTimeout"
  /** There is no version in common. */
  | "version"
  | "tooMany"
  /** Nothing can be at such a path. */
  | "notFound"
  /** This is not the host that was asked for. */
  | "misdirected"
  /** Somebody who has to be asked cannot be reached. */
  | "unreachable"
  | "unavailable";

/** Why a stream is given up, by either side. */
export type StreamReason =
  | "internal"
  /** Nobody wants it any more. */
  | "cancel"
  | "deliveryTimeout"
  | "sessionClosed"
  | "controlTimeout"
  | "groupTooLarge"
  | "frameTooLarge"
  | "notFound"
  /** A newer group goes before it. */
  | "old"
  /** The cache needs its memory. */
  | "evicted"
  /** There is no such broadcast. */
  | "unroutable"
  | "tooMany";
