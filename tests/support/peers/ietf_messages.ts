/**
 * What scripted peers of moq-transport know of messages.
 *
 * @module
 */
import type { Kind } from "../../../wire/ietf/dialect.ts";
import type { Namespace } from "../../../wire/ietf/names.ts";

export const EMPTY: Uint8Array = new Uint8Array();
const utf8 = new TextEncoder();

/** A namespace from texts. */
export const ns = (...fields: string[]): Namespace => fields.map((field) => utf8.encode(field));
/** A namespace as text, its fields parted by "|". */
export const shown = (namespace: Namespace): string =>
  namespace.map((field) => new TextDecoder().decode(field)).join("|");

/** What a message says where a test does not. */
export const BLANK = {
  parameters: {},
  properties: EMPTY,
  existing: undefined,
  wanted: "both",
  reason: "",
  code: 0,
  retryMs: undefined,
  redirect: undefined,
  streams: 0,
  endOfTrack: false,
  uri: "",
  timeoutMs: undefined,
  namespace: undefined,
  prefix: undefined,
  requestId: undefined,
} as const;

export const REQUESTS: ReadonlySet<Kind> = new Set<Kind>([
  "subscribe",
  "trackStatus",
  "publish",
  "fetch",
  "publishNamespace",
  "subscribeNamespace",
  "subscribeTracks",
]);
/** What is said of the session, not of a request. */
export const OF_SESSION: ReadonlySet<Kind> = new Set<Kind>([
  "clientSetup",
  "serverSetup",
  "maxRequestId",
  "requestsBlocked",
]);
