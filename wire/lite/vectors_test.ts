/**
 * Byte vectors: examples worked out from the drafts and bytes seen on sockets of other implementations. A row is the
 * whole message as it is sent on the stream: type (of the stream or of the message), length, body.
 */
import assert from "node:assert/strict";
import { framed, type Message } from "../message.ts";
import { putVarint, zigzag } from "../varint.ts";
import * as A from "./announce.ts";
import { BIDI, UNI } from "./dialect.ts";
import * as S from "./subscribe.ts";
import * as T from "./track.ts";

const ALICE = "05616c696365"; // "alice"
const ROOM_ALICE = "0a726f6f6d2f616c696365"; // "room/alice"
const SLASH_ROOM_ALICE = "0b2f726f6f6d2f616c696365"; // "/room/alice"
const VIDEO = "05766964656f"; // "video"
const V = "0176"; // "v"
const HELLO = "48454c4c4f";

const hex = (text: string) => text.replaceAll(" ", "");

/** Written exactly so, and read back to the same value. */
function both<T>(
  what: string,
  message: Message<T>,
  type: number | undefined,
  value: T,
  text: string,
) {
  Deno.test(`${message.name} ${what} is ${hex(text)}`, () => {
    assert.equal(framed(message.encode(value), type).toHex(), hex(text));
    assert.deepEqual(message.decode(bodyOf(text, type)), value);
  });
}

/** Peers write this form and we read it. We write another form. */
function reads<T>(
  what: string,
  message: Message<T>,
  type: number | undefined,
  value: T,
  text: string,
) {
  Deno.test(`${message.name} ${what} is read from ${hex(text)}`, () => {
    assert.deepEqual(message.decode(bodyOf(text, type)), value);
  });
}

/** Skips type and length, which are one byte each in all vectors, and checks the length against the body. */
function bodyOf(text: string, type: number | undefined): Uint8Array {
  const bytes = Uint8Array.fromHex(hex(text));
  const start = type === undefined ? 0 : 1;
  if (type !== undefined) assert.equal(bytes[0], type);
  assert.equal(bytes[start], bytes.length - start - 1);
  return bytes.subarray(start + 1);
}

// Announce

const all = { prefix: "", excludeHop: 0n };
const room = { prefix: "room", excludeHop: 0n };
both("for everything (01-03, 06)", A.AnnounceRequest, BIDI.announce, all, "01 02 01 2f");
both("below room (01-03, 06)", A.AnnounceRequest, BIDI.announce, room, "01 07 06 2f726f6f6d2f");
reads("for everything, plain", A.AnnounceRequest, BIDI.announce, all, "01 01 00");
reads("below room, plain", A.AnnounceRequest, BIDI.announce, room, "01 05 04 726f6f6d");
reads("below .stats", A.AnnounceRequest, 1, { ...all, prefix: ".stats" }, "01 07 06 2e7374617473");
reads("below up", A.AnnounceRequest, 1, { ...all, prefix: "up" }, "01 03 02 7570");
both("for everything (04, gomoqt)", A.AnnounceRequest4, BIDI.announce, all, "01 03 01 2f 00");
const without = { prefix: "room", excludeHop: 12_345n };
both("without a hop (04, 05)", A.AnnounceRequest4, 1, without, "01 09 06 2f726f6f6d2f 7039");
reads("without a hop, plain", A.AnnounceRequest4, 1, without, "01 07 04 726f6f6d 7039");

both("of one", A.AnnounceInit, undefined, { suffixes: ["alice"] }, `07 01 ${ALICE}`);
both("by hop 777", A.AnnounceOk, undefined, { hop: 777n, count: 1 }, "03 4309 01");
both("by hop 1000", A.AnnounceOk, undefined, { hop: 1_000n, count: 1 }, "03 43e8 01");

const active = { status: A.ANNOUNCE_STATUS.active, suffix: "alice" };
both("active (01, 02)", A.Announce1, undefined, { ...active, hops: [] }, `07 01 ${ALICE}`);
both(
  "active, two hops (03)",
  A.Announce3,
  undefined,
  { ...active, hops: [0n, 0n] },
  `08 01 ${ALICE} 02`,
);
both(
  "active, hops 777 (04)",
  A.Announce4,
  undefined,
  { ...active, hops: [777n] },
  `0a 01 ${ALICE} 01 4309`,
);
both("active, no hop (05)", A.Announce4, undefined, { ...active, hops: [] }, `08 01 ${ALICE} 00`);
both(
  "active, hops 9 (05)",
  A.Announce4,
  undefined,
  { ...active, hops: [9n] },
  `09 01 ${ALICE} 01 09`,
);
both("ended (05)", A.Announce4, undefined, { ...active, status: 0, hops: [] }, `08 00 ${ALICE} 00`);
reads(
  "active (04, gomoqt)",
  A.Announce4,
  undefined,
  { status: 1, suffix: "interop/server", hops: [] },
  "11 01 0e 696e7465726f702f736572766572 00",
);

