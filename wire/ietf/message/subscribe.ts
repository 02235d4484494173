/**
 * SUBSCRIBE with its answer and changes, and TRACK_STATUS, which is written as SUBSCRIBE is.
 * Spec: draft-ietf-moq-transport-14 … -19, "SUBSCRIBE".
 *
 * @module
 */
import { absent, checked, type Field, flag, type Message, u8, varint } from "../../message.ts";
import { anyOrder } from "../fields.ts";
import { type Filter, inlineFilter } from "../filter.ts";
import { type FullName, fullNameProblem, namespace, trackName } from "../names.ts";
import { parameters } from "../parameter_codec.ts";
import type { Parameters } from "../parameters.ts";
import type { Profile } from "../profile.ts";
import {
  answeredId,
  declare,
  folded,
  MAX_NUMBERS_BYTES,
  maybeLocation,
  properties,
  requestId,
  required,
} from "./parts.ts";
import { capped, optionalCapped, wide, type WideInteger } from "../integers.ts";

/** SUBSCRIBE and TRACK_STATUS: asks for a track, or for what there is of it. */
export interface Subscribe extends FullName {
  readonly requestId: number;
  readonly parameters: Parameters;
}

const ALL: Filter = { kind: "all" };
/** What a subscriber of draft 14 always says. */
const WISHES = { priority: 128, groupOrder: undefined, forward: true, filter: ALL };

export function subscribe14(p: Profile, name: "SUBSCRIBE" | "TRACK_STATUS"): Message<Subscribe> {
  const flat = declare(p, name, {
    requestId: varint,
    namespace: namespace(p),
    track: trackName,
    priority: u8,
    groupOrder: anyOrder,
    forward: flag,
    filter: inlineFilter,
    parameters: parameters(p, name === "SUBSCRIBE" ? "subscribe" : "trackStatus"),
  });
  return checked(folded<Subscribe>(flat as Message<unknown>, WISHES), fullNameProblem);
}
export function subscribe15(p: Profile, name: "SUBSCRIBE" | "TRACK_STATUS"): Message<Subscribe> {
  const message = declare(p, name, {
    requestId: requestId(p),
    namespace: namespace(p),
    track: trackName,
    parameters: parameters(p, name === "SUBSCRIBE" ? "subscribe" : "trackStatus"),
  });
  return checked(message, fullNameProblem);
}

/** SUBSCRIBE_OK: the objects will come under this alias. */
export interface SubscribeOk {
  readonly requestId: number | undefined;
  readonly alias: WideInteger;
  readonly parameters: Parameters;
  /** The track's properties as they are written; empty where there are none. */
  readonly properties: Uint8Array;
}

export function subscribeOk14(p: Profile): Message<SubscribeOk> {
  const flat = declare(p, "SUBSCRIBE_OK", {
    requestId: answeredId(p),
    alias: wide,
    expiresMs: capped,
    groupOrder: anyOrder,
    largest: maybeLocation,
    parameters: parameters(p, "subscribeOk"),
    properties: properties(p),
  });
  return folded<SubscribeOk>(flat as Message<unknown>, {
    expiresMs: 0,
    groupOrder: "ascending",
    largest: undefined,
  });
}
export function subscribeOk15(p: Profile): Message<SubscribeOk> {
  return declare(p, "SUBSCRIBE_OK", {
    requestId: answeredId(p),
    alias: wide,
    parameters: parameters(p, "subscribeOk"),
    properties: properties(p),
  });
}

/** SUBSCRIBE_UPDATE, later REQUEST_UPDATE: what is to change. What is absent stays, but for draft 14: it always says all. */
export interface RequestUpdate {
  readonly requestId: number;
  /** The request that changes; absent where its stream says so. */
  readonly existing: number | undefined;
  readonly parameters: Parameters;
}

/** A start, and an end group behind one more. */
const startAndEnd: Field<Filter> = {
  write(w, v) {
    const range = v.kind === "range" ? v : { start: { group: 0, object: 0 }, end: undefined };
    if (v.kind !== "range" && v.kind !== "all") {
      throw new RangeError(`Cannot encode an update to "${v.kind}": only a range has a place`);
    }
    w.varint(range.start.group);
    w.varint(range.start.object);
    optionalCapped.write(w, range.end?.group);
  },
  read(r) {
    const start = { group: capped.read(r), object: capped.read(r) };
    const group = optionalCapped.read(r);
    return group === undefined
      ? { kind: "range", start }
      : { kind: "range", start, end: { group } };
  },
};

export function update14(p: Profile): Message<RequestUpdate> {
  const flat = declare(p, "SUBSCRIBE_UPDATE", {
    requestId: varint,
    existing: required(varint),
    filter: startAndEnd,
    priority: u8,
    forward: flag,
    parameters: parameters(p, "update"),
  });
  return folded<RequestUpdate>(flat as Message<unknown>, {
    filter: ALL,
    priority: 128,
    forward: true,
  });
}
export function update15(p: Profile): Message<RequestUpdate> {
  return declare(p, "REQUEST_UPDATE", {
    requestId: varint,
    existing: required(varint),
    parameters: parameters(p, "update"),
  });
}
export function update17(p: Profile): Message<RequestUpdate> {
  return declare(p, "REQUEST_UPDATE", {
    requestId: requestId(p),
    existing: absent<number | undefined>(undefined),
    parameters: parameters(p, "update"),
  });
}

/** UNSUBSCRIBE and FETCH_CANCEL, up to 16; MAX_REQUEST_ID and REQUESTS_BLOCKED name the first number that is not allowed. */
export interface OneRequest {
  readonly requestId: number;
}

export function oneRequest(p: Profile, name: string): Message<OneRequest> {
  return declare(p, name, { requestId: capped }, MAX_NUMBERS_BYTES);
}

/** The same where each request has a stream, which says what it is about. No draft has it there; moq-rs sends it. */
export function bareRequest(p: Profile, name: string): Message<OneRequest> {
  return declare(p, name, { requestId: absent<number>(0) }, MAX_NUMBERS_BYTES);
}
