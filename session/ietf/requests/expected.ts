/**
 * Who may say what about a request. Spec: draft-ietf-moq-transport-18, "Control Messages".
 *
 * @module
 */
import type { ControlMessage, Kind } from "../../../wire/ietf/dialect.ts";
import type { RequestMessage } from "../exchange.ts";

type Asked = RequestMessage["kind"];

const NOTHING: readonly Kind[] = [];
const ACCEPTED: readonly Kind[] = ["requestOk", "requestError"];

/** What the other side may say about a request of ours. */
const OF_OURS: Readonly<Record<Asked, readonly Kind[]>> = {
  subscribe: ["subscribeOk", "requestError", "publishDone", "publishStateNotify"],
  fetch: ["fetchOk", "requestError"],
  trackStatus: ACCEPTED,
  publish: [...ACCEPTED, "update", "unsubscribe"],
  publishNamespace: [...ACCEPTED, "publishNamespaceCancel"],
  subscribeNamespace: [...ACCEPTED, "namespace", "namespaceDone", "publishBlocked"],
  subscribeTracks: [...ACCEPTED, "publishBlocked"],
};

/** What the peer may say about a request of its own. */
const OF_THEIRS: Readonly<Record<Asked, readonly Kind[]>> = {
  subscribe: ["update", "unsubscribe"],
  fetch: ["update", "fetchCancel"],
  trackStatus: NOTHING,
  publish: ["update", "publishDone", "publishStateNotify"],
  publishNamespace: ["update", "publishNamespaceDone"],
  subscribeNamespace: ["update", "unsubscribeNamespace"],
  subscribeTracks: ["update"],
};

/** Whether the peer may say this. */
export function mayHear(kind: Kind, request: Asked, ours: boolean): boolean {
  return (ours ? OF_OURS : OF_THEIRS)[request].includes(kind);
}

const ANSWERS: ReadonlySet<Kind> = new Set<Kind>([
  "subscribeOk",
  "fetchOk",
  "requestOk",
  "requestError",
]);

/** Whether it answers a request: there is one of it. */
export function isAnswer(kind: Kind): boolean {
  return ANSWERS.has(kind);
}

const ENDS: ReadonlySet<Kind> = new Set<Kind>([
  "unsubscribe",
  "fetchCancel",
  "publishNamespaceDone",
  "publishNamespaceCancel",
  "unsubscribeNamespace",
]);

/** Whether it takes a request back, or gives one up. */
export function isEnd(kind: Kind): boolean {
  return ENDS.has(kind);
}

/** Whether nothing follows it. */
export function isLast(kind: Kind): boolean {
  return kind === "requestError" || kind === "publishDone";
}

/** Whether it asks for something. */
export function isRequest(message: ControlMessage): message is RequestMessage {
  return Object.hasOwn(OF_OURS, message.kind);
}
