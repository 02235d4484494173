/**
 * Capsules (RFC 9297 §3) of a WebTransport session that hold a number or nothing: flow control
 * (draft-ietf-webtrans-http3 §5.6) and the request to end the session (§4.7).
 *
 * @module
 */
import { Reader, Writer } from "../cursor.ts";
import { varintSize } from "../varint.ts";
import { encodeFrame, FrameType } from "./frames.ts";

/** Types of capsules. That of the close is in `webtransport.ts`. */
export const Capsule = {
  drain: 0x78ae,
  maxData: 0x190b4d3d,
  maxStreamsBidi: 0x190b4d3f,
  maxStreamsUni: 0x190b4d40,
  dataBlocked: 0x190b4d41,
  streamsBlockedBidi: 0x190b4d43,
  streamsBlockedUni: 0x190b4d44,
} as const;

/** These belong to WebTransport over HTTP/2. Over HTTP/3 QUIC does their work. */
export const FORBIDDEN_CAPSULES: ReadonlySet<number> = new Set([0x190b4d3e, 0x190b4d42]);

/** QUIC cannot number more streams than this (RFC 9000 §4.6). */
export const MAX_STREAMS = 2 ** 60;

/** A capsule inside the DATA frame that carries it on the CONNECT stream. It is empty without a number. */
export function capsuleFrame(type: number, value?: number): Uint8Array {
  const w = new Writer();
  w.varint(type);
  w.varint(value === undefined ? 0 : varintSize(value));
  if (value !== undefined) w.varint(value);
  return encodeFrame(FrameType.data, w.done());
}

/** Reads the number of a capsule. A number above 2^53 is rounded, which is as good as no limit. @throws {ProtocolViolation} */
export function capsuleNumber(payload: Uint8Array): number {
  const r = new Reader(payload, "capsule");
  const value = Number(r.bigVarint());
  if (r.left > 0) throw r.fail(`${r.left} bytes behind its number`);
  return value;
}
