/**
 * What WebTransport adds to HTTP/3 (draft-ietf-webtrans-http3): stream prefixes, datagram prefixes, the close capsule and
 * the mapping of error codes.
 *
 * @module
 */
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import { getVarint, MAX_VARINT, varintSize, varintWidth } from "../varint.ts";
import { Capsule, FORBIDDEN_CAPSULES } from "./capsules.ts";
import { ItemParser } from "./frames.ts";

/** First varint of a unidirectional stream (RFC 9114 §6.2, RFC 9204 §4.2, WebTransport). */
export const UniType = {
  control: 0x00,
  push: 0x01,
  encoder: 0x02,
  decoder: 0x03,
  webTransport: 0x54,
} as const;
/** First varint of a bidirectional stream inside a session. */
export const BIDI_WEBTRANSPORT = 0x41;
/** CLOSE_WEBTRANSPORT_SESSION. */
export const CLOSE_CAPSULE = 0x2843;
/** The longest reason a close may have, in bytes of UTF-8. */
export const MAX_REASON_BYTES = 1024;

/** What is sent on a stream before its own bytes. */
export function streamPrefix(kind: "uni" | "bidi", sessionId: number): Uint8Array {
  const w = new Writer();
  w.varint(kind === "uni" ? UniType.webTransport : BIDI_WEBTRANSPORT);
  w.varint(sessionId);
  return w.done().slice();
}

/** Bytes in front of a datagram's payload. */
export function datagramPrefixBytes(sessionId: number): number {
  return varintSize(sessionId / 4);
}
/** A datagram of a session: the quarter stream id (RFC 9297 §2.1), then the payload. */
export function encodeDatagram(sessionId: number, payload: Uint8Array): Uint8Array {
  const w = new Writer();
  w.varint(sessionId / 4);
  w.put(payload);
  return w.done();
}
/** Splits a datagram. The payload is a view. @throws {ProtocolViolation} */
export function decodeDatagram(datagram: Uint8Array): { sessionId: number; payload: Uint8Array } {
  const r = new Reader(datagram, "HTTP datagram");
  const quarter = r.varint();
  if (quarter > 2 ** 51 - 1) throw r.fail("stream id above 2^53-1");
  return { sessionId: quarter * 4, payload: r.take(r.left) };
}

/** The code and the reason that a session is closed with. */
export interface SessionClose {
  readonly code: number;
  readonly reason: string;
}

/** The close capsule, type and length included. A reason that is too long is cut between two characters. */
export function encodeClose({ code, reason }: SessionClose): Uint8Array {
  const w = new Writer();
  const room = new Uint8Array(MAX_REASON_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, room);
  w.varint(CLOSE_CAPSULE);
  w.varint(4 + written);
  w.u32(code);
  w.put(room.subarray(0, written));
  return w.done().slice();
}
/** Reads the payload of a close capsule. @throws {ProtocolViolation} */
export function decodeClose(payload: Uint8Array): SessionClose {
  const r = new Reader(payload, "CLOSE_WEBTRANSPORT_SESSION");
  const code = r.u32();
  if (r.left > MAX_REASON_BYTES) throw r.fail(`a reason of ${r.left} bytes`);
  try {
    return { code, reason: new TextDecoder("utf-8", { fatal: true }).decode(r.take(r.left)) };
  } catch (cause) {
    throw r.fail("the reason is not UTF-8", { cause });
  }
}
const KNOWN_CAPSULES: ReadonlySet<number> = new Set([CLOSE_CAPSULE, ...Object.values(Capsule)]);

/** A parser for the capsules (RFC 9297 §3) in the DATA of a CONNECT stream. Unknown ones are skipped. */
export function capsuleParser(): ItemParser {
  return new ItemParser("capsule", {
    mode: (type) => KNOWN_CAPSULES.has(type) ? "whole" : "skip",
    maxHeldBytes: 4 + MAX_REASON_BYTES,
    began(type) {
      if (FORBIDDEN_CAPSULES.has(type)) {
        throw new ProtocolViolation("capsule", `type ${type} belongs to HTTP/2`);
      }
    },
  });
}

const FIRST_ERROR = 0x52e4a40fa8db;
const LAST_ERROR = FIRST_ERROR + 0xffff_ffff + Math.floor(0xffff_ffff / 0x1e);

/** A session's 32-bit error code as HTTP/3 carries it on RESET_STREAM and STOP_SENDING. */
export function toHttpCode(code: number): number {
  return FIRST_ERROR + code + Math.floor(code / 0x1e);
}
/** The inverse of {@link toHttpCode}, or `undefined` for a code that is not a session's. */
export function fromHttpCode(code: number): number | undefined {
  if (code < FIRST_ERROR || code > LAST_ERROR || (code - 0x21) % 0x1f === 0) return undefined;
  const shifted = code - FIRST_ERROR;
  return shifted - Math.floor(shifted / 0x1f);
}

/**
 * Reads the varint at the start of `bytes`, if it is complete.
 * @returns The value and the bytes behind it, or `undefined` when more bytes are needed.
 * @throws {ProtocolViolation} The value exceeds 2^53-1.
 */
export function leadingVarint(
  bytes: Uint8Array,
): { value: number; rest: Uint8Array } | undefined {
  if (bytes.length === 0) return undefined;
  const width = varintWidth(bytes[0]!);
  if (bytes.length < width) return undefined;
  const value = getVarint(bytes, 0);
  if (value > MAX_VARINT) throw new ProtocolViolation("stream prefix", "varint above 2^53-1");
  return { value, rest: bytes.subarray(width) };
}
