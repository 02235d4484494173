/** Byte vectors for the tests beside: what is written so, and what is read so. */
import assert from "node:assert/strict";
import { type ControlMessage, dialectOfDraft, type Request } from "../../wire/ietf/dialect.ts";
import type { Draft } from "../../wire/ietf/profile.ts";

export const utf8 = (text: string) => new TextEncoder().encode(text);
export const bytes = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

export const NS = "02 08 6d6f712d74657374 07 696e7465726f70"; // ("moq-test", "interop")
export const TRACK = "0a 746573742d747261636b"; // "test-track"
export const PREFIX = "01 08 6d6f712d74657374"; // ("moq-test")
export const namespace = [utf8("moq-test"), utf8("interop")];
export const track = utf8("test-track");
export const prefix = [utf8("moq-test")];
export const none = new Uint8Array();

function decode(draft: Draft, text: string): ControlMessage {
  const { profile } = dialectOfDraft(draft);
  const raw = bytes(text);
  const width = profile.varints.width(raw[0]!);
  const length = raw[width]! * 256 + raw[width + 1]!;
  const body = raw.subarray(width + 2);
  assert.equal(body.length, length, "the length says how long the body is");
  return dialectOfDraft(draft).decode(profile.varints.get(raw, 0), body);
}

/** A test per draft: the message is written exactly so, and read back to the same value. */
export function assertBothWays(
  drafts: readonly Draft[],
  message: ControlMessage,
  text: string,
  answers?: Request,
) {
  for (const draft of drafts) {
    const name = `draft ${draft}: ${message.kind} is ${text.replaceAll(" ", "")}`;
    Deno.test(name, () => {
      const { kind, value } = message;
      const written = dialectOfDraft(draft).encode(kind, value as never, answers);
      assert.equal(written.toHex(), bytes(text).toHex());
      assert.deepEqual(decode(draft, text), message);
    });
  }
}

/** A test per draft: the message is read from bytes that peers write; ours are spelled otherwise. */
export function assertRead(drafts: readonly Draft[], message: ControlMessage, text: string) {
  for (const draft of drafts) {
    Deno.test(`draft ${draft}: ${message.kind} is read from ${text.replaceAll(" ", "")}`, () => {
      assert.deepEqual(decode(draft, text), message);
    });
  }
}

export const FROM_15: readonly Draft[] = [15, 16, 17, 18, 19, 20, 21, 22];
export const FROM_16 = FROM_15.slice(1);
export const FROM_17 = FROM_15.slice(2);
export const FROM_18 = FROM_15.slice(3);
export const FROM_20 = FROM_15.slice(5);
export const UP_TO_16: readonly Draft[] = [14, 15, 16];

/** A body with type and length in front; both are in hexadecimal. */
export function framed(type: string, body: string): string {
  return `${type} ${bytes(body).length.toString(16).padStart(4, "0")} ${body}`;
}
