/** Every message of every version, one row each: the value ranges of its fields, and what must hold for all of them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolViolation } from "../errors.ts";
import type { Message } from "../message.ts";
import * as A from "./announce.ts";
import { DIALECTS } from "./dialect.ts";
import * as S from "./subscribe.ts";
import * as T from "./track.ts";

const varint = fc.maxSafeNat();
const u8 = fc.integer({ min: 0, max: 255 });
const text = fc.string({ unit: "binary", maxLength: 20 });
/** Written as n + 1, so the largest varint is not possible. */
const group = fc.maxSafeNat().map((n) => Math.max(0, n - 1));
const optional = fc.option(group, { nil: undefined });
const floor = fc.option(fc.maxSafeNat().map((n) => Math.max(1, n)), { nil: undefined });
const part = fc.string({ unit: "binary", minLength: 1, maxLength: 6 })
  .filter((p) => !p.includes("/"));
const path = fc.array(part, { maxLength: 32 }).map((parts) => parts.join("/"));
const bigVarint = fc.bigInt({ min: 0n, max: (1n << 62n) - 1n });
const hops = fc.uniqueArray(bigVarint, { maxLength: 32 });
const unknownHops = fc.integer({ min: 0, max: 32 }).map((n) => Array.from({ length: n }, () => 0n));
const cost = fc.oneof(fc.maxSafeNat(), fc.constant(Infinity));
const status = fc.constantFrom(...Object.values(A.ANNOUNCE_STATUS));
const none = fc.constant(undefined);
const zero = fc.constant(0);

/** The fields of one message, each with the values it can carry in this version. */
type Row = readonly [Message<unknown>, Record<string, fc.Arbitrary<unknown>>];

function row<T>(message: Message<T>, fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): Row {
  return [message as Message<unknown>, fields as Record<string, fc.Arbitrary<unknown>>];
}

const subscribe = { id: varint, broadcast: path, track: text, priority: u8, ordered: none };
const noGroups = { maxLatencyMs: zero, startGroup: none, endGroup: none };
const groups = { maxLatencyMs: varint, startGroup: optional, endGroup: optional };
const floored = { maxLatencyMs: varint, startGroup: floor, endGroup: optional };
/** In 06 a last frame needs a last group. */
const bounded = { ...floored, endGroup: group, startFrame: varint, endFrame: optional };
const noFrames = { startFrame: zero, endFrame: none };
const reply = { priority: u8, ordered: none };
const track = { broadcast: path, track: text };
const timescale = fc.maxSafeNat().map((n) => Math.max(1, n));
const info = { priority: u8, ordered: none, maxAgeMs: varint, timescale };
const fetch = { ...track, priority: u8, group: varint };

