/**
 * PUBLISH, PUBLISH_DONE and what else a publisher says of its subscriptions.
 * Spec: draft-ietf-moq-transport-14 … -19, "PUBLISH".
 *
 * @module
 */
import { checked, type Field, flag, type Message, varint } from "../../message.ts";
import { anyOrder, reason } from "../fields.ts";
import {
  type FullName,
  fullNameProblem,
  type Namespace,
  namespace,
  namespaceSuffix,
  trackName,
} from "../names.ts";
import { parameters } from "../parameter_codec.ts";
import type { Parameters } from "../parameters.ts";
import type { Profile } from "../profile.ts";
import {
  answeredId,
  declare,
  folded,
  MAX_NAMED_BYTES,
  maybeLocation,
  properties,
  requestId,
} from "./parts.ts";
import { capped, wide, type WideInteger } from "../integers.ts";

/** PUBLISH: a publisher offers a track, and names the alias its objects come under. */
export interface Publish extends FullName {
  readonly requestId: number;
  readonly alias: WideInteger;
  readonly parameters: Parameters;
  /** The track's properties as they are written; empty where there are none. */
  readonly properties: Uint8Array;
}

export function publish14(p: Profile): Message<Publish> {
  const flat = declare(p, "PUBLISH", {
    requestId: varint,
    namespace: namespace(p),
    track: trackName,
    alias: wide,
    groupOrder: anyOrder,
    largest: maybeLocation,
    forward: flag,
    parameters: parameters(p, "publish"),
    properties: properties(p),
  });
  const message = folded<Publish>(flat as Message<unknown>, {
    groupOrder: "ascending",
    largest: undefined,
    forward: true,
  });
  return checked(message, fullNameProblem);
}
export function publish15(p: Profile): Message<Publish> {
  const message = declare(p, "PUBLISH", {
    requestId: requestId(p),
    namespace: namespace(p),
    track: trackName,
    alias: wide,
    parameters: parameters(p, "publish"),
    properties: properties(p),
  });
  return checked(message, fullNameProblem);
}

/** PUBLISH_DONE: no object will follow. */
export interface PublishDone {
  readonly requestId: number | undefined;
  /** Why; the numbers are in `codes.ts`. */
  readonly code: number;
  /** How many streams were opened for the subscription; absent when nobody has counted. */
  readonly streams: number | undefined;
  readonly reason: string;
}

const UNCOUNTED = (1n << 62n) - 1n;

/** The largest integer of QUIC, and all that a number does not hold exactly, is absent. */
const streams: Field<number | undefined> = {
  write: (w, v) => wide.write(w, v ?? UNCOUNTED),
  read(r) {
    const count = wide.read(r);
    return typeof count === "number" ? count : undefined;
  },
};

export function publishDone(p: Profile): Message<PublishDone> {
  return declare(p, "PUBLISH_DONE", {
    requestId: answeredId(p),
    code: capped,
    streams,
    reason,
  }, MAX_NAMED_BYTES);
}

/** PUBLISH_STATE_NOTIFY (20+): what a publisher has changed of a subscription. */
export interface PublishStateNotify {
  readonly parameters: Parameters;
}

export function publishStateNotify(p: Profile): Message<PublishStateNotify> {
  return declare(p, "PUBLISH_STATE_NOTIFY", {
    parameters: parameters(p, "publishStateNotify"),
  }, MAX_NAMED_BYTES);
}

/** PUBLISH_BLOCKED (17+), later PUBLISH_SKIPPED: a track within the prefix that is not going to be published here. */
export interface PublishBlocked {
  /** What the track's namespace has behind the prefix. */
  readonly suffix: Namespace;
  readonly track: Uint8Array;
}

export function publishBlocked(p: Profile): Message<PublishBlocked> {
  const message = declare(p, "PUBLISH_BLOCKED", {
    suffix: namespaceSuffix(p),
    track: trackName,
  }, MAX_NAMED_BYTES);
  return checked(
    message,
    (v) => fullNameProblem({ namespace: v.suffix, track: v.track }),
  );
}
