/**
 * Datagrams (05+): a whole group of one frame, without a stream. The payload runs to the end of the datagram.
 * Spec: draft-lcurley-moq-lite-05, "Datagrams".
 *
 * @module
 */
import { Reader } from "../cursor.ts";
import { MAX_VARINT, putVarint, varintSize } from "../varint.ts";

/** Most bytes of one datagram, head and payload: what every path of the Internet carries. */
export const MAX_DATAGRAM_BYTES = 1_200;

/** What stands before the payload. */
export interface DatagramHead {
  /** Id of the subscription it answers, chosen by the subscriber. */
  readonly subscribe: number;
  /** Sequence of the group that this one frame is the whole of. */
  readonly sequence: number;
  /** Absolute, in units of the track's timescale; unlike on streams it is no difference. */
  readonly timestamp: number;
}

/** A received datagram. */
export interface Datagram extends DatagramHead {
  /** A view into the bytes that were decoded. */
  readonly payload: Uint8Array;
}

/** Bytes in front of the payload. */
export function datagramHeadSize(head: DatagramHead): number {
  return varintSize(head.subscribe) + varintSize(head.sequence) + varintSize(head.timestamp);
}

/**
 * Head and payload in one buffer of the caller's own. Whether it fits the path is for the caller to compare.
 *
 * @throws {RangeError} A number of the head is not an integer in [0, 2^53-1], or the timestamp none below 2^62.
 */
export function encodeDatagram(head: DatagramHead, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  checkWhole("subscribe id", head.subscribe);
  checkWhole("sequence", head.sequence);
  if (!(Number.isInteger(head.timestamp) && head.timestamp >= 0 && head.timestamp < 2 ** 62)) {
    throw new RangeError(`Cannot encode a datagram with timestamp ${head.timestamp}`);
  }
  const out = new Uint8Array(datagramHeadSize(head) + payload.length);
  let at = putVarint(out, 0, head.subscribe);
  at = putVarint(out, at, head.sequence);
  at = putVarint(out, at, head.timestamp);
  out.set(payload, at);
  return out;
}

/**
 * Reads one datagram. The payload may be empty.
 *
 * @throws {ProtocolViolation} The head is cut off, or an id or sequence is above 2^53-1. A timestamp above that is rounded.
 */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  const r = new Reader(bytes, "DATAGRAM");
  const subscribe = r.varint();
  const sequence = r.varint();
  const timestamp = r.roundedVarint();
  return { subscribe, sequence, timestamp, payload: r.take(r.left) };
}

function checkWhole(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(
      `Cannot encode a datagram with ${what} ${value}: must be an integer in [0, ${MAX_VARINT}]`,
    );
  }
}
