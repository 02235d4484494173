/**
 * Namespaces: those that a publisher has, and who wants to hear of them.
 * Spec: draft-ietf-moq-transport-14 … -19, "PUBLISH_NAMESPACE", "SUBSCRIBE_NAMESPACE", "SUBSCRIBE_TRACKS".
 *
 * @module
 */
import type { Reader } from "../../cursor.ts";
import { absent, type Field, type Message, varint } from "../../message.ts";
import { reason } from "../fields.ts";
import { type Namespace, namespace, namespacePrefix, namespaceSuffix } from "../names.ts";
import { parameters } from "../parameter_codec.ts";
import type { Parameters } from "../parameters.ts";
import type { Profile } from "../profile.ts";
import { declare, MAX_NAMED_BYTES, requestId, required } from "./parts.ts";
import { capped, unread } from "../integers.ts";

/** PUBLISH_NAMESPACE: tracks of this namespace, and below it, can be asked for. */
export interface PublishNamespace {
  readonly requestId: number;
  readonly namespace: Namespace;
  readonly parameters: Parameters;
}

export function publishNamespace(p: Profile): Message<PublishNamespace> {
  return declare(p, "PUBLISH_NAMESPACE", {
    requestId: requestId(p),
    namespace: namespace(p),
    parameters: parameters(p, "publishNamespace"),
  });
}

/** PUBLISH_NAMESPACE_DONE (up to 16): names the namespace (14, 15), or the request that has published it. */
export interface PublishNamespaceDone {
  readonly requestId: number | undefined;
  readonly namespace: Namespace | undefined;
}
const noId = absent<number | undefined>(undefined);
const noNamespace = absent<Namespace | undefined>(undefined);

export function publishNamespaceDone14(p: Profile): Message<PublishNamespaceDone> {
  return declare(p, "PUBLISH_NAMESPACE_DONE", {
    requestId: noId,
    namespace: required(namespace(p)),
  }, MAX_NAMED_BYTES);
}
export function publishNamespaceDone16(p: Profile): Message<PublishNamespaceDone> {
  return declare(p, "PUBLISH_NAMESPACE_DONE", {
    requestId: required(varint),
    namespace: noNamespace,
  }, MAX_NAMED_BYTES);
}

/** PUBLISH_NAMESPACE_CANCEL (up to 16): whoever accepted the namespace does not want it any more. */
export interface PublishNamespaceCancel extends PublishNamespaceDone {
  /** Why: a code of REQUEST_ERROR. */
  readonly code: number;
  readonly reason: string;
}

export function publishNamespaceCancel14(p: Profile): Message<PublishNamespaceCancel> {
  return declare(p, "PUBLISH_NAMESPACE_CANCEL", {
    requestId: noId,
    namespace: required(namespace(p)),
    code: capped,
    reason,
  }, MAX_NAMED_BYTES);
}
export function publishNamespaceCancel16(p: Profile): Message<PublishNamespaceCancel> {
  return declare(p, "PUBLISH_NAMESPACE_CANCEL", {
    requestId: required(varint),
    namespace: noNamespace,
    code: capped,
    reason,
  }, MAX_NAMED_BYTES);
}

/** What a subscriber wants to hear of below a prefix: tracks by PUBLISH, namespaces, or both. */
export type Wanted = "tracks" | "namespaces" | "both";

/** SUBSCRIBE_NAMESPACE, and SUBSCRIBE_TRACKS (18+). */
export interface SubscribeNamespace {
  readonly requestId: number;
  readonly prefix: Namespace;
  /** Only 16 and 17 leave the choice; elsewhere the message says it. */
  readonly wanted: Wanted;
  readonly parameters: Parameters;
}

const WANTED: readonly Wanted[] = ["tracks", "namespaces", "both"];
const wanted: Field<Wanted> = {
  write: (w, v) => w.varint(WANTED.indexOf(v)),
  read(r) {
    const code = r.roundedVarint();
    return WANTED[code] ?? failed(r.fail(`subscribe options ${code}`));
  },
};

function failed(error: Error): never {
  throw error;
}

function subscribeNamespace(
  p: Profile,
  name: "SUBSCRIBE_NAMESPACE" | "SUBSCRIBE_TRACKS",
  choice: Field<Wanted>,
): Message<SubscribeNamespace> {
  return declare(p, name, {
    requestId: requestId(p),
    prefix: namespacePrefix(p),
    wanted: choice,
    parameters: parameters(
      p,
      name === "SUBSCRIBE_TRACKS" ? "subscribeTracks" : "subscribeNamespace",
    ),
  });
}
export const subscribeNamespace14 = (p: Profile) =>
  subscribeNamespace(p, "SUBSCRIBE_NAMESPACE", absent<Wanted>("both"));
export const subscribeNamespace16 = (p: Profile) =>
  subscribeNamespace(p, "SUBSCRIBE_NAMESPACE", wanted);
export const subscribeNamespace18 = (p: Profile) =>
  subscribeNamespace(p, "SUBSCRIBE_NAMESPACE", absent<Wanted>("namespaces"));
export const subscribeTracks = (p: Profile) =>
  subscribeNamespace(p, "SUBSCRIBE_TRACKS", absent<Wanted>("tracks"));

/** UNSUBSCRIBE_NAMESPACE (14, 15): names the prefix (14), or the request. */
export interface UnsubscribeNamespace {
  readonly requestId: number | undefined;
  readonly prefix: Namespace | undefined;
}

/** Draft 14 names the prefix. moq-net writes the request's number instead: one integer, which no prefix is. */
export function unsubscribeNamespace14(p: Profile): Message<UnsubscribeNamespace> {
  const prefix = required(namespacePrefix(p));
  return declare(p, "UNSUBSCRIBE_NAMESPACE", {
    requestId: {
      write() {},
      read: (r: Reader) => isOneVarint(r) ? r.varint() : undefined,
    },
    prefix: { write: prefix.write, read: (r: Reader) => r.left === 0 ? undefined : prefix.read(r) },
  }, MAX_NAMED_BYTES);
}

function isOneVarint(r: Reader): boolean {
  return r.left > 0 && r.varints.width(unread(r)[0]!) === r.left;
}

export function unsubscribeNamespace15(p: Profile): Message<UnsubscribeNamespace> {
  return declare(p, "UNSUBSCRIBE_NAMESPACE", {
    requestId: required(varint),
    prefix: noNamespace,
  }, MAX_NAMED_BYTES);
}

/** NAMESPACE and NAMESPACE_DONE (16+): what a namespace has behind the prefix, there or gone. */
export interface NamespaceSuffix {
  readonly suffix: Namespace;
}

export function namespaceThere(
  p: Profile,
  name: "NAMESPACE" | "NAMESPACE_DONE",
): Message<NamespaceSuffix> {
  return declare(p, name, { suffix: namespaceSuffix(p) }, MAX_NAMED_BYTES);
}
