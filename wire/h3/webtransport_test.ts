import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import { frameParser } from "./frames.ts";
import {
  capsuleParser,
  CLOSE_CAPSULE,
  decodeClose,
  decodeDatagram,
  encodeClose,
  encodeDatagram,
  fromHttpCode,
  leadingVarint,
  MAX_REASON_BYTES,
  streamPrefix,
  toHttpCode,
} from "./webtransport.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

Deno.test("streamPrefix() is what Chromium writes in front of its streams", () => {
  assert.equal(streamPrefix("uni", 0).toHex(), "405400");
  assert.equal(streamPrefix("bidi", 4).toHex(), "404104");
  const type = leadingVarint(hex("40540068656c6c6f"))!;
  const session = leadingVarint(type.rest)!;
  assert.deepEqual([type.value, session.value], [0x54, 0]);
  assert.equal(new TextDecoder().decode(session.rest), "hello");
});

Deno.test("leadingVarint() waits for the whole varint and refuses one above 2^53-1", () => {
  for (const part of ["", "40", "800000", "c0000000000000"]) {
    assert.equal(leadingVarint(hex(part)), undefined);
  }
  assert.throws(() => leadingVarint(hex("ffffffffffffffff")), ProtocolViolation);
});

Deno.test("a datagram carries the session id divided by four", () => {
  assert.equal(encodeDatagram(8, hex("aabb")).toHex(), "02aabb");
  assert.deepEqual(decodeDatagram(hex("02aabb")), { sessionId: 8, payload: hex("aabb") });
  assert.throws(() => decodeDatagram(hex("40")), ProtocolViolation);
  assert.throws(() => decodeDatagram(hex("")), ProtocolViolation);
});

Deno.test("capsuleParser() skips Chromium's GREASE capsule", () => {
  const data = "0022c29b7925fc348d7a193e228ef15a575f61b6bacc25986822d8b99371f27d393b7a4f";
  const [frame] = frameParser().push(hex(data));
  const capsules = capsuleParser();
  assert.deepEqual(capsules.push(frame!.payload), []);
  assert.equal(capsules.between, true);
});

Deno.test("capsuleParser() finds the close Chromium sends when its page goes", () => {
  const [frame] = frameParser().push(hex("000768430400000000"));
  const [capsule] = capsuleParser().push(frame!.payload);
  assert.equal(capsule!.type, CLOSE_CAPSULE);
  assert.deepEqual(decodeClose(capsule!.payload), { code: 0, reason: "" });
});

Deno.test("encodeClose() gives a capsule that reads back, whatever code and reason", () => {
  assert.equal(encodeClose({ code: 0, reason: "" }).toHex(), "68430400000000");
  fc.assert(fc.property(fc.nat({ max: 0xffff_ffff }), fc.string(), (code, reason) => {
    const [capsule] = capsuleParser().push(encodeClose({ code, reason: reason.toWellFormed() }));
    assert.deepEqual(decodeClose(capsule!.payload), { code, reason: reason.toWellFormed() });
  }));
});

Deno.test("encodeClose() cuts a long reason at a character", () => {
  const [capsule] = capsuleParser().push(encodeClose({ code: 1, reason: "€".repeat(1000) }));
  assert.equal(decodeClose(capsule!.payload).reason, "€".repeat(Math.floor(MAX_REASON_BYTES / 3)));
});

Deno.test("decodeClose() refuses every prefix that lacks the code, and text that is not UTF-8", () => {
  for (const body of ["", "00", "0000", "000000", "00000000ff"]) {
    assert.throws(() => decodeClose(hex(body)), ProtocolViolation, body);
  }
});

Deno.test("toHttpCode() maps onto the range of the draft and leaves its reserved codes out", () => {
  assert.equal(toHttpCode(0), 0x52e4a40fa8db);
  assert.equal(toHttpCode(0xffff_ffff), 0x52e5ac983162);
  fc.assert(fc.property(fc.nat({ max: 0xffff_ffff }), (code) => {
    assert.equal(fromHttpCode(toHttpCode(code)), code);
    assert.notEqual((toHttpCode(code) - 0x21) % 0x1f, 0);
  }));
});

Deno.test("fromHttpCode() knows nothing of codes outside the range", () => {
  for (const code of [0, 0x10c, 0x52e4a40fa8da, 0x52e5ac983163]) {
    assert.equal(fromHttpCode(code), undefined);
  }
  // The reserved code between 29 and 30.
  assert.equal(fromHttpCode(0x52e4a40fa8db + 30), undefined);
});