const { start, end, update } = A.ANNOUNCE_TYPE;
const own = { suffix: "room/alice", hops: [], warm: 0, cold: 0 };
both("of an own route", A.AnnounceStart, start, own, `00 0e ${ROOM_ALICE} 00 00 00`);
const viaNine = { suffix: "room/alice", hops: [9n], warm: 1, cold: 1 };
both("through hop 9", A.AnnounceStart, start, viaNine, `00 0f ${ROOM_ALICE} 01 09 01 01`);
const via1000 = { ...viaNine, hops: [1_000n] };
both("through hop 1000", A.AnnounceStart, start, via1000, `00 10 ${ROOM_ALICE} 01 43e8 01 01`);
both(
  "below .stats",
  A.AnnounceStart,
  start,
  { ...own, suffix: "node/n1" },
  "00 0b 07 6e6f64652f6e31 00 00 00",
);
both("of id 0", A.AnnounceEnd, end, { id: 0 }, "01 01 00");
both(
  "to hop 10",
  A.AnnounceUpdate,
  update,
  { id: 0, hops: [10n], warm: 1, cold: 1 },
  "02 05 00 01 0a 01 01",
);
both(
  "of costs",
  A.AnnounceUpdate,
  update,
  { id: 0, hops: [], warm: 5, cold: 6 },
  "02 04 00 00 05 06",
);

Deno.test("ANNOUNCE of 06 refuses the one cost that 06-wip had", () => {
  assert.throws(
    () => A.AnnounceStart.decode(bodyOf(`00 09 ${ALICE} 01 09 07`, 0)),
    /varint expected/,
  );
  assert.throws(() => A.AnnounceUpdate.decode(bodyOf("02 04 00 01 09 00", 2)), /varint expected/);
});

// Subscribe

const nothing = {
  ordered: undefined,
  maxLatencyMs: 0,
  startGroup: undefined,
  endGroup: undefined,
};
const whole = { ...nothing, startFrame: 0, endFrame: undefined };
const video = { ...whole, id: 0, broadcast: "room/alice", track: "video", priority: 1 };
const video500 = { ...video, maxLatencyMs: 500 };
both("(02)", S.Subscribe1, BIDI.subscribe, video, `02 14 00 ${SLASH_ROOM_ALICE} ${VIDEO} 01`);
reads("(02), plain", S.Subscribe1, BIDI.subscribe, video, `02 13 00 ${ROOM_ALICE} ${VIDEO} 01`);
both(
  "(03, 04)",
  S.Subscribe3,
  BIDI.subscribe,
  video500,
  `02 19 00 ${SLASH_ROOM_ALICE} ${VIDEO} 01 00 41f4 00 00`,
);
reads(
  "(03, 04), plain",
  S.Subscribe3,
  BIDI.subscribe,
  video500,
  `02 18 00 ${ROOM_ALICE} ${VIDEO} 01 00 41f4 00 00`,
);
both(
  "(05)",
  S.Subscribe5,
  BIDI.subscribe,
  video500,
  `02 18 00 ${ROOM_ALICE} ${VIDEO} 01 00 41f4 00 00`,
);
const v = {
  ...whole,
  id: 5,
  broadcast: "room/alice",
  track: "v",
  priority: 200,
  maxLatencyMs: 500,
};
const v06 = `05 ${ROOM_ALICE} ${V} c8 41f4`;
both("(06)", S.Subscribe6, BIDI.subscribe, v, `02 15 ${v06} 00 00 00 00`);
both(
  "from group 5 (06)",
  S.Subscribe6,
  BIDI.subscribe,
  { ...v, startGroup: 5 },
  `02 15 ${v06} 05 00 00 00`,
);
both(
  "from group 5 (05)",
  S.Subscribe5,
  BIDI.subscribe,
  { ...v, startGroup: 5 },
  `02 14 05 ${ROOM_ALICE} ${V} c8 00 41f4 06 00`,
);
both(
  "from group 5 frame 3 through group 6 frame 1 (06)",
  S.Subscribe6,
  BIDI.subscribe,
  { ...v, startGroup: 5, endGroup: 6, startFrame: 3, endFrame: 1 },
  `02 15 ${v06} 05 07 03 02`,
);
both(
  "as a relay asks upstream (06)",
  S.Subscribe6,
  BIDI.subscribe,
  { ...v, id: 0, priority: 128, maxLatencyMs: 0 },
  `02 14 00 ${ROOM_ALICE} ${V} 80 00 00 00 00 00`,
);
both(
  "(03-05)",
  S.SubscribeUpdate3,
  undefined,
  { ...whole, priority: 5, endGroup: 10 },
  "05 05 00 00 00 0b",
);
both(
  "(06)",
  S.SubscribeUpdate6,
  undefined,
  { ...whole, priority: 10, maxLatencyMs: 1_000 },
  "07 0a 43e8 00 00 00 00",
);

