/**
 * Error codes of moq-lite, as the current crates and packages use them for every version. A code from a peer is a hint
 * only: older peers use other tables. Spec: draft-lcurley-moq-lite-06, "Error Codes".
 *
 * @module
 */

/** Codes that close a session. Application codes are 64 + n. */
export const SESSION_CODE = {
  none: 0,
  internal: 1,
  unauthorized: 2,
  protocolViolation: 3,
  goawayTimeout: 0x10,
  controlTimeout: 0x11,
  version: 0x15,
  // Our own: HTTP statuses as application codes.
  notFound: 64 + 404,
  misdirected: 64 + 421,
  tooMany: 64 + 429,
  unreachable: 64 + 502,
  unavailable: 64 + 503,
} as const;

/** Codes that reset or stop one stream. */
export const STREAM_CODE = {
  internal: 0,
  cancel: 1,
  deliveryTimeout: 2,
  sessionClosed: 3,
  controlTimeout: 0x31,
  groupTooLarge: 0x32,
  notFound: 0x33,
  old: 0x34,
  evicted: 0x35,
  unroutable: 0x36,
  frameTooLarge: 0x38,
  /** Our own, as in {@link SESSION_CODE}. */
  tooMany: 64 + 429,
} as const;
