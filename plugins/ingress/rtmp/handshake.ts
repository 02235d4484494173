/**
 * The simple handshake: each side sends a version and 1,536 bytes, and echoes those of the other.
 *
 * @see Adobe's Real Time Messaging Protocol 1.0, section 5.2.
 * @module
 */
import { RtmpViolation } from "./errors.ts";

const VERSION = 3;
/** C1, C2, S1 and S2. */
export const HANDSHAKE_BYTES = 1536;

/** C0 and C1 in one. */
export const HELLO_BYTES = 1 + HANDSHAKE_BYTES;

/**
 * The answer of a server to C0 and C1: S0, S1 and S2.
 * @param hello Exactly {@link HELLO_BYTES}.
 * @throws {RtmpViolation} The peer speaks something else.
 */
export function answerHello(hello: Uint8Array): Uint8Array<ArrayBuffer> {
  checkVersion(hello[0]!);
  const answer = new Uint8Array(1 + 2 * HANDSHAKE_BYTES);
  answer[0] = VERSION;
  // Time and the four bytes behind it stay zero, which asks for no digest.
  crypto.getRandomValues(answer.subarray(9, 1 + HANDSHAKE_BYTES));
  answer.set(hello.subarray(1), 1 + HANDSHAKE_BYTES);
  return answer;
}

/** @throws {RtmpViolation} */
export function checkVersion(version: number): void {
  if (version === VERSION) return;
  throw new RtmpViolation(`Cannot speak RTMP with it: it begins with ${version} in place of 3`);
}
