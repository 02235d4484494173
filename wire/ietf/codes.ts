/**
 * Codes of moq-transport as words, and the words of each draft. A word that a draft has no code for is said by another one
 * that comes near, in the end by "internal". A code of a peer that nobody defined is "internal" too.
 * Spec: draft-ietf-moq-transport-14 … -19, "Error Codes"; as peers use 20 to 22.
 *
 * @module
 */
import type { Request } from "./dialect.ts";
import type { Profile } from "./profile.ts";

type Row = Profile["codes"];
type Codes<W extends string> = Readonly<Partial<Record<W, number>>>;

/** Why a session is closed. */
export type SessionWord =
  | "none"
  | "internal"
  | "unauthorized"
  | "protocolViolation"
  | "invalidRequestId"
  | "duplicateAlias"
  | "keyValueFormatting"
  | "tooManyRequests"
  | "invalidRequiredRequestId"
  | "invalidPath"
  | "malformedPath"
  | "goawayTimeout"
  | "controlTimeout"
  | "dataTimeout"
  | "tokenCacheOverflow"
  | "duplicateTokenAlias"
  | "version"
  | "malformedToken"
  | "unknownTokenAlias"
  | "expiredToken"
  | "invalidAuthority"
  | "malformedAuthority"
  | "tooManyUpdates";

const SESSION: Codes<SessionWord> = {
  none: 0,
  internal: 1,
  unauthorized: 2,
  protocolViolation: 3,
  invalidRequestId: 4,
  duplicateAlias: 5,
  keyValueFormatting: 6,
  invalidPath: 8,
  malformedPath: 9,
  goawayTimeout: 0x10,
  controlTimeout: 0x11,
  dataTimeout: 0x12,
  tokenCacheOverflow: 0x13,
  duplicateTokenAlias: 0x14,
  version: 0x15,
  malformedToken: 0x16,
  unknownTokenAlias: 0x17,
  expiredToken: 0x18,
  invalidAuthority: 0x19,
  malformedAuthority: 0x1a,
};
const SESSION_16 = { ...SESSION, tooManyRequests: 7 };
const SESSION_19 = { ...SESSION, tooManyUpdates: 0x1b };
const SESSIONS: Readonly<Record<Row, Codes<SessionWord>>> = {
  "14": SESSION_16,
  "15": SESSION_16,
  "16": SESSION_16,
  "17": { ...SESSION, invalidRequiredRequestId: 7 },
  "18": SESSION,
  "19": SESSION_19,
  "20": SESSION_19,
};

/** Why a stream is given up. */
export type StreamWord =
  | "internal"
  | "cancel"
  | "deliveryTimeout"
  | "sessionClosed"
  | "goingAway"
  | "tooFarBehind"
  | "unknownStatus"
  | "expiredToken"
  | "overloaded"
  | "malformedTrack";

const STREAM: Codes<StreamWord> = { internal: 0, cancel: 1, deliveryTimeout: 2, sessionClosed: 3 };
const STREAM_16 = { ...STREAM, unknownStatus: 4, malformedTrack: 0x12 };
const STREAM_18 = {
  ...STREAM_16,
  goingAway: 4,
  tooFarBehind: 5,
  unknownStatus: 6,
  expiredToken: 7,
  overloaded: 9,
};
const STREAMS: Readonly<Record<Row, Codes<StreamWord>>> = {
  "14": STREAM,
  "15": STREAM,
  "16": STREAM_16,
  "17": { ...STREAM_16, tooFarBehind: 5, overloaded: 9 },
  "18": STREAM_18,
  "19": STREAM_18,
  "20": STREAM_18,
};

/** Why a subscription ends, in PUBLISH_DONE. */
export type DoneWord =
  | "internal"
  | "unauthorized"
  | "trackEnded"
  | "subscriptionEnded"
  | "goingAway"
  | "expired"
  | "tooFarBehind"
  | "updateFailed"
  | "overloaded"
  | "malformedTrack";

const DONE_14: Codes<DoneWord> = {
  internal: 0,
  unauthorized: 1,
  trackEnded: 2,
  subscriptionEnded: 3,
  goingAway: 4,
  expired: 5,
  tooFarBehind: 6,
  malformedTrack: 7,
};
const DONE_16 = { ...DONE_14, updateFailed: 8, malformedTrack: 0x12 };
const DONE_18 = { ...DONE_16, tooFarBehind: 5, expired: 6, overloaded: 9 };
const { subscriptionEnded: _, ...DONE_20 } = DONE_18;
const DONES: Readonly<Record<Row, Codes<DoneWord>>> = {
  "14": DONE_14,
  "15": { ...DONE_14, updateFailed: 8 },
  "16": DONE_16,
  "17": { ...DONE_16, overloaded: 9 },
  "18": DONE_18,
  "19": DONE_18,
  "20": DONE_20,
};

/** Why a request is refused. */
export type RequestWord =
  | "internal"
  | "unauthorized"
  | "timeout"
  | "notSupported"
  | "malformedToken"
  | "expiredToken"
  | "goingAway"
  | "overloaded"
  | "doesNotExist"
  | "invalidRange"
  | "noObjects"
  | "malformedTrack"
  | "duplicateSubscription"
  | "uninterested"
  | "prefixOverlap"
  | "namespaceTooLarge"
  | "invalidJoining"
  | "unknownStatus"
  | "unsupportedExtension"
  | "redirect"
  | "conflictingFilters"
  | "invalidFilter";