const rows: Readonly<Record<string, Row>> = {
  AnnounceRequest: row(A.AnnounceRequest, { prefix: path, excludeHop: fc.constant(0n) }),
  AnnounceRequest4: row(A.AnnounceRequest4, { prefix: path, excludeHop: bigVarint }),
  AnnounceInit: row(A.AnnounceInit, { suffixes: fc.array(path, { maxLength: 9 }) }),
  AnnounceOk: row(A.AnnounceOk, { hop: bigVarint, count: varint }),
  Announce1: row(A.Announce1, { status, suffix: path, hops: fc.constant([]) }),
  Announce3: row(A.Announce3, { status, suffix: path, hops: unknownHops }),
  Announce4: row(A.Announce4, { status, suffix: path, hops }),
  AnnounceStart: row(A.AnnounceStart, { suffix: path, hops, warm: cost, cold: cost }),
  AnnounceEnd: row(A.AnnounceEnd, { id: varint }),
  AnnounceUpdate: row(A.AnnounceUpdate, { id: varint, hops, warm: cost, cold: cost }),
  Subscribe1: row(S.Subscribe1, { ...subscribe, ...noGroups, ...noFrames }),
  Subscribe3: row(S.Subscribe3, { ...subscribe, ...groups, ...noFrames }),
  Subscribe5: row(S.Subscribe5, { ...subscribe, ...groups, ...noFrames }),
  Subscribe6: row(S.Subscribe6, { ...subscribe, ...floored, startFrame: varint, endFrame: none }),
  "Subscribe6 with frame bounds": row(S.Subscribe6, { ...subscribe, ...bounded }),
  SubscribeUpdate3: row(S.SubscribeUpdate3, { ...reply, ...groups, ...noFrames }),
  SubscribeUpdate6: row(S.SubscribeUpdate6, { ...reply, ...bounded }),
  SubscribeOk1: row(S.SubscribeOk1, { ...reply, ...noGroups }),
  SubscribeOk2: row(S.SubscribeOk2, { priority: zero, ordered: none, ...noGroups }),
  SubscribeOk3: row(S.SubscribeOk3, { ...reply, ...groups }),
  SubscribeStart: row(S.SubscribeStart, { group: varint }),
  SubscribeEnd: row(S.SubscribeEnd, { group: varint }),
  SubscribeDrop: row(S.SubscribeDrop, { startGroup: varint, endGroup: varint, error: varint }),
  TrackRequest: row(T.TrackRequest, track),
  TrackInfo5: row(T.TrackInfo5, info),
  TrackInfo6: row(T.TrackInfo6, info),
  Fetch4: row(T.Fetch4, { ...fetch, ...noFrames }),
  Fetch5: row(T.Fetch5, { ...fetch, ...noFrames }),
  Fetch6: row(T.Fetch6, { ...fetch, startFrame: varint, endFrame: none }),
  "Fetch6 with frame bounds": row(T.Fetch6, { ...fetch, startFrame: zero, endFrame: optional }),
  Group1: row(T.Group1, { subscribe: varint, sequence: varint, startFrame: zero }),
  Group6: row(T.Group6, { subscribe: varint, sequence: varint, startFrame: varint }),
  Probe3: row(T.Probe3, { bitrate: varint, rttMs: zero }),
  Probe4: row(T.Probe4, { bitrate: varint, rttMs: varint }),
  Goaway: row(T.Goaway, { uri: text }),
};

for (const [name, [message, fields]] of Object.entries(rows)) {
  const any = fc.record(fields, { noNullPrototype: true });

  Deno.test(`${name} survives a round trip for any field values`, () => {
    fc.assert(fc.property(any, (value) => {
      assert.deepEqual(message.decode(message.encode(value)), value);
    }));
  });

  Deno.test(`${name} refuses every proper prefix and any trailing byte`, () => {
    fc.assert(
      fc.property(any, u8, (value, extra) => {
        const body = message.encode(value).slice();
        for (let n = 0; n < body.length; n++) {
          assert.throws(() => message.decode(body.subarray(0, n)), ProtocolViolation);
        }
        const longer = new Uint8Array(body.length + 1);
        longer.set(body);
        longer[body.length] = extra;
        assert.throws(() => message.decode(longer), /left after the last field/);
      }),
      { numRuns: 20 },
    );
  });

  Deno.test(`${name} only ever throws ProtocolViolation, whatever the bytes`, () => {
    const noise = fc.uint8Array({ maxLength: 64 });
    // Random bytes seldom pass the first text. Valid bytes with one changed reach the last field.
    const damaged = fc.tuple(any, fc.nat(), u8).map(([value, at, byte]) => {
      const body = message.encode(value).slice();
      if (body.length > 0) body[at % body.length] = byte;
      return body;
    });
    fc.assert(fc.property(fc.oneof(noise, damaged), (bytes) => {
      try {
        assert.equal(typeof message.decode(bytes), "object");
      } catch (e) {
        assert.ok(e instanceof ProtocolViolation, String(e));
      }
    }));
  });
}

Deno.test("every message of every version stands in the table above", () => {
  const tested = new Set(Object.values(rows).map(([message]) => message));
  const missing: string[] = [];
  for (const dialect of DIALECTS) {
    for (const [key, value] of Object.entries(dialect)) {
      const isMessage = typeof value === "object" && "decode" in value;
      if (isMessage && !tested.has(value as Message<unknown>)) {
        missing.push(`${dialect.name}.${key}`);
      }
    }
  }
  for (const module of [A, S, T]) {
    for (const [key, value] of Object.entries(module)) {
      if (
        typeof value === "object" && "decode" in value && !tested.has(value as Message<unknown>)
      ) missing.push(key);
    }
  }
  assert.deepEqual(missing, []);
});
