/**
 * Which parameters each draft has, and in which of its messages. Spec: draft-ietf-moq-transport-14 … -19, "Message
 * Parameters"; as peers write 20 to 22.
 *
 * @module
 */
import type { ParameterKey } from "./parameters.ts";

/** Messages that have parameters, and the list of parameters within FILL_PARAMETERS. */
export type Scope =
  | "subscribe"
  | "subscribeOk"
  | "update"
  | "publish"
  | "publishOk"
  | "requestOk"
  | "publishNamespace"
  | "subscribeNamespace"
  | "subscribeTracks"
  | "fetch"
  | "fetchOk"
  | "trackStatus"
  | "publishStateNotify"
  | "fill";

/** One draft: its parameters by message. A message that is not named has none. */
export type ScopeTable = Readonly<Partial<Record<Scope, readonly ParameterKey[]>>>;

const TOKENS = ["tokens"] as const;

/** What draft 14 has beside the fields of its messages. */
const scopes14: ScopeTable = {
  subscribe: ["deliveryTimeoutMs", ...TOKENS],
  subscribeOk: ["deliveryTimeoutMs", "maxCacheMs"],
  update: ["deliveryTimeoutMs", ...TOKENS],
  publish: ["deliveryTimeoutMs", ...TOKENS, "maxCacheMs"],
  publishOk: ["deliveryTimeoutMs"],
  requestOk: ["deliveryTimeoutMs", "maxCacheMs"],
  publishNamespace: TOKENS,
  subscribeNamespace: TOKENS,
  fetch: TOKENS,
  fetchOk: ["maxCacheMs"],
  trackStatus: ["deliveryTimeoutMs", ...TOKENS],
};

const TRACK_15 = [
  ...["deliveryTimeoutMs", "maxCacheMs", "expiresMs", "largest", "publisherPriority"],
  ...["groupOrder", "dynamicGroups"],
] as readonly ParameterKey[];
const SUBSCRIBE_15 = [
  ...["deliveryTimeoutMs", "tokens", "forward", "priority", "filter", "groupOrder", "newGroup"],
] as readonly ParameterKey[];
const UPDATE_15 = SUBSCRIBE_15.filter((key) => key !== "groupOrder");
const PUBLISH_OK_15: readonly ParameterKey[] = [
  ...["deliveryTimeoutMs", "expiresMs", "forward", "priority", "filter", "groupOrder"] as const,
  "newGroup",
];
const scopes15: ScopeTable = {
  subscribe: SUBSCRIBE_15,
  subscribeOk: TRACK_15,
  update: UPDATE_15,
  publish: [...TRACK_15, "tokens", "forward"],
  publishOk: PUBLISH_OK_15,
  requestOk: [...TRACK_15, "forward"],
  publishNamespace: TOKENS,
  subscribeNamespace: ["tokens", "forward"],
  fetch: ["tokens", "priority", "groupOrder"],
  fetchOk: ["maxCacheMs"],
  trackStatus: SUBSCRIBE_15,
};
/** What is said of a track has become its properties. */
const scopes16: ScopeTable = {
  ...scopes15,
  subscribeOk: ["expiresMs", "largest"],
  publish: ["tokens", "expiresMs", "largest", "forward"],
  requestOk: ["expiresMs", "largest"],
  fetchOk: [],
};

const SUBSCRIBE_17: readonly ParameterKey[] = [...SUBSCRIBE_15, "rendezvousTimeoutMs"];
/** TRACK_STATUS is written as SUBSCRIBE is; a peer may take that to the letter. */
const scopes17: ScopeTable = { ...scopes16, subscribe: SUBSCRIBE_17, trackStatus: SUBSCRIBE_17 };

const SUBSCRIBE_18: readonly ParameterKey[] = [...SUBSCRIBE_17, "subgroupTimeoutMs"];
const UPDATE_18: readonly ParameterKey[] = [...UPDATE_15, "subgroupTimeoutMs", "prefix"];
const PUBLISH_OK_18: readonly ParameterKey[] = [...PUBLISH_OK_15, "subgroupTimeoutMs"];
const { publishOk: _, ...withoutPublishOk } = scopes17;
/** PUBLISH_OK is a REQUEST_OK. */
const scopes18: ScopeTable = {
  ...withoutPublishOk,
  subscribe: SUBSCRIBE_18,
  update: UPDATE_18,
  // moq-rs writes how long an object may take in its PUBLISH, which only later drafts do.
  publish: [...scopes17.publish!, "deliveryTimeoutMs", "subgroupTimeoutMs"],
  publishOk: PUBLISH_OK_18,
  requestOk: [...PUBLISH_OK_18, "largest"],
  subscribeNamespace: TOKENS,
  subscribeTracks: ["tokens", "forward"],
  fetch: ["tokens", "fillTimeoutMs", "priority", "groupOrder"],
  trackStatus: SUBSCRIBE_18,
};

/** Conditions on objects have come. */
const scopes19: ScopeTable = {
  ...scopes18,
  subscribe: [...SUBSCRIBE_18, "rangeFilters"],
  update: [...UPDATE_18, "rangeFilters"],
  publishOk: [...PUBLISH_OK_18, "rangeFilters"],
  requestOk: [...PUBLISH_OK_18, "largest", "rangeFilters"],
  subscribeTracks: ["tokens", "forward", "groupOrder", "rangeFilters"],
  fetch: ["tokens", "fillTimeoutMs", "priority", "groupOrder", "rangeFilters"],
};

const SUBSCRIBE_20: readonly ParameterKey[] = [
  ...SUBSCRIBE_18,
  ...["fill", "rangeFilters", "includeProperties"] as const,
];
/** The publisher states what it takes to be wished, in PUBLISH; PUBLISH_OK only says how long it lasts. */
const scopes20: ScopeTable = {
  ...scopes19,
  subscribe: SUBSCRIBE_20,
  subscribeOk: ["expiresMs", "largest"],
  update: [...UPDATE_18, "fill", "rangeFilters"],
  publish: [
    ...["tokens", "expiresMs", "largest", "forward", "deliveryTimeoutMs"] as const,
    ...["subgroupTimeoutMs", "priority", "filter", "groupOrder"] as const,
  ],
  publishOk: ["expiresMs"],
  requestOk: ["expiresMs", "largest"],
  subscribeTracks: SUBSCRIBE_20,
  fetch: [
    ...["tokens", "fillTimeoutMs", "priority", "filter", "groupOrder", "rangeFilters"] as const,
    "includeProperties",
  ],
  fetchOk: [],
  trackStatus: SUBSCRIBE_20,
  publishStateNotify: ["largest", "forward", "filter"],
  fill: ["fillTimeoutMs", "priority", "filter", "groupOrder", "rangeFilters"],
};

/** By the name that a profile has. */
export const SCOPES = {
  "14": scopes14,
  "15": scopes15,
  "16": scopes16,
  "17": scopes17,
  "18": scopes18,
  "19": scopes19,
  "20": scopes20,
} as const;
