import assert from "node:assert/strict";
import { Reader, Writer } from "../cursor.ts";
import { ProtocolViolation } from "../errors.ts";
import { type Field, MAX_URI_BYTES } from "../message.ts";
import * as A from "./announce.ts";
import {
  cost,
  floor,
  hopCount,
  hops,
  ignoredByte,
  path,
  rootedPath,
  rootedPrefix,
  timescale,
} from "./fields.ts";
import * as S from "./subscribe.ts";
import * as T from "./track.ts";

function write<T>(field: Field<T>, value: T): string {
  const w = new Writer();
  field.write(w, value);
  return w.done().toHex();
}
function read<T>(field: Field<T>, text: string): T {
  return field.read(new Reader(Uint8Array.fromHex(text), "FIELD"));
}
/** A text as it is written on the wire. */
function wire(text: string): string {
  const w = new Writer();
  w.text(text);
  return w.done().toHex();
}
const parts = (n: number) => Array.from({ length: n }, () => "a").join("/");
const varint62 = (n: bigint) => (n | (3n << 62n)).toString(16);

Deno.test("a path takes 32 parts and refuses 33, both ways", () => {
  for (const field of [path, rootedPath, rootedPrefix]) {
    assert.equal(read(field, write(field, parts(32))), parts(32));
    assert.throws(() => write(field, parts(33)), RangeError);
    assert.throws(() => read(field, wire(parts(33))), ProtocolViolation);
  }
});

Deno.test("a path is read without outer and doubled slashes, which count as no part", () => {
  for (const field of [path, rootedPath, rootedPrefix]) {
    assert.equal(read(field, wire("//room///alice/")), "room/alice");
    assert.equal(read(field, wire("/")), "");
    assert.equal(read(field, wire(`/${parts(32).replaceAll("/", "//")}/`)), parts(32));
  }
});

Deno.test("a path is written plain, rooted or as a prefix between slashes", () => {
  assert.equal(write(path, "/a/b/"), wire("a/b"));
  assert.equal(write(rootedPath, "a/b"), wire("/a/b"));
  assert.equal(write(rootedPrefix, "a/b"), wire("/a/b/"));
  assert.equal(write(rootedPrefix, ""), wire("/"));
});

Deno.test("a path keeps its bytes: no normalisation, no percent decoding, no byte order mark lost", () => {
  for (const odd of ["e\u0301", "\u00e9", "%2F", "\ufeffa", "a\u0000b", ".."]) {
    assert.equal(read(path, write(path, odd)), odd);
  }
});

Deno.test("a path that is not UTF-8 is refused", () => {
  assert.throws(() => read(path, "02c328"), /text is not UTF-8/);
});

Deno.test("a hop chain takes 32 ids and refuses 33, both ways", () => {
  const chain = Array.from({ length: 33 }, (_, n) => BigInt(n + 1));
  assert.deepEqual(read(hops, write(hops, chain.slice(1))), chain.slice(1));
  assert.throws(() => write(hops, chain), RangeError);
  assert.throws(() => read(hops, "21" + "00".repeat(33)), ProtocolViolation);
});

Deno.test("a hop count takes 32 and refuses 33, both ways", () => {
  const unknown = Array.from({ length: 33 }, () => 0n);
  assert.deepEqual(read(hopCount, write(hopCount, unknown.slice(1))), unknown.slice(1));
  assert.throws(() => write(hopCount, unknown), RangeError);
  assert.throws(() => read(hopCount, "21"), ProtocolViolation);
});

Deno.test("a hop id that stands twice is refused, an unknown one may repeat", () => {
  assert.throws(() => read(hops, "03070907"), /a hop id stands twice/);
  assert.deepEqual(read(hops, "03000900"), [0n, 9n, 0n]);
  assert.throws(() => A.Announce4.decode(Uint8Array.fromHex("0100020707")), ProtocolViolation);
});

