/**
 * Objects on the stream of a subgroup. A parser walks over a window of bytes and says where heads end, so that the bytes
 * can be forwarded as they come. Spec: draft-ietf-moq-transport-18, "Subgroup Header".
 *
 * @module
 */
import { ProtocolViolation } from "../../errors.ts";
import { MAX_VARINT, type Varints } from "../../varint.ts";
import type { Profile } from "../profile.ts";

/** An object's status. All but normal ones have no payload. */
export const STATUS = { normal: 0, doesNotExist: 1, endOfGroup: 3, endOfTrack: 4 } as const;

/** Most bytes of one object's properties. */
export const MAX_OBJECT_PROPERTY_BYTES = 16 << 10;

const WHERE = "object";

/** What the heads of objects on all kinds of streams have in common. */
export abstract class HeadParser {
  /** Of the last head that was read: how many bytes of payload follow it. */
  payloadLength = 0;
  /** Its status: one of {@link STATUS}. */
  status = 0;
  /** Where in the window its properties stand, without their length; both the same when there are none. */
  propertiesAt = 0;
  propertiesEnd = 0;
  /** The integer that {@link integer} has read. */
  protected value = 0;
  protected readonly varints: Varints;

  constructor(protected readonly profile: Profile) {
    this.varints = profile.varints;
  }

  /**
   * Reads the next head in `bytes` from `at` to `end`.
   *
   * @returns The offset behind it, where the payload begins; -1 when it is not whole: then nothing has changed.
   * @throws {ProtocolViolation}
   */
  abstract next(bytes: Uint8Array, at: number, end: number): number;

  /** Reads an integer into {@link value}. @returns The offset behind it, or -1 when it is not whole. */
  protected integer(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) return -1;
    const first = bytes[at]!;
    // Both kinds of varint write small numbers in one byte.
    if (first < 0x40) {
      this.value = first;
      return at + 1;
    }
    const width = this.varints.width(first);
    if (width === 0) throw new ProtocolViolation(WHERE, `no varint begins with byte ${first}`);
    if (at + width > end) return -1;
    this.value = this.varints.get(bytes, at);
    if (this.value > MAX_VARINT) throw new ProtocolViolation(WHERE, "varint above 2^53-1");
    return at + width;
  }

  /**
   * Steps over properties behind their length, which {@link value} is then.
   *
   * @returns The offset behind them, which may lie outside of the window: nothing can be read there. -1 as with an integer.
   */
  protected skipProperties(bytes: Uint8Array, at: number, end: number): number {
    const behind = this.integer(bytes, at, end);
    if (behind >= 0 && this.value > MAX_OBJECT_PROPERTY_BYTES) {
      throw new ProtocolViolation(
        WHERE,
        `${this.value} bytes of properties, at most ${MAX_OBJECT_PROPERTY_BYTES} taken`,
      );
    }
    return behind < 0 ? -1 : behind + this.value;
  }

  /** @throws {ProtocolViolation} The draft has no such status, or none with properties. */
  protected checkStatus(status: number, propertyBytes: number): void {
    const problem = statusProblem(status, propertyBytes, this.profile);
    if (problem !== undefined) throw new ProtocolViolation(WHERE, problem);
  }
}

/** What is wrong with a status, if anything. */
export function statusProblem(
  status: number,
  propertyBytes: number,
  profile: Profile,
): string | undefined {
  if (!profile.statuses.includes(status)) return `unknown status ${status}`;
  return status !== STATUS.normal && propertyBytes > 0 && !profile.statusWithProperties
    ? `properties with status ${status}`
    : undefined;
}

/** The heads of one subgroup's objects, one after another. */
export class ObjectHeads extends HeadParser {
  /** The last object's id; -1 before the first. */
  id = -1;
  readonly #properties: boolean;

  /** @param properties Whether the stream's header says that objects have properties. */
  constructor(profile: Profile, properties: boolean) {
    super(profile);
    this.#properties = properties;
  }

  next(bytes: Uint8Array, from: number, end: number): number {
    let at = this.integer(bytes, from, end);
    if (at < 0) return -1;
    // The first one is written as the difference from -1 too.
    const id = this.id + 1 + this.value;
    let propertyBytes = 0;
    let propertiesEnd = at;
    if (this.#properties) {
      propertiesEnd = this.skipProperties(bytes, at, end);
      if (propertiesEnd < 0) return -1;
      propertyBytes = this.value;
      at = propertiesEnd;
    }
    at = this.integer(bytes, at, end);
    if (at < 0) return -1;
    const payloadLength = this.value;
    let status = 0;
    if (payloadLength === 0) {
      at = this.integer(bytes, at, end);
      if (at < 0) return -1;
      status = this.value;
      this.checkStatus(status, propertyBytes);
    }
    if (id > MAX_VARINT) throw new ProtocolViolation(WHERE, "id above 2^53-1");
    this.id = id;
    this.propertiesAt = propertiesEnd - propertyBytes;
    this.propertiesEnd = propertiesEnd;
    this.payloadLength = payloadLength;
    this.status = status;
    return at;
  }
}

/** Bytes of an object's head. Arguments as those of {@link putObjectHead}. */
export function objectHeadSize(
  varints: Varints,
  delta: number,
  properties: Uint8Array | undefined,
  payloadLength: number,
  status: number = STATUS.normal,
): number {
  let size = varints.size(delta) + varints.size(payloadLength);
  if (properties !== undefined) size += varints.size(properties.length) + properties.length;
  return payloadLength === 0 ? size + varints.size(status) : size;
}

/**
 * Writes an object's head. The caller has made room.
 *
 * @param delta The first object's id; then how many ids lie between this one and the one before.
 * @param properties As they are written; absent where the stream's header says that objects have none.
 * @returns The offset behind it.
 */
export function putObjectHead(
  into: Uint8Array,
  from: number,
  varints: Varints,
  delta: number,
  properties: Uint8Array | undefined,
  payloadLength: number,
  status: number = STATUS.normal,
): number {
  let at = varints.put(into, from, delta);
  if (properties !== undefined) {
    at = varints.put(into, at, properties.length);
    into.set(properties, at);
    at += properties.length;
  }
  at = varints.put(into, at, payloadLength);
  return payloadLength === 0 ? varints.put(into, at, status) : at;
}
