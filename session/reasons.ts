/**
 * Reasons as words: why a request is refused, why a session is closed, and why a stream is given up. Each protocol maps the
 * last two to codes of its own.
 *
 * @module
 */

/** Why a request is refused. The words are stable: they are a label of the metrics. */
export const REFUSAL_REASONS = [
  /** The server is about to stop. */
  "draining",
  /** The server has as many sessions as it takes, in all or from one address. */
  "full",
  "address_full",
  /** No session can stand at such a path. */
  "bad_path",
  /** A web page of another site or of a foreign name, on a relay that asks for no token. */
  "foreign_page",
  "foreign_name",
  /** No token, and nothing here is public. */
  "no_token",
  /** The token cannot be read, its signature is wrong, its key is unknown, or it claims more than its key may grant. */
  "bad_token",
  "expired",
  "revoked",
  /** The token is for another path, or for another role than the peer declares. */
  "not_granted",
  /** The auth server said no. */
  "server_refused",
  /** Keys or the auth server cannot be reached. */
  "unavailable",
] as const;
export type RefusalReason = typeof REFUSAL_REASONS[number];

/** Why a session is closed. */
export const CLOSE_REASONS = [
  /** It ended in order. */
  "none",
  "internal",
  "unauthorized",
  "protocolViolation",
  /** The peer was asked to leave and did not. */
  "goawayTimeout",
  /** The peer took too long, with a message or with reading. */
  "controlTimeout",
  /** There is no version in common. */
  "version",
  "tooMany",
  /** Nothing can be at such a path. */
  "notFound",
  /** The request is for another host. */
  "misdirected",
  /** The auth server cannot be reached. */
  "unreachable",
  "unavailable",
] as const;
export type CloseReason = typeof CLOSE_REASONS[number];

/** Why a stream is given up, by either side. */
export const STREAM_REASONS = [
  "internal",
  /** Nobody wants it any more. */
  "cancel",
  "deliveryTimeout",
  "sessionClosed",
  "controlTimeout",
  "groupTooLarge",
  "frameTooLarge",
  "notFound",
  /** A newer group replaces it. */
  "old",
  /** The cache needs its memory. */
  "evicted",
  /** There is no such broadcast. */
  "unroutable",
  "tooMany",
] as const;
export type StreamReason = typeof STREAM_REASONS[number];