const REQUEST: Codes<RequestWord> = { internal: 0, unauthorized: 1, timeout: 2, notSupported: 3 };
const TOKEN_14 = { malformedToken: 0x10, expiredToken: 0x12 };
const TRACK_14 = { ...REQUEST, ...TOKEN_14, doesNotExist: 4, invalidRange: 5 };
/** Draft 14 has other numbers for each request. */
const REQUESTS_14: Readonly<Record<Request, Codes<RequestWord>>> = {
  subscribe: TRACK_14,
  update: TRACK_14,
  trackStatus: TRACK_14,
  fetch: {
    ...TRACK_14,
    noObjects: 6,
    invalidJoining: 7,
    unknownStatus: 8,
    malformedTrack: 9,
  },
  publish: { ...REQUEST, uninterested: 4 },
  publishNamespace: { ...REQUEST, ...TOKEN_14, uninterested: 4 },
  subscribeNamespace: { ...REQUEST, ...TOKEN_14, doesNotExist: 4, prefixOverlap: 5 },
  subscribeTracks: REQUEST,
};
const REQUEST_15 = {
  ...REQUEST,
  malformedToken: 4,
  expiredToken: 5,
  doesNotExist: 0x10,
  invalidRange: 0x11,
  malformedTrack: 0x12,
  uninterested: 0x20,
  prefixOverlap: 0x30,
  invalidJoining: 0x32,
};
const REQUEST_15_ALL = { ...REQUEST_15, unknownStatus: 0x33 };
const REQUEST_16 = { ...REQUEST_15, duplicateSubscription: 0x19 };
const REQUEST_17 = { ...REQUEST_16, goingAway: 6, overloaded: 9, namespaceTooLarge: 0x31 };
const REQUEST_18 = { ...REQUEST_17, unsupportedExtension: 0x33, redirect: 0x34 };
const { duplicateSubscription: _1, ...WITHOUT_DUPLICATE } = REQUEST_18;
const REQUEST_19 = { ...WITHOUT_DUPLICATE, conflictingFilters: 0x35, invalidFilter: 0x36 };
const { invalidJoining: _2, ...REQUEST_20 } = REQUEST_19;
const REQUESTS: Readonly<Record<Row, (request: Request) => Codes<RequestWord>>> = {
  "14": (request) => REQUESTS_14[request],
  "15": () => REQUEST_15_ALL,
  "16": () => REQUEST_16,
  "17": () => REQUEST_17,
  "18": () => REQUEST_18,
  "19": () => REQUEST_19,
  "20": () => REQUEST_20,
};

/** What else may be said, where a draft or a request has no code for a word. */
const NEAR: Readonly<Record<string, string>> = {
  // For a session
  tooManyUpdates: "protocolViolation",
  tooManyRequests: "protocolViolation",
  invalidRequiredRequestId: "protocolViolation",
  notFound: "invalidPath",
  misdirected: "invalidAuthority",
  // For a stream
  old: "deliveryTimeout",
  evicted: "tooFarBehind",
  tooMany: "overloaded",
  // For a request
  malformedToken: "unauthorized",
  expiredToken: "unauthorized",
  noObjects: "invalidRange",
  unroutable: "doesNotExist",
  conflictingFilters: "invalidFilter",
  invalidFilter: "notSupported",
  unsupportedExtension: "notSupported",
  // For the end of a subscription
  subscriptionEnded: "trackEnded",
};

/** The code of a word, or of the nearest there is. */
function code(codes: Codes<string>, word: string): number {
  let at = word;
  while (!Object.hasOwn(codes, at)) {
    if (!Object.hasOwn(NEAR, at)) return codes.internal!;
    at = NEAR[at]!;
  }
  return codes[at]!;
}

function word<W extends string>(codes: Codes<W>, code: number): W {
  const found = Object.entries(codes).find(([, number]) => number === code);
  return (found?.[0] ?? "internal") as W;
}

/** The code to close a session with: of the draft's own words, or of the project's reasons. */
export function sessionCode(profile: Profile, reason: string): number {
  return code(SESSIONS[profile.codes], reason);
}
export function sessionWord(profile: Profile, code: number): SessionWord {
  return word(SESSIONS[profile.codes], code);
}

/** The code to reset or stop a stream with: of the draft's own words, or of the project's reasons. */
export function streamCode(profile: Profile, reason: string): number {
  return code(STREAMS[profile.codes], reason);
}
export function streamWord(profile: Profile, code: number): StreamWord {
  return word(STREAMS[profile.codes], code);
}

/** The code of PUBLISH_DONE. */
export function doneCode(profile: Profile, reason: string): number {
  return code(DONES[profile.codes], reason);
}
export function doneWord(profile: Profile, code: number): DoneWord {
  return word(DONES[profile.codes], code);
}

/** The code to refuse a request with. In draft 14 it depends on the request. */
export function requestCode(
  profile: Profile,
  request: Request,
  reason: string,
): number {
  return code(REQUESTS[profile.codes](request), reason);
}
export function requestWord(profile: Profile, request: Request, code: number): RequestWord {
  return word(REQUESTS[profile.codes](request), code);
}
