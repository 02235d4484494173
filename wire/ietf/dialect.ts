/**
 * Which messages each draft has, by the type number in front of them: a session asks its dialect and never compares
 * drafts. One message may have several numbers: draft 14 has answers of their own for each request.
 *
 * @module
 */
import { Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import type { Message } from "../message.ts";
import * as A from "./message/answers.ts";
import * as F from "./message/fetch.ts";
import { type Goaway, goaway } from "./message/goaway.ts";
import * as N from "./message/namespaces.ts";
import * as P from "./message/publish.ts";
import * as U from "./message/setup.ts";
import * as S from "./message/subscribe.ts";
import { type Draft, type Profile, profileOf } from "./profile.ts";

/** Every message, by what it is to a session, with the value it carries in all drafts. */
export interface Messages {
  clientSetup: U.Setup;
  serverSetup: U.Setup;
  goaway: Goaway;
  maxRequestId: S.OneRequest;
  requestsBlocked: S.OneRequest;
  subscribe: S.Subscribe;
  subscribeOk: S.SubscribeOk;
  update: S.RequestUpdate;
  unsubscribe: S.OneRequest;
  trackStatus: S.Subscribe;
  publish: P.Publish;
  publishDone: P.PublishDone;
  publishStateNotify: P.PublishStateNotify;
  publishBlocked: P.PublishBlocked;
  fetch: F.Fetch;
  fetchOk: F.FetchOk;
  fetchCancel: S.OneRequest;
  publishNamespace: N.PublishNamespace;
  publishNamespaceDone: N.PublishNamespaceDone;
  publishNamespaceCancel: N.PublishNamespaceCancel;
  subscribeNamespace: N.SubscribeNamespace;
  subscribeTracks: N.SubscribeNamespace;
  unsubscribeNamespace: N.UnsubscribeNamespace;
  namespace: N.NamespaceSuffix;
  namespaceDone: N.NamespaceSuffix;
  requestOk: A.RequestOk;
  requestError: A.RequestError;
}
export type Kind = keyof Messages;

/** A message with its name: what a session takes apart by `kind`. */
export type ControlMessage = {
  [K in Kind]: { readonly kind: K; readonly value: Messages[K] };
}[Kind];

/** What can be asked: accepted by REQUEST_OK but for SUBSCRIBE and FETCH, and refused by REQUEST_ERROR. */
export type Request =
  | "subscribe"
  | "update"
  | "trackStatus"
  | "publish"
  | "fetch"
  | "publishNamespace"
  | "subscribeNamespace"
  | "subscribeTracks";

/** One message of one draft. */
export interface Control<K extends Kind = Kind> {
  /** The number in front of it. */
  readonly type: number;
  readonly kind: K;
  readonly message: Message<Messages[K]>;
  /** What it answers, where the draft has a number for each. */
  readonly answers?: readonly Request[];
}

/** What stands in front of a body. */
export interface ControlHead {
  readonly type: number;
  /** The message's, for logs. */
  readonly name: string;
  /** Bytes of type and length. */
  readonly length: number;
  readonly bodyLength: number;
}

/** Longest head of a control message: type and length. */
export const MAX_CONTROL_HEAD_BYTES = 9 + 2;

function control<K extends Kind>(
  type: number,
  kind: K,
  message: Message<Messages[K]>,
  answers?: readonly Request[],
): Control {
  const one: Control<K> = answers === undefined
    ? { type, kind, message }
    : { type, kind, message, answers };
  return one as unknown as Control;
}

const setupPair = (p: Profile) => [
  control(0x20, "clientSetup", U.clientSetup(p)),
  control(0x21, "serverSetup", U.serverSetup(p)),
];
/** What all drafts up to 16 have, and none later. */
const counted = (p: Profile) => [
  ...setupPair(p),
  control(0x15, "maxRequestId", S.oneRequest(p, "MAX_REQUEST_ID")),
  control(0x1a, "requestsBlocked", S.oneRequest(p, "REQUESTS_BLOCKED")),
  control(0x0a, "unsubscribe", S.oneRequest(p, "UNSUBSCRIBE")),
  control(0x17, "fetchCancel", S.oneRequest(p, "FETCH_CANCEL")),
];
/** What all drafts have in one form. */
const common = (p: Profile) => [
  control(0x10, "goaway", goaway(p)),
  control(0x0b, "publishDone", P.publishDone(p)),
  control(0x06, "publishNamespace", N.publishNamespace(p)),
];
/** What 15 and later have: wishes are parameters, and one error serves all requests. */
const from15 = (p: Profile) => [
  ...common(p),
  control(0x03, "subscribe", S.subscribe15(p, "SUBSCRIBE")),
  control(0x04, "subscribeOk", S.subscribeOk15(p)),
  control(0x0d, "trackStatus", S.subscribe15(p, "TRACK_STATUS")),
  control(0x05, "requestError", A.requestError(p)),
  control(0x1d, "publish", P.publish15(p)),
  control(0x18, "fetchOk", F.fetchOk15(p)),
];
const publishOk = (p: Profile) =>
  control(0x1e, "requestOk", A.requestOk15(p, "PUBLISH_OK", "publishOk"), ["publish"]);
const otherOk = (p: Profile) =>
  control(0x07, "requestOk", A.requestOk15(p), [
    "update",
    "trackStatus",
    "publishNamespace",
    "subscribeNamespace",
  ]);
const namespaceAnswers = (p: Profile) => [
  control(0x08, "namespace", N.namespaceThere(p, "NAMESPACE")),
  control(0x0e, "namespaceDone", N.namespaceThere(p, "NAMESPACE_DONE")),
];
const from17 = (p: Profile) => [
  ...from15(p),
  ...namespaceAnswers(p),
  control(0x2f00, "clientSetup", U.setup17(p)),
  control(0x2f00, "serverSetup", U.setup17(p)),
  control(0x02, "update", S.update17(p)),
  control(0x0f, "publishBlocked", P.publishBlocked(p)),
];
/** What no draft from 17 on has, but moq-rs sends there: it is read, and never written. */
const tolerated = (p: Profile) => [
  control(0x0a, "unsubscribe", S.bareRequest(p, "UNSUBSCRIBE")),
  control(0x17, "fetchCancel", S.bareRequest(p, "FETCH_CANCEL")),
];
const from18 = (p: Profile) => [
  ...from17(p),
  control(0x07, "requestOk", A.requestOk15(p)),
  control(0x50, "subscribeNamespace", N.subscribeNamespace18(p)),
  control(0x51, "subscribeTracks", N.subscribeTracks(p)),
];

const error14 = (p: Profile, type: number, name: string, request: Request) =>
  control(type, "requestError", A.requestError(p, name), [request]);

/** By the name that a profile has. What is listed first of a kind is what is sent. */
const MESSAGES: Readonly<Record<Profile["messages"], (p: Profile) => readonly Control[]>> = {
  "14": (p) => [
    ...counted(p),
    ...common(p),
    control(0x02, "update", S.update14(p)),
    control(0x03, "subscribe", S.subscribe14(p, "SUBSCRIBE")),
    control(0x04, "subscribeOk", S.subscribeOk14(p)),
    error14(p, 0x05, "SUBSCRIBE_ERROR", "subscribe"),
    control(0x07, "requestOk", A.bareOk14(p, "PUBLISH_NAMESPACE_OK"), ["publishNamespace"]),
    error14(p, 0x08, "PUBLISH_NAMESPACE_ERROR", "publishNamespace"),
    control(0x09, "publishNamespaceDone", N.publishNamespaceDone14(p)),
    control(0x0c, "publishNamespaceCancel", N.publishNamespaceCancel14(p)),
    control(0x0d, "trackStatus", S.subscribe14(p, "TRACK_STATUS")),
    control(0x0e, "requestOk", A.trackStatusOk14(p), ["trackStatus"]),
    error14(p, 0x0f, "TRACK_STATUS_ERROR", "trackStatus"),
    control(0x11, "subscribeNamespace", N.subscribeNamespace14(p)),
    control(0x12, "requestOk", A.bareOk14(p, "SUBSCRIBE_NAMESPACE_OK"), ["subscribeNamespace"]),
    error14(p, 0x13, "SUBSCRIBE_NAMESPACE_ERROR", "subscribeNamespace"),
    control(0x14, "unsubscribeNamespace", N.unsubscribeNamespace14(p)),
    control(0x16, "fetch", F.fetch14(p)),
    control(0x18, "fetchOk", F.fetchOk14(p)),
    error14(p, 0x19, "FETCH_ERROR", "fetch"),
    control(0x1d, "publish", P.publish14(p)),
    control(0x1e, "requestOk", A.publishOk14(p), ["publish"]),
    error14(p, 0x1f, "PUBLISH_ERROR", "publish"),
  ],
  "15": (p) => [
    ...counted(p),
    ...from15(p),
    otherOk(p),
    publishOk(p),
    control(0x02, "update", S.update15(p)),
    control(0x09, "publishNamespaceDone", N.publishNamespaceDone14(p)),
    control(0x0c, "publishNamespaceCancel", N.publishNamespaceCancel14(p)),
    control(0x11, "subscribeNamespace", N.subscribeNamespace14(p)),
    control(0x14, "unsubscribeNamespace", N.unsubscribeNamespace15(p)),
    control(0x16, "fetch", F.fetch15(p)),
  ],
  "16": (p) => [
    ...counted(p),
    ...from15(p),
    ...namespaceAnswers(p),
    otherOk(p),
    publishOk(p),
    control(0x02, "update", S.update15(p)),
    control(0x09, "publishNamespaceDone", N.publishNamespaceDone16(p)),
    control(0x0c, "publishNamespaceCancel", N.publishNamespaceCancel16(p)),
    control(0x11, "subscribeNamespace", N.subscribeNamespace16(p)),
    control(0x16, "fetch", F.fetch15(p)),
  ],
  "17": (p) => [
    ...from17(p),
    otherOk(p),
    publishOk(p),
    control(0x11, "subscribeNamespace", N.subscribeNamespace16(p)),
    control(0x16, "fetch", F.fetch15(p)),
  ],
  // PUBLISH_OK has the number of REQUEST_OK; the draft's own table still lists its old one, so that is read.
  "18": (p) => [
    ...from18(p),
    control(0x16, "fetch", F.fetch15(p)),
    control(0x1e, "requestOk", A.requestOk15(p, "PUBLISH_OK", "publishOk"), []),
  ],
  "20": (p) => [
    ...from18(p),
    control(0x16, "fetch", F.fetch20(p)),
    control(0x22, "publishStateNotify", P.publishStateNotify(p)),
  ],
};

/** One draft: how it differs, and its messages. */
export class Dialect {
  readonly #controls: readonly Control[];
  readonly #tolerated: readonly Control[];

  constructor(readonly profile: Profile) {
    this.#controls = MESSAGES[profile.messages](profile);
    this.#tolerated = profile.requestStreams ? tolerated(profile) : [];
  }

  /** All there are, in no order. */
  get controls(): readonly Control[] {
    return this.#controls;
  }

  /** Whether the draft has such a message. */
  has(kind: Kind): boolean {
    return this.#controls.some((one) => one.kind === kind);
  }

  /** Whether the draft has such an answer to this. */
  answers(kind: "requestOk" | "requestError", request: Request): boolean {
    return this.#sent(kind, request) !== undefined;
  }

  #sent(kind: Kind, answers?: Request): Control | undefined {
    return this.#controls.find((one) =>
      one.kind === kind && (one.answers === undefined || one.answers.includes(answers!))
    );
  }

  /** What a type number stands for; `undefined` is a violation. A SETUP of both sides is the client's. */
  byType(type: number): Control | undefined {
    const isIt = (one: Control) => one.type === type;
    return this.#controls.find(isIt) ?? this.#tolerated.find(isIt);
  }

  /**
   * Reads type and length of the message that `bytes` begin with; judged before anything of the body is kept.
   *
   * @returns `undefined` when more is needed, {@link MAX_CONTROL_HEAD_BYTES} at most.
   * @throws {ProtocolViolation} The draft has no such message, or none of that length.
   */
  readHead(bytes: Uint8Array): ControlHead | undefined {
    const { varints } = this.profile;
    if (bytes.length === 0) return undefined;
    const width = varints.width(bytes[0]!);
    if (width === 0) throw new ProtocolViolation("control message", `type of byte ${bytes[0]}`);
    if (bytes.length < width + 2) return undefined;
    const type = varints.get(bytes, 0);
    const { message } = this.#known(type);
    const bodyLength = bytes[width]! * 256 + bytes[width + 1]!;
    if (bodyLength > message.maxBytes) {
      const most = `at most ${message.maxBytes} taken`;
      throw new ProtocolViolation(message.name, `${bodyLength} bytes announced, ${most}`);
    }
    return { type, name: message.name, length: width + 2, bodyLength };
  }

  #known(type: number): Control {
    const found = this.byType(type);
    if (found === undefined) throw new ProtocolViolation("control message", `unknown type ${type}`);
    return found;
  }

  /** @throws {ProtocolViolation} The draft has no such message, or the body is broken. */
  decode(type: number, body: Uint8Array): ControlMessage {
    const found = this.#known(type);
    return { kind: found.kind, value: found.message.decode(body) } as ControlMessage;
  }

  /**
   * The whole message with type and length, in a buffer of the caller's own.
   *
   * @param answers What REQUEST_OK or REQUEST_ERROR answers: up to 17 their type depends on it.
   * @throws {RangeError} The draft has no such message, or the value has no place in it.
   */
  encode<K extends Kind>(kind: K, value: Messages[K], answers?: Request): Uint8Array {
    const found = this.#sent(kind, answers);
    if (found === undefined) {
      throw new RangeError(`Cannot encode ${kind}: ${this.profile.name} has no such message`);
    }
    return this.framed(found.type, (found.message as Message<Messages[K]>).encode(value));
  }

  /** A body with its type and its length, which has 16 bits, in front. @throws {RangeError} */
  framed(type: number, body: Uint8Array): Uint8Array {
    const w = new Writer(this.profile.varints);
    w.varint(type);
    w.u16(body.length);
    w.put(body);
    return w.done();
  }
}

/** Made when they are first asked for. */
const DIALECTS = new Map<Profile, Dialect>();

/** The messages of a draft. */
export function dialectOf(profile: Profile): Dialect {
  let found = DIALECTS.get(profile);
  if (found === undefined) DIALECTS.set(profile, found = new Dialect(profile));
  return found;
}

/** As {@link dialectOf}, by the draft's number. */
export function dialectOfDraft(draft: Draft): Dialect {
  return dialectOf(profileOf(draft));
}
