import assert from "node:assert/strict";
import { RtpHeader, RtpPacket } from "werift";
import { splitAnnexB } from "../../../media/codec/annexb.ts";
import { codecOf, Depacketizer } from "./depacketize.ts";
import { packetizerOf } from "./packetize.ts";
import { Reorder } from "./reorder.ts";

const packet = (sequenceNumber: number) =>
  new RtpPacket(new RtpHeader({ sequenceNumber }), Buffer.from([1]));

function reordered(arrivals: readonly (readonly [sequence: number, atMs: number])[]) {
  const seen: (number | "lost")[] = [];
  const order = new Reorder(200, () => seen.push("lost"));
  for (const [sequence, atMs] of arrivals) {
    order.push(packet(sequence), atMs, ({ header }) => seen.push(header.sequenceNumber));
  }
  return seen;
}

Deno.test("Reorder puts packets in order, over the end of the numbers too, and takes none twice", () => {
  const arrivals = [65534, 0, 65535, 65535, 2, 1, 0].map((sequence) => [sequence, 0] as const);
  assert.deepEqual(reordered(arrivals), [65534, 65535, 0, 1, 2]);
});

Deno.test("Reorder gives a packet up that has not come within its time", () => {
  assert.deepEqual(reordered([[1, 0], [3, 10], [4, 150]]), [1]);
  assert.deepEqual(reordered([[1, 0], [3, 10], [4, 211], [2, 212]]), [1, "lost", 3, 4]);
});

const SPS = [0x67, 0x42, 0xe0, 0x1f, 1, 2, 3, 4];
const PPS = [0x68, 0xce, 0x3c, 0x80];
const START = [0, 0, 0, 1];

/** Access units of H.264 in packets: a keyframe larger than one of them, and pictures that need it. */
function h264Packets(pictures: number): RtpPacket[][] {
  const packetize = packetizerOf({
    ...{ kind: "video", name: "video0", codec: "avc3.42e01f", container: "legacy" },
  });
  const idr = [0x65, ...new Array(3000).fill(7)];
  let sequence = 65530;
  return Array.from({ length: pictures }, (_, i) => {
    const units = i === 0
      ? [...START, ...SPS, ...START, ...PPS, ...START, ...idr]
      : [...START, 0x41, i, i];
    const packets = packetize({ payload: Uint8Array.from(units), keyframe: i === 0 });
    for (const { header } of packets) {
      header.sequenceNumber = sequence++ & 0xffff;
      header.timestamp = (4294967000 + i * 3000) % 2 ** 32;
    }
    return packets;
  });
}

Deno.test("H.264 in packets comes out as it went in, its times counted on over the end of the clock", () => {
  const taken = new Depacketizer("H264", () => assert.fail("nothing is lost"));
  const frames = h264Packets(3).flat().flatMap((packet) => taken.push(packet, 0));
  assert.deepEqual(frames.map(({ ticks, keyframe }) => [ticks, keyframe]), [
    [0, true],
    [3000, false],
    [6000, false],
  ]);
  const units = splitAnnexB(frames[0]!.payload);
  assert.deepEqual(units.map((unit) => [unit[0], unit.length]), [[0x67, 8], [0x68, 4], [
    0x65,
    3001,
  ]]);
  assert.equal(codecOf("H264", frames[0]!.payload), "avc3.42e01f");
});

Deno.test("After a loss a keyframe is asked for, and nothing is handed on until it has come", () => {
  let asked = 0;
  const taken = new Depacketizer("H264", () => asked++);
  const [key, one, two, three] = h264Packets(4);
  const push = (packets: readonly RtpPacket[], nowMs: number) =>
    packets.flatMap((packet) => taken.push(packet, nowMs)).length;
  assert.equal(push(key!, 0), 1);
  assert.equal(push(two!, 10), 0);
  assert.equal(push(three!, 300), 0);
  assert.equal(asked, 1);
  assert.equal(push(one!, 301), 0);
  const again = key!.map((packet, i) => {
    packet.header.sequenceNumber = three!.at(-1)!.header.sequenceNumber + 1 + i & 0xffff;
    return packet;
  });
  assert.equal(push(again, 310), 1);
});

Deno.test("Packets that contradict themselves are counted, not thrown", () => {
  for (const family of ["H264", "VP8", "VP9", "AV1", "OPUS"] as const) {
    const taken = new Depacketizer(family, () => {});
    for (let i = 0; i < 2000; i++) {
      const payload = Buffer.from(crypto.getRandomValues(new Uint8Array(i % 40)));
      const header = new RtpHeader({ sequenceNumber: i, timestamp: i * 3000, marker: i % 3 === 0 });
      taken.push(new RtpPacket(header, payload), i);
    }
    if (family !== "OPUS") assert.ok(taken.skipped > 0, family);
  }
});
