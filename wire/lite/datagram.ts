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

/** The fields before the payload. */
export interface DatagramHead {
  /** Id of the subscription it answers, chosen by the subscriber. */
  readonly subscribe: number;
  /** Sequence of the group. This frame is the only one in it. */
  readonly sequence: number;
  /** In units of the track's timescale. It is absolute, unlike the differences on streams. */
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
 * Head and payload in one new buffer. The caller checks whether it fits the path.
 *
 * @throws {RangeError} The id or the sequence is not an integer in [0, 2^53-1], or the timestamp is not one in [0, 2^62-1].
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
 * Reads one datagram. The payload may be empty. A timestamp above 2^53-1 is rounded.
 *
 * @throws {ProtocolViolation} The head is incomplete, or the id or the sequence is above 2^53-1.
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
