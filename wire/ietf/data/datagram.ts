/**
 * Datagrams: one object each. Spec: draft-ietf-moq-transport-18, "Object Datagram".
 *
 * @module
 */
import { Reader, Writer } from "../../cursor.ts";
import { ProtocolViolation } from "../../errors.ts";
import { MAX_VARINT, type Varints } from "../../varint.ts";
import type { Profile } from "../profile.ts";
import { MAX_OBJECT_PROPERTY_BYTES, STATUS, statusProblem } from "./object_head.ts";
import { wide, type WideInteger } from "../integers.ts";

/** What stands before the payload. */
export interface DatagramHead {
  readonly alias: WideInteger;
  readonly group: number;
  readonly object: number;
  /** The publisher's, 0 goes first. Absent: that of the track. */
  readonly priority: number | undefined;
  /** As they are written; empty where there are none. */
  readonly properties: Uint8Array;
  /** One of `STATUS`; all but normal ones have no payload. */
  readonly status: number;
  /** Whether it is the last object of its group. */
  readonly endOfGroup: boolean;
}

/** A received datagram. Properties and payload are views into its bytes. */
export interface ObjectDatagram extends DatagramHead {
  readonly payload: Uint8Array;
}

const TYPE = {
  properties: 0x01,
  endOfGroup: 0x02,
  objectZero: 0x04,
  noPriority: 0x08,
  status: 0x20,
} as const;
const ALL_BITS = 0x2f;
const PADDING_DATAGRAM = 0x132b3e29;
const EMPTY: Uint8Array = new Uint8Array();
const WHERE = "DATAGRAM";

function isDatagram(type: number, profile: Profile): boolean {
  if (profile.datagramTypes === "listed") return type <= 0x07 || type === 0x20 || type === 0x21;
  return type <= ALL_BITS && (type & 0x10) === 0 &&
    (type & (TYPE.status | TYPE.endOfGroup)) !== (TYPE.status | TYPE.endOfGroup);
}

/** The offset behind the integer at `at`. @throws {ProtocolViolation} It is not whole. */
function behind(bytes: Uint8Array, at: number, varints: Varints): number {
  const width = at < bytes.length ? varints.width(bytes[at]!) : 0;
  if (width === 0 || at + width > bytes.length) {
    throw new ProtocolViolation(WHERE, `no whole varint at byte ${at} of ${bytes.length}`);
  }
  return at + width;
}

function exact(value: number): number {
  if (value > MAX_VARINT) throw new ProtocolViolation(WHERE, "varint above 2^53-1");
  return value;
}

/**
 * Reads one datagram.
 *
 * @returns `undefined` for padding.
 * @throws {ProtocolViolation} There is no such datagram, or it is cut off.
 */
export function decodeDatagram(bytes: Uint8Array, profile: Profile): ObjectDatagram | undefined {
  const { varints } = profile;
  let at = behind(bytes, 0, varints);
  const type = varints.get(bytes, 0);
  if (type === PADDING_DATAGRAM && profile.padding) return undefined;
  if (!isDatagram(type, profile)) throw new ProtocolViolation(WHERE, `unknown type ${type}`);

  let from = at;
  at = behind(bytes, from, varints);
  let alias: WideInteger = varints.get(bytes, from);
  if (alias > MAX_VARINT) alias = wide.read(new Reader(bytes.subarray(from), WHERE, varints));
  from = at;
  at = behind(bytes, from, varints);
  const group = exact(varints.get(bytes, from));
  let object = 0;
  if ((type & TYPE.objectZero) === 0) {
    from = at;
    at = behind(bytes, from, varints);
    object = exact(varints.get(bytes, from));
  }
  let priority: number | undefined;
  if ((type & TYPE.noPriority) === 0) {
    if (at >= bytes.length) throw new ProtocolViolation(WHERE, "a priority expected");
    priority = bytes[at++];
  }
  let properties = EMPTY;
  if ((type & TYPE.properties) !== 0) {
    from = at;
    at = behind(bytes, from, varints);
    const length = varints.get(bytes, from);
    if (length === 0 || length > MAX_OBJECT_PROPERTY_BYTES || at + length > bytes.length) {
      throw new ProtocolViolation(WHERE, `${length} bytes of properties`);
    }
    properties = bytes.subarray(at, at += length);
  }
  let status: number = STATUS.normal;
  if ((type & TYPE.status) !== 0) {
    from = at;
    at = behind(bytes, from, varints);
    status = varints.get(bytes, from);
    const problem = statusProblem(status, properties.length, profile);
    if (problem !== undefined) throw new ProtocolViolation(WHERE, problem);
    if (at < bytes.length) throw new ProtocolViolation(WHERE, "bytes behind the status");
  }
  return {
    alias,
    group,
    object,
    priority,
    properties,
    status,
    endOfGroup: (type & TYPE.endOfGroup) !== 0,
    payload: bytes.subarray(at),
  };
}

/**
 * Head and payload in one buffer of the caller's own. Whether it fits the path is for the caller to compare.
 *
 * @throws {RangeError} The draft has no such datagram.
 */
export function encodeDatagram(
  head: DatagramHead,
  payload: Uint8Array,
  profile: Profile,
): Uint8Array {
  const listed = profile.datagramTypes === "listed";
  const hasStatus = head.status !== STATUS.normal;
  const problem = hasStatus && payload.length > 0
    ? "a payload with a status"
    : statusProblem(head.status, head.properties.length, profile);
  if (problem !== undefined) throw new RangeError(`Cannot encode a datagram: ${problem}`);

  let type = 0;
  if (head.properties.length > 0) type |= TYPE.properties;
  if (hasStatus) type |= TYPE.status;
  else if (head.endOfGroup) type |= TYPE.endOfGroup;
  // Draft 14 always names the object beside a status, and always the priority.
  if (head.object === 0 && !(listed && hasStatus)) type |= TYPE.objectZero;
  if (head.priority === undefined && !listed) type |= TYPE.noPriority;

  const w = new Writer(profile.varints);
  w.varint(type);
  wide.write(w, head.alias);
  w.varint(head.group);
  if ((type & TYPE.objectZero) === 0) w.varint(head.object);
  if ((type & TYPE.noPriority) === 0) w.u8(head.priority ?? 128);
  if (head.properties.length > 0) w.sized(head.properties);
  if (hasStatus) w.varint(head.status);
  w.put(payload);
  return w.done();
}
