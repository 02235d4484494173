import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import { datagramHeadSize, decodeDatagram, encodeDatagram } from "./datagram.ts";

const hi = new TextEncoder().encode("hi");
const head = { subscribe: 0, sequence: 42, timestamp: 90_000 };

Deno.test("encodeDatagram() writes the draft's example byte for byte", () => {
  assert.equal(
    encodeDatagram(head, hi).toHex(),
    "00" + "2a" + "80015f90" + "6869", // subscribe 0, group 42, timestamp 90000, "hi"
  );
});

Deno.test("decodeDatagram() takes everything behind the head as payload, without copying", () => {
  const bytes = Uint8Array.fromHex("002a80015f906869");
  const datagram = decodeDatagram(bytes);
  assert.deepEqual(datagram, { ...head, payload: hi });
  assert.equal(datagram.payload.buffer, bytes.buffer);
});

Deno.test("a datagram survives a round trip for any head and payload", () => {
  const anyHead = fc.record({
    subscribe: fc.maxSafeNat(),
    sequence: fc.maxSafeNat(),
    timestamp: fc.maxSafeNat(),
  }, { noNullPrototype: true });
  fc.assert(fc.property(anyHead, fc.uint8Array({ maxLength: 64 }), (head, payload) => {
    const bytes = encodeDatagram(head, payload);
    assert.equal(bytes.length, datagramHeadSize(head) + payload.length);
    assert.deepEqual(decodeDatagram(bytes), { ...head, payload: new Uint8Array(payload) });
  }));
});

Deno.test("decodeDatagram() refuses every proper prefix of the head", () => {
  const bytes = encodeDatagram(head, new Uint8Array());
  for (let n = 0; n < bytes.length; n++) {
    assert.throws(() => decodeDatagram(bytes.subarray(0, n)), ProtocolViolation);
  }
  assert.equal(decodeDatagram(bytes).payload.length, 0);
});

Deno.test("decodeDatagram() only ever throws ProtocolViolation, whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    try {
      assert.ok(decodeDatagram(bytes).payload.length < bytes.length);
    } catch (e) {
      assert.ok(e instanceof ProtocolViolation, String(e));
    }
  }));
});

Deno.test("encodeDatagram() refuses a timestamp that is no whole positive number", () => {
  for (const timestamp of [-1, 0.5, NaN, 2 ** 62]) {
    assert.throws(() => encodeDatagram({ ...head, timestamp }, hi), RangeError);
  }
});
