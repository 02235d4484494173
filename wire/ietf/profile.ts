/**
 * What differs between the drafts of the IETF's moq-transport, one row each. Everything else asks the row: no draft's
 * number is compared anywhere. Spec: draft-ietf-moq-transport-14 … -22.
 *
 * @module
 */
import { QUIC_VARINTS, type Varints } from "../varint.ts";
import { VI64, VI64_OF_17 } from "./vi64.ts";

/** The number of a draft that is spoken. */
export type Draft = 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22;

/** How the objects of a fetch stream are written. */
export type FetchLayout =
  /** Every field, in every object. */
  | "full"
  /** Flags say which fields there are; groups and objects are absolute. */
  | "absolute"
  /** As above, groups and objects as differences from the one before. */
  | "delta";

/** How the filter by location is written. */
export type FilterForm =
  /** A type, then its fields. The end group is absolute. */
  | "absolute"
  /** As above, with the end group as a difference from the start group. */
  | "delta"
  /** Up to four fields; their number says what they mean. */
  | "counted"
  /** A type that says the fields, and no length in front of it. */
  | "typed";

/** One draft: its names, and how it differs. */
export interface Profile {
  readonly draft: Draft;
  /** As in configuration and logs. */
  readonly name: `moq-transport-${Draft}`;
  /** ALPN of raw QUIC, and the name in WebTransport's `WT-Protocol`. Draft 14 has no such name there. */
  readonly alpn: string;
  /** The version's number in SETUP, where SETUP settles it. */
  readonly setupVersion: number | undefined;
  readonly varints: Varints;

  /** One bidirectional control stream, or a unidirectional one each way. */
  readonly control: "bidi" | "uni";
  /** Whether each request has a stream of its own: then answers name no request. */
  readonly requestStreams: boolean;
  /** Whether SUBSCRIBE_NAMESPACE has a stream of its own. */
  readonly namespaceStream: boolean;
  /** Whether there is MAX_REQUEST_ID: requests need the peer's leave, and are numbered without gaps. */
  readonly maxRequestId: boolean;
  /** Whether a request names one that has to be processed before it. */
  readonly requiredRequestId: boolean;
  /** Whether FIN of the requester takes a request back, where that has a stream of its own. */
  readonly finCancels: boolean;

  /** Whether a type of a key-value pair is the difference from the one before. */
  readonly pairDeltas: boolean;
  /** Whether the options of SETUP are counted; otherwise they fill the message. */
  readonly countedSetup: boolean;
  /** Whether each parameter has an encoding of its own; otherwise they are key-value pairs. */
  readonly typedParameters: boolean;
  /** Whether a parameter of an odd type has its length in front, as a key-value pair has. In no draft that has typed ones. */
  readonly sizedOddParameters: boolean;
  /** Which parameters there are and where: a row of `scopes.ts`. */
  readonly scope: "14" | "15" | "16" | "17" | "18" | "19" | "20";
  /** Whether a parameter nobody defined ends the session. */
  readonly refusesUnknown: boolean;
  /** Whether a parameter in a message where it has no place ends the session. */
  readonly refusesMisplaced: boolean;
  /** Which messages there are: a row of `dialect.ts`. */
  readonly messages: "14" | "15" | "16" | "17" | "18" | "20";
  /** Which codes there are: a row of `codes.ts`. */
  readonly codes: "14" | "15" | "16" | "17" | "18" | "19" | "20";

  /** Whether namespaces that begin with a dot are for the two ends of a session alone. */
  readonly reservedNames: boolean;
  /** Fewest fields of a namespace. */
  readonly minNamespaceFields: 0 | 1;
  /** Whether a field of a namespace may be empty. */
  readonly emptyFields: boolean;
  readonly filter: FilterForm;
  /** Whether FETCH and FETCH_OK name the last object; otherwise the one behind it. */
  readonly fetchEndInclusive: boolean;
  /** Whether REQUEST_ERROR says when to try again, and where else. */
  readonly retryInterval: boolean;
  readonly redirect: boolean;
  /** Whether messages end with the track's properties, and REQUEST_OK too. */
  readonly trackProperties: boolean;
  readonly propertiesInOk: boolean;
  /** What GOAWAY has behind the URI. */
  readonly goaway: "nothing" | "timeout" | "timeout and request";
  /** Whether one session may subscribe to one track twice. */
  readonly manySubscriptions: boolean;
  /** Whether a subscription may name no filter. Otherwise each update repeats one too. */
  readonly unfilteredSubscribe: boolean;
  /** Whether PUBLISH_OK says what the subscriber wants. Otherwise only an update does. */
  readonly wishesInPublishOk: boolean;
  /** Whether there are properties that forbid to forward a track to who does not know them. */
  readonly mandatoryProperties: boolean;

  /** Most bits of a subgroup stream's type: 0x20 leaves out the priority, 0x40 says that it begins with the first object. */
  readonly subgroupTypeMask: number;
  /** Types of datagrams: draft 14 has few, later ones combine bits freely. */
  readonly datagramTypes: "listed" | "bits";
  /** Values of an object's status. */
  readonly statuses: readonly number[];
  /** Whether an object with another status than normal may have properties. */
  readonly statusWithProperties: boolean;
  readonly fetchLayout: FetchLayout;
  /** Whether an empty object of a fetch stream has a status. */
  readonly fetchStatus: boolean;
  /** Whether a fetched object says that it was a datagram; otherwise its subgroup is its object id. */
  readonly fetchDatagrams: boolean;
  /** Values in place of a fetched object's flags that end a range of missing objects. */
  readonly rangeMarkers: readonly number[];
  /** Whether there are padding streams and datagrams. */
  readonly padding: boolean;
}

