import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import { encodeFrame, type Frame, frameParser, FrameType } from "./frames.ts";
import {
  decodeSettings,
  encodeSettings,
  offersWebTransport,
  Setting,
  webTransportSettings,
} from "./settings.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

/** The control stream of Chromium 156 behind its type byte: SETTINGS, then a GREASE frame. */
const CONTROL =
  "042901800100000680004000074064330180ffd27701ab60374201c00000186d90e9e2c000000076a46938" +
  "c00000146daea60500";

function whole(pieces: Uint8Array[]): Frame[] {
  const parser = frameParser();
  const frames: Frame[] = [];
  for (const piece of pieces) {
    for (const { type, payload } of parser.push(piece)) {
      const last = frames.at(-1);
      if (type === FrameType.data && last?.type === FrameType.data) {
        frames[frames.length - 1] = { type, payload: Uint8Array.of(...last.payload, ...payload) };
      } else frames.push({ type, payload: payload.slice() });
    }
  }
  assert.equal(parser.between, true);
  return frames;
}

Deno.test("frameParser() finds Chromium's SETTINGS and skips the GREASE frame behind", () => {
  const frames = whole([hex(CONTROL)]);
  assert.deepEqual(frames.map((f) => [f.type, f.payload.length]), [[FrameType.settings, 0x29]]);
});

Deno.test("frameParser() gives the same frames however the stream is cut", () => {
  const stream = Uint8Array.of(
    ...encodeFrame(0x21, hex("aabb")),
    ...encodeFrame(FrameType.headers, hex("0000d7")),
    ...encodeFrame(FrameType.data, hex("01020304050607")),
    ...encodeFrame(0x1f * 9 + 0x21, new Uint8Array(300)),
    ...encodeFrame(FrameType.settings, hex("0800")),
  );
  const expected = whole([stream]);
  assert.deepEqual(expected.map((f) => f.type), [1, 0, 4]);
  fc.assert(fc.property(fc.array(fc.nat({ max: stream.length })), (cuts) => {
    const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
    assert.deepEqual(whole(at.slice(1).map((end, i) => stream.subarray(at[i], end))), expected);
  }));
});

Deno.test("frameParser() refuses a HEADERS frame too long to hold, before it has come", () => {
  assert.throws(() => frameParser().push(hex("0180010000")), ProtocolViolation);
});

Deno.test("frameParser() skips a frame of gigabytes without holding it", () => {
  const parser = frameParser();
  parser.push(hex("21c000000100000000"));
  assert.deepEqual(parser.push(new Uint8Array(100_000)), []);
  assert.equal(parser.between, false);
});

Deno.test("frameParser() only ever throws ProtocolViolation, whatever the bytes", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
    const parser = frameParser();
    try {
      for (const chunk of chunks) parser.push(chunk);
    } catch (thrown) {
      assert.ok(thrown instanceof ProtocolViolation);
    }
  }));
});

Deno.test("decodeSettings() reads what Chromium 156 sends", () => {
  const settings = decodeSettings(whole([hex(CONTROL)])[0]!.payload);
  assert.equal(settings.get(Setting.datagram), 1);
  assert.equal(settings.get(Setting.datagramDraft), 1);
  assert.equal(settings.get(Setting.webTransportDraft02), 1);
  assert.equal(settings.get(Setting.qpackMaxTableCapacity), 65_536);
  assert.equal(settings.get(Setting.qpackBlockedStreams), 100);
  assert.equal(settings.size, 7);
  assert.equal(offersWebTransport(settings), true);
});

Deno.test("decodeSettings() gives back what encodeSettings() wrote", () => {
  const settings = webTransportSettings(7);
  assert.deepEqual(decodeSettings(encodeSettings(settings)), settings);
  assert.equal(offersWebTransport(settings), true);
  assert.equal(offersWebTransport(new Map([[Setting.extendedConnect, 1]])), false);
});

Deno.test("decodeSettings() refuses HTTP/2 settings, doubles and cut pairs, and forgets huge GREASE", () => {
  assert.throws(() => decodeSettings(hex("0301")), ProtocolViolation);
  assert.throws(() => decodeSettings(hex("08010801")), ProtocolViolation);
  assert.throws(() => decodeSettings(hex("08")), ProtocolViolation);
  assert.deepEqual(decodeSettings(hex("ffffffffffffffff010801")), new Map([[8, 1]]));
});