both("(01)", S.SubscribeOk1, undefined, { ...nothing, priority: 1 }, "01 01");
both("(02)", S.SubscribeOk2, undefined, { ...nothing, priority: 0 }, "00");
both("(03, 04)", S.SubscribeOk3, 0, { ...nothing, priority: 1 }, "00 05 01 00 00 00 00");
both(
  "(04, gomoqt)",
  S.SubscribeOk3,
  0,
  { ...nothing, priority: 0, startGroup: 1 },
  "00 05 00 00 00 02 00",
);
both("42", S.SubscribeStart, 0, { group: 42 }, "00 01 2a");
both("5", S.SubscribeStart, 0, { group: 5 }, "00 01 05");
both("43", S.SubscribeEnd, 1, { group: 43 }, "01 01 2b");
both("6", S.SubscribeEnd, 1, { group: 6 }, "01 01 06");
const drop = { startGroup: 5, endGroup: 7, error: 2 };
both("(03, 04)", S.SubscribeDrop, 1, drop, "01 03 05 07 02");
both("(05, 06)", S.SubscribeDrop, 2, drop, "02 03 05 07 02");

// Track, fetch, group

const aliceVideo = { broadcast: "room/alice", track: "video" };
both("video", T.TrackRequest, BIDI.track, aliceVideo, `06 11 ${ROOM_ALICE} ${VIDEO}`);
both("v", T.TrackRequest, BIDI.track, { ...aliceVideo, track: "v" }, `06 0d ${ROOM_ALICE} ${V}`);
const info = { ordered: undefined, priority: 127, maxAgeMs: 5_000, timescale: 1_000 };
both(
  "at 90 kHz (05)",
  T.TrackInfo5,
  undefined,
  { ...info, priority: 0, timescale: 90_000 },
  "08 00 00 5388 80015f90",
);
both("(05)", T.TrackInfo5, undefined, info, "06 7f 00 5388 43e8");
both("(06)", T.TrackInfo6, undefined, info, "05 7f 5388 43e8");

const group42 = { ...aliceVideo, priority: 0, group: 42, startFrame: 0, endFrame: undefined };
both("(05)", T.Fetch5, BIDI.fetch, group42, `03 13 ${ROOM_ALICE} ${VIDEO} 00 2a`);
both("(04, gomoqt)", T.Fetch4, BIDI.fetch, group42, `03 14 ${SLASH_ROOM_ALICE} ${VIDEO} 00 2a`);
const group5 = { ...group42, track: "v", priority: 128, group: 5 };
both("(06)", T.Fetch6, BIDI.fetch, group5, `03 11 ${ROOM_ALICE} ${V} 80 05 00 00`);

const group = (subscribe: number, sequence: number) => ({ subscribe, sequence, startFrame: 0 });
both("42 (01-05)", T.Group1, UNI.group, group(0, 42), "00 02 00 2a");
both("1 (04, gomoqt)", T.Group1, UNI.group, group(1, 1), "00 02 01 01");
both("5 (05)", T.Group1, UNI.group, group(5, 5), "00 02 05 05");
both("5 (06)", T.Group6, UNI.group, group(5, 5), "00 03 05 05 00");
both("5 for subscription 0 (06)", T.Group6, UNI.group, group(0, 5), "00 03 00 05 00");

// Probe, goaway

both("(03)", T.Probe3, undefined, { bitrate: 1_000_000, rttMs: 0 }, "04 800f4240");
both("(04+)", T.Probe4, undefined, { bitrate: 1_000_000, rttMs: 40 }, "05 800f4240 28");
both(
  "of 32,768 Mbit/s",
  T.Probe4,
  undefined,
  { bitrate: 32_768_000_000, rttMs: 3 },
  "09 c0000007a1200000 03",
);
reads("in a needlessly wide varint", T.Probe4, undefined, { bitrate: 5, rttMs: 3 }, "03 4005 03");
both("(gomoqt)", T.Probe4, undefined, { bitrate: 0, rttMs: 6 }, "02 00 06");
both("(gomoqt), a rate", T.Probe4, undefined, { bitrate: 119_277, rttMs: 5 }, "05 8001d1ed 05");
const elsewhere = { uri: "https://b.example/" };
both(
  "elsewhere",
  T.Goaway,
  BIDI.goaway,
  elsewhere,
  "05 13 12 68747470733a2f2f622e6578616d706c652f",
);
both("to the same place", T.Goaway, BIDI.goaway, { uri: "" }, "05 01 00");

// Frames

/** Frames of one group as 05+ writes them, from absolute timestamps. */
function frames(...list: (readonly [timestamp: number, payload: string])[]): string {
  let last = 0;
  let out = "";
  for (const [timestamp, payload] of list) {
    const head = new Uint8Array(16);
    const at = putVarint(head, 0, zigzag(timestamp - last));
    out += head.subarray(0, putVarint(head, at, payload.length / 2)).toHex() + payload;
    last = timestamp;
  }
  return out;
}

Deno.test("frames carry zigzag differences of time, the first against 0", () => {
  const hello = "68656c6c6f";
  assert.equal(
    frames([90_000, hello], [93_000, "616263"]),
    hex(`8002bf20 05 ${hello} 5770 03 616263`),
  );
  assert.equal(frames([1_000, hello]), hex(`47d0 05 ${hello}`));
  assert.equal(frames([3_000, HELLO], [1_500, ""]).slice(-6), "4bb700");
});