const d14: Profile = {
  draft: 14,
  name: "moq-transport-14",
  alpn: "moq-00",
  setupVersion: 0xff00000e,
  varints: QUIC_VARINTS,
  control: "bidi",
  requestStreams: false,
  namespaceStream: false,
  maxRequestId: true,
  requiredRequestId: false,
  finCancels: false,
  pairDeltas: false,
  countedSetup: true,
  typedParameters: false,
  sizedOddParameters: true,
  scope: "14",
  refusesUnknown: false,
  refusesMisplaced: false,
  messages: "14",
  codes: "14",
  reservedNames: false,
  minNamespaceFields: 1,
  emptyFields: true,
  filter: "absolute",
  fetchEndInclusive: false,
  retryInterval: false,
  redirect: false,
  trackProperties: false,
  propertiesInOk: false,
  goaway: "nothing",
  manySubscriptions: false,
  unfilteredSubscribe: false,
  wishesInPublishOk: true,
  mandatoryProperties: false,
  subgroupTypeMask: 0x1f,
  datagramTypes: "listed",
  statuses: [0, 1, 3, 4],
  statusWithProperties: true,
  fetchLayout: "full",
  fetchStatus: true,
  fetchDatagrams: false,
  rangeMarkers: [],
  padding: false,
};
const d15: Profile = {
  ...d14,
  draft: 15,
  name: "moq-transport-15",
  alpn: "moqt-15",
  setupVersion: undefined,
  scope: "15",
  messages: "15",
  codes: "15",
  unfilteredSubscribe: true,
  subgroupTypeMask: 0x3f,
  datagramTypes: "bits",
  statusWithProperties: false,
  fetchLayout: "absolute",
};
const d16: Profile = {
  ...d15,
  draft: 16,
  name: "moq-transport-16",
  alpn: "moqt-16",
  namespaceStream: true,
  finCancels: true,
  pairDeltas: true,
  scope: "16",
  refusesUnknown: true,
  messages: "16",
  codes: "16",
  emptyFields: false,
  retryInterval: true,
  trackProperties: true,
  statuses: [0, 3, 4],
  fetchStatus: false,
  fetchDatagrams: true,
  rangeMarkers: [0x8c, 0x10c],
};
const d17: Profile = {
  ...d16,
  draft: 17,
  name: "moq-transport-17",
  alpn: "moqt-17",
  varints: VI64_OF_17,
  control: "uni",
  requestStreams: true,
  maxRequestId: false,
  requiredRequestId: true,
  countedSetup: false,
  typedParameters: true,
  sizedOddParameters: false,
  scope: "17",
  refusesMisplaced: true,
  messages: "17",
  codes: "17",
  minNamespaceFields: 0,
  filter: "delta",
  goaway: "timeout",
};
const d18: Profile = {
  ...d17,
  draft: 18,
  name: "moq-transport-18",
  alpn: "moqt-18",
  varints: VI64,
  requiredRequestId: false,
  scope: "18",
  messages: "18",
  codes: "18",
  redirect: true,
  propertiesInOk: true,
  mandatoryProperties: true,
  reservedNames: true,
  goaway: "timeout and request",
  subgroupTypeMask: 0x7f,
  fetchLayout: "delta",
  padding: true,
};
const d19: Profile = {
  ...d18,
  draft: 19,
  name: "moq-transport-19",
  alpn: "moqt-19",
  finCancels: false,
  scope: "19",
  codes: "19",
  goaway: "timeout",
  manySubscriptions: true,
};
const d20: Profile = {
  ...d19,
  draft: 20,
  name: "moq-transport-20",
  alpn: "moqt-20",
  scope: "20",
  messages: "20",
  codes: "20",
  filter: "counted",
  wishesInPublishOk: false,
  fetchEndInclusive: true,
  rangeMarkers: [0x8c, 0x10c, 0x20c],
};
const d21: Profile = { ...d20, draft: 21, name: "moq-transport-21", alpn: "moqt-21" };
const d22: Profile = {
  ...d21,
  draft: 22,
  name: "moq-transport-22",
  alpn: "moqt-22",
  filter: "typed",
};

/** Every draft, newest first. */
export const PROFILES: readonly Profile[] = [d22, d21, d20, d19, d18, d17, d16, d15, d14];

/** What a draft is like. */
export function profileOf(draft: Draft): Profile {
  return PROFILES.find((p) => p.draft === draft)!;
}

/** The same draft as peers write it that take their typed parameters for key-value pairs. */
export function withSizedParameters(profile: Profile): Profile {
  let found = SIZED.get(profile);
  if (found === undefined) SIZED.set(profile, found = { ...profile, sizedOddParameters: true });
  return found;
}
/** Made when they are first asked for. */
const SIZED = new Map<Profile, Profile>();

/** The draft that ALPN or `WT-Protocol` names; draft 14's name there is settled by SETUP instead. */
export function profileByAlpn(alpn: string): Profile | undefined {
  return PROFILES.find((p) => p.alpn === alpn && p.setupVersion === undefined);
}
