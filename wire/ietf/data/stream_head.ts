/**
 * The heads of unidirectional streams: of a subgroup, of the answer to a fetch, of padding. A control stream of 17+ has no
 * head but the type of SETUP. Spec: draft-ietf-moq-transport-18, "Data Streams and Datagrams".
 *
 * @module
 */
import { Reader, Writer } from "../../cursor.ts";
import { ProtocolViolation } from "../../errors.ts";
import { absent, type Field, u8, varint } from "../../message.ts";
import type { Profile } from "../profile.ts";
import { wide, type WideInteger } from "../integers.ts";

/** The stream's objects belong to one subgroup of one group. */
export interface SubgroupHeader {
  readonly alias: WideInteger;
  readonly group: number;
  /** Absent: the id of the first object on the stream. */
  readonly subgroup: number | undefined;
  /** The publisher's, 0 goes first. Absent: that of the track. */
  readonly priority: number | undefined;
  /** Whether each object has properties, if only empty ones. */
  readonly properties: boolean;
  /** Whether the last object before FIN is the last of the group. */
  readonly endOfGroup: boolean;
  /** Whether the stream begins with the first object of the subgroup that was ever published. Up to 17 nobody says. */
  readonly firstObject: boolean | undefined;
}

/** What a stream is, and how many bytes of it say so. */
export type StreamHead =
  | { readonly kind: "subgroup"; readonly length: number; readonly header: SubgroupHeader }
  | { readonly kind: "fetch"; readonly length: number; readonly requestId: number }
  | { readonly kind: "padding"; readonly length: number }
  /** SETUP begins the stream: its type is the stream's, and is to be read again. */
  | { readonly kind: "control"; readonly length: 0 };

/** Longest head: four integers and a priority. */
export const MAX_STREAM_HEAD_BYTES = 4 * 9 + 1;

const FETCH_HEADER = 0x05;
const PADDING_STREAM = 0x132b3e28;
/** Type of SETUP, where each side has a control stream of its own (17+). */
export const SETUP_STREAM = 0x2f00;
const WHERE = "stream head";

const TYPE = { base: 0x10, properties: 0x01, endOfGroup: 0x08, noPriority: 0x20, first: 0x40 };
/** How the subgroup is named, as bits of the type. */
const SUBGROUP = { bits: 0x06, zero: 0x00, firstObject: 0x02, explicit: 0x04 };

function isSubgroup(type: number, profile: Profile): boolean {
  return type <= profile.subgroupTypeMask && (type & TYPE.base) !== 0 &&
    (type & SUBGROUP.bits) !== SUBGROUP.bits;
}

interface Layout {
  readonly subgroup: Field<number | undefined>;
  readonly priority: Field<number | undefined>;
}
const explicit = varint as Field<number | undefined>;
const priority = u8 as Field<number | undefined>;
const nothing = absent<number | undefined>(undefined);
const zero = absent<number | undefined>(0);

function layout(type: number): Layout {
  const named = type & SUBGROUP.bits;
  return {
    subgroup: named === SUBGROUP.explicit ? explicit : named === SUBGROUP.zero ? zero : nothing,
    priority: (type & TYPE.noPriority) !== 0 ? nothing : priority,
  };
}

/**
 * Reads what a stream is.
 *
 * @param bytes What has come so far, from the stream's beginning.
 * @returns `undefined` when more is needed, {@link MAX_STREAM_HEAD_BYTES} at most.
 * @throws {ProtocolViolation} There is no such stream, or a number in its head is too large.
 */
export function readStreamHead(bytes: Uint8Array, profile: Profile): StreamHead | undefined {
  const behindType = behindVarints(bytes, 0, 1, profile);
  if (behindType < 0) return undefined;
  const type = profile.varints.get(bytes, 0);
  if (isSubgroup(type, profile)) return subgroupHead(bytes, behindType, type, profile);
  if (type === FETCH_HEADER) {
    const length = behindVarints(bytes, behindType, 1, profile);
    if (length < 0) return undefined;
    const r = new Reader(bytes.subarray(behindType, length), WHERE, profile.varints);
    return { kind: "fetch", length, requestId: r.varint() };
  }
  if (type === PADDING_STREAM && profile.padding) return { kind: "padding", length: behindType };
  if (type === SETUP_STREAM && profile.control === "uni") return { kind: "control", length: 0 };
  throw new ProtocolViolation(WHERE, `unknown type ${type}`);
}

function subgroupHead(
  bytes: Uint8Array,
  from: number,
  type: number,
  profile: Profile,
): StreamHead | undefined {
  const { subgroup, priority } = layout(type);
  const integers = subgroup === explicit ? 3 : 2;
  const behind = behindVarints(bytes, from, integers, profile);
  const length = behind + (priority === nothing ? 0 : 1);
  if (behind < 0 || length > bytes.length) return undefined;
  const r = new Reader(bytes.subarray(from, length), WHERE, profile.varints);
  const saysFirst = (profile.subgroupTypeMask & TYPE.first) !== 0;
  const header: SubgroupHeader = {
    alias: wide.read(r),
    group: r.varint(),
    subgroup: subgroup.read(r),
    priority: priority.read(r),
    properties: (type & TYPE.properties) !== 0,
    endOfGroup: (type & TYPE.endOfGroup) !== 0,
    firstObject: saysFirst ? (type & TYPE.first) !== 0 : undefined,
  };
  return { kind: "subgroup", length, header };
}

/** The type that a stream begins with. It is to be read again. `undefined` when more is needed. @throws {ProtocolViolation} */
export function peekStreamType(
  bytes: Uint8Array,
  profile: Profile,
): { readonly length: 0; readonly type: number } | undefined {
  if (behindVarints(bytes, 0, 1, profile) < 0) return undefined;
  return { length: 0, type: profile.varints.get(bytes, 0) };
}

/** Where so many integers end, or -1 when they are not all here. @throws {ProtocolViolation} */
function behindVarints(bytes: Uint8Array, from: number, count: number, profile: Profile): number {
  let at = from;
  for (let i = 0; i < count; i++) {
    if (at >= bytes.length) return -1;
    const width = profile.varints.width(bytes[at]!);
    if (width === 0) throw new ProtocolViolation(WHERE, `no varint begins with byte ${bytes[at]}`);
    at += width;
  }
  return at > bytes.length ? -1 : at;
}

/** The head of a subgroup's stream. @throws {RangeError} The draft has no such header. */
export function encodeSubgroupHeader(header: SubgroupHeader, profile: Profile): Uint8Array {
  let type = TYPE.base;
  if (header.properties) type |= TYPE.properties;
  if (header.endOfGroup) type |= TYPE.endOfGroup;
  if (header.subgroup === undefined) type |= SUBGROUP.firstObject;
  else if (header.subgroup !== 0) type |= SUBGROUP.explicit;
  if (header.priority === undefined) type |= TYPE.noPriority;
  if (header.firstObject === true) type |= TYPE.first & profile.subgroupTypeMask;
  if (!isSubgroup(type, profile)) {
    throw new RangeError(`Cannot encode a subgroup without a priority in ${profile.name}`);
  }
  const { subgroup, priority } = layout(type);
  const w = new Writer(profile.varints);
  w.varint(type);
  wide.write(w, header.alias);
  w.varint(header.group);
  subgroup.write(w, header.subgroup);
  priority.write(w, header.priority);
  return w.done();
}

/** The head of the stream that answers a fetch. */
export function encodeFetchHeader(requestId: number, profile: Profile): Uint8Array {
  const w = new Writer(profile.varints);
  w.varint(FETCH_HEADER);
  w.varint(requestId);
  return w.done();
}
