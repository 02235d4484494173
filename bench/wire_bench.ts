/** What one control message, one varint and one frame head cost. The media path only meets the last two groups. */
import { Reader, Writer } from "../wire/cursor.ts";
import { decodeDatagram, encodeDatagram } from "../wire/lite/datagram.ts";
import * as A from "../wire/lite/announce.ts";
import { decodeSetup, encodeSetup } from "../wire/lite/setup.ts";
import * as S from "../wire/lite/subscribe.ts";
import * as T from "../wire/lite/track.ts";
import type { Message } from "../wire/message.ts";
import { getVarint, putVarint, unzigzag, varintWidth, zigzag } from "../wire/varint.ts";

/** Keeps results alive, so that the compiler cannot drop the work. */
let sink = 0;

function pair<T>(name: string, message: Message<T>, value: T): void {
  const body = message.encode(value).slice();
  Deno.bench(`encode ${name}`, { group: message.name }, () => {
    sink += message.encode(value).length;
  });
  Deno.bench(`decode ${name}`, { group: message.name }, () => {
    if (message.decode(body) === undefined) sink++;
  });
}

const ends = { startGroup: undefined, endGroup: undefined, startFrame: 0, endFrame: undefined };
const demands = { priority: 128, ordered: undefined, maxLatencyMs: 500, ...ends };
const subscribe = { id: 7, broadcast: "room/alice", track: "video", ...demands };
const route = { hops: [1_000n, 777n, 123_456_789n], warm: 2, cold: 3 };
const info = { priority: 127, ordered: undefined, maxAgeMs: 5_000, timescale: 90_000 };
const fetch = { broadcast: "room/alice", track: "video", priority: 0, group: 42 };

pair("ANNOUNCE_REQUEST 04", A.AnnounceRequest4, { prefix: "room", excludeHop: 12_345n });
pair("ANNOUNCE_REQUEST 06", A.AnnounceRequest, { prefix: "room", excludeHop: 0n });
pair("ANNOUNCE_INIT of 100", A.AnnounceInit, {
  suffixes: Array.from({ length: 100 }, (_, n) => `room/person-${n}`),
});
pair("ANNOUNCE_OK", A.AnnounceOk, { hop: 777n, count: 100 });
pair("ANNOUNCE 02", A.Announce1, { status: 1, suffix: "room/alice", hops: [] });
pair("ANNOUNCE 03", A.Announce3, { status: 1, suffix: "room/alice", hops: [0n, 0n, 0n] });
pair("ANNOUNCE 05", A.Announce4, { status: 1, suffix: "room/alice", hops: route.hops });
pair("ANNOUNCE_START 06", A.AnnounceStart, { suffix: "room/alice", ...route });
pair("ANNOUNCE_UPDATE 06", A.AnnounceUpdate, { id: 42, ...route });
pair("ANNOUNCE_END 06", A.AnnounceEnd, { id: 42 });
pair("SUBSCRIBE 02", S.Subscribe1, { ...subscribe, maxLatencyMs: 0 });
pair("SUBSCRIBE 04", S.Subscribe3, subscribe);
pair("SUBSCRIBE 05", S.Subscribe5, subscribe);
pair("SUBSCRIBE 06", S.Subscribe6, subscribe);
pair("SUBSCRIBE_UPDATE 05", S.SubscribeUpdate3, demands);
pair("SUBSCRIBE_UPDATE 06", S.SubscribeUpdate6, demands);
pair("SUBSCRIBE_OK 04", S.SubscribeOk3, demands);
pair("SUBSCRIBE_START", S.SubscribeStart, { group: 42 });
pair("SUBSCRIBE_END", S.SubscribeEnd, { group: 43 });
pair("SUBSCRIBE_DROP", S.SubscribeDrop, { startGroup: 5, endGroup: 7, error: 2 });
pair("TRACK", T.TrackRequest, { broadcast: "room/alice", track: "video" });
pair("TRACK_INFO 05", T.TrackInfo5, info);
pair("TRACK_INFO 06", T.TrackInfo6, info);
pair("FETCH 05", T.Fetch5, { ...fetch, startFrame: 0, endFrame: undefined });
pair("FETCH 06", T.Fetch6, { ...fetch, startFrame: 3, endFrame: 9 });
pair("GROUP 05", T.Group1, { subscribe: 7, sequence: 123_456, startFrame: 0 });
pair("GROUP 06", T.Group6, { subscribe: 7, sequence: 123_456, startFrame: 0 });
pair("PROBE 05", T.Probe4, { bitrate: 5_000_000, rttMs: 40 });
pair("GOAWAY", T.Goaway, { uri: "https://b.example/" });

const setup = { probe: 1, path: "/room?jwt=x", cost: 3, hop: 777n };
const setupBody = encodeSetup(setup).slice();
Deno.bench("encode SETUP", { group: "SETUP" }, () => {
  sink += encodeSetup(setup).length;
});
Deno.bench("decode SETUP", { group: "SETUP" }, () => {
  sink += decodeSetup(setupBody).probe ?? 0;
});

const payload = new Uint8Array(1_000);
const datagramHead = { subscribe: 7, sequence: 123_456, timestamp: 90_000_000 };
const datagram = encodeDatagram(datagramHead, payload);
Deno.bench("encode a datagram of 1,000 bytes", { group: "datagram" }, () => {
  sink += encodeDatagram(datagramHead, payload).length;
});
Deno.bench("decode a datagram of 1,000 bytes", { group: "datagram" }, () => {
  sink += decodeDatagram(datagram).payload.length;
});

const room = new Uint8Array(64);
for (const [width, value] of [[1, 37], [2, 15_293], [4, 494_878_333], [8, 2 ** 53 - 1]] as const) {
  const written = new Uint8Array(8);
  putVarint(written, 0, value);
  const big = BigInt(value);
  Deno.bench(`write a varint of ${width} bytes`, { group: "varint" }, () => {
    sink += putVarint(room, 0, value);
  });
  Deno.bench(`read a varint of ${width} bytes`, { group: "varint" }, () => {
    sink += getVarint(written, 0) & 1;
  });
  Deno.bench(`write and read a hop id of ${width} bytes`, { group: "varint" }, () => {
    const w = new Writer();
    w.bigVarint(big);
    if (new Reader(w.done(), "hop").bigVarint() !== big) sink++;
  });
}

Deno.bench("write a group head, 30 frame heads", { group: "media head" }, () => {
  let at = putVarint(room, 0, 0);
  at = putVarint(room, at, 4);
  at = putVarint(room, at, 7);
  at = putVarint(room, at, 123_456);
  for (let frame = 0; frame < 30; frame++) {
    const next = putVarint(room, at, zigzag(frame === 0 ? 90_000_000 : 3_000));
    sink += putVarint(room, next, 4_000);
  }
});

const heads = new Uint8Array(30 * 4);
let end = 0;
for (let frame = 0; frame < 30; frame++) {
  end = putVarint(heads, putVarint(heads, end, zigzag(3_000)), 4_000);
}
Deno.bench("read 30 frame heads", { group: "media head" }, () => {
  for (let at = 0; at < end;) {
    sink += unzigzag(getVarint(heads, at));
    at += varintWidth(heads[at]!);
    sink += getVarint(heads, at);
    at += varintWidth(heads[at]!);
  }
});