Deno.test("hop ids above 2^53 are exact", () => {
  const chain = [2n ** 53n, 2n ** 53n + 1n, 2n ** 62n - 1n];
  assert.equal(write(hops, chain), "03" + chain.map(varint62).join(""));
  assert.deepEqual(read(hops, write(hops, chain)), chain);
});

Deno.test("a cost that numbers cannot hold is Infinity, which is written as the largest varint", () => {
  assert.equal(read(cost, varint62(2n ** 53n - 1n)), 2 ** 53 - 1);
  assert.equal(read(cost, varint62(2n ** 53n)), Infinity);
  assert.equal(read(cost, "ffffffffffffffff"), Infinity);
  assert.equal(write(cost, Infinity), "ffffffffffffffff");
  for (const wrong of [-1, NaN, 0.5]) assert.throws(() => write(cost, wrong), RangeError);
});

Deno.test("a floor of 0 is no floor", () => {
  assert.equal(read(floor, "00"), undefined);
  assert.equal(write(floor, undefined), "00");
  assert.equal(read(floor, "05"), 5);
});

Deno.test("the byte of `ordered` is read as anything and written 0", () => {
  for (const byte of ["00", "01", "ff"]) assert.equal(read(ignoredByte, byte), undefined);
  assert.equal(write(ignoredByte, undefined), "00");
});

Deno.test("TRACK_INFO refuses timescale 0, both ways", () => {
  const value = { priority: 0, ordered: undefined, maxAgeMs: 0, timescale: 0 };
  for (const message of [T.TrackInfo5, T.TrackInfo6]) {
    assert.throws(() => message.encode(value), /timescale 0/);
  }
  assert.throws(() => T.TrackInfo5.decode(Uint8Array.fromHex("7f00538800")), /timescale 0/);
  assert.throws(() => T.TrackInfo6.decode(Uint8Array.fromHex("7f538800")), /timescale 0/);
  assert.equal(read(timescale, "01"), 1);
});

Deno.test("ANNOUNCE refuses a status it does not know", () => {
  assert.throws(() => A.Announce1.decode(Uint8Array.fromHex("030161")), /unknown status 3/);
});

Deno.test("SUBSCRIBE of 06 refuses a last frame without a last group, both ways", () => {
  const value = {
    priority: 0,
    ordered: undefined,
    maxLatencyMs: 0,
    startGroup: undefined,
    endGroup: undefined,
    startFrame: 0,
    endFrame: 1,
  };
  const subscribe = { ...value, id: 0, broadcast: "a", track: "b" };
  const why = /last frame 1 without a last group/;
  assert.throws(() => S.SubscribeUpdate6.encode(value), why);
  assert.throws(() => S.SubscribeUpdate6.decode(Uint8Array.fromHex("000000000002")), why);
  assert.throws(() => S.Subscribe6.encode(subscribe), why);
  assert.throws(() => S.Subscribe6.decode(Uint8Array.fromHex("0001610162000000000002")), why);
});

Deno.test("FETCH of 06 refuses a last frame before the first, both ways", () => {
  const value = { broadcast: "a", track: "b", priority: 0, group: 1, startFrame: 5, endFrame: 4 };
  const why = /last frame 4 before first frame 5/;
  assert.throws(() => T.Fetch6.encode(value), why);
  assert.throws(() => T.Fetch6.decode(Uint8Array.fromHex("0161016200010505")), why);
  assert.deepEqual(T.Fetch6.decode(T.Fetch6.encode({ ...value, endFrame: 5 })).endFrame, 5);
});

Deno.test("GOAWAY refuses a URI above 8192 bytes, both ways", () => {
  const longest = { uri: "é".repeat(MAX_URI_BYTES / 2) };
  const body = T.Goaway.encode(longest);
  assert.deepEqual(T.Goaway.decode(body), longest);
  assert.throws(() => T.Goaway.encode({ uri: longest.uri + "x" }), RangeError);
  const w = new Writer();
  w.text(longest.uri + "x");
  assert.throws(() => T.Goaway.decode(w.done()), ProtocolViolation);
});
