/** What every store keeps to: the same tests for each of them. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Clock, systemClock } from "../base/clock.ts";
import { silent } from "../base/logger.ts";
import { redisServer, startRedis } from "../tests/support/peers/redis.ts";
import { MemoryStore } from "./memory.ts";
import { RedisStore } from "./redis.ts";
import {
  type MediaStore,
  type NewFrame,
  type Retention,
  StorageUnavailable,
  type StoredFrame,
  type TrackKey,
} from "./store.ts";

/** The wall stands where the test puts it; timers are real. */
class TestClock implements Clock {
  wall = 1_800_000_000_000;
  now = () => systemClock.now();
  wallMs = () => this.wall;
  after(delayMs: number, callback: () => void) {
    return systemClock.after(delayMs, callback);
  }
}

interface Bench extends AsyncDisposable {
  readonly clock: TestClock;
  /** Empty, and closed with the bench. */
  open(): MediaStore;
}

function memoryBench(): Promise<Bench> {
  const clock = new TestClock();
  const opened: MediaStore[] = [];
  return Promise.resolve({
    clock,
    open() {
      const store = new MemoryStore({ clock, maxBytes: 64 << 20 });
      opened.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]();
    },
  });
}

async function redisBench(): Promise<Bench> {
  const redis = await startRedis();
  const clock = new TestClock();
  const opened: MediaStore[] = [];
  let count = 0;
  return {
    clock,
    open() {
      const store = new RedisStore({
        url: redis.url,
        clock,
        log: silent,
        prefix: `test${++count}:`,
        ttlMs: 0,
        maxWaitingBytes: 64 << 20,
      });
      opened.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

const STORES = [
  { name: "memory", bench: memoryBench, ignore: false },
  { name: "redis", bench: redisBench, ignore: !redisServer.ok },
];

const KEY: TrackKey = { broadcast: "live/cam:1", track: "video 0" };

function frame(group: number, first: boolean, text: string, timestamp = group * 1000): NewFrame {
  return { group, keyframe: first, timestamp, payload: new TextEncoder().encode(text) };
}

/** What does not depend on when and where it was stored. */
function plain(frames: readonly StoredFrame[]) {
  return frames.map(({ group, keyframe, endsGroup, timestamp, payload }) => ({
    group,
    keyframe,
    endsGroup: endsGroup ?? false,
    timestamp,
    payload,
  }));
}

for (const { name, bench, ignore } of STORES) {
  Deno.test({
    name:
      `${name}: gives frames back as they came, bytes and all, by range, by group and the latest`,
    ignore,
    async fn() {
      await using place = await bench();
      const store = place.open();
      strictEqual(await store.latest(KEY), undefined);
      deepStrictEqual(await store.range(KEY, 0, Infinity), []);
      const every = Uint8Array.from({ length: 256 }, (_, i) => i);
      const frames: NewFrame[] = [
        frame(7, true, "key"),
        { ...frame(7, false, ""), payload: every },
        { ...frame(8, true, "", -5), payload: new Uint8Array(0), endsGroup: true },
        { ...frame(7, false, "late", 2 ** 50), endsGroup: true },
        frame(9, false, "from its middle"),
      ];
      const given: number[] = [];
      for (const one of frames) given.push(await store.append(KEY, one));
      deepStrictEqual(given.map((n) => n - given[0]!), [0, 1, 2, 3, 4]);
      const [first, , third] = given as [number, number, number];
      const all = await store.range(KEY, 0, Infinity);
      deepStrictEqual(plain(all), plain(frames as StoredFrame[]));
      deepStrictEqual(all.map((f) => f.sequence), given);
      deepStrictEqual(all[0]!.storedAtMs, place.clock.wall);
      strictEqual((await store.range(KEY, first, third, 2)).length, 2);
      deepStrictEqual(await store.latest(KEY), all[4]);
      deepStrictEqual(await store.group(KEY, 7), [all[0], all[1], all[3]]);
      deepStrictEqual(await store.group(KEY, 9), []);
      deepStrictEqual(await store.group(KEY, 1), []);
      deepStrictEqual(
        (await store.groups(KEY, 0)).map((
          { group, whole, timestamp },
        ) => [group, whole, timestamp]),
        [[7, true, 7000], [8, true, -5]],
      );
      const bytes = frames.reduce((sum, f) => sum + f.payload.length, 0);
      deepStrictEqual(await store.list(KEY.broadcast), [
        { ...KEY, frames: 5, bytes, first, last: given[4]! },
      ]);
      strictEqual(store.stats.appends, 5);
      strictEqual(store.stats.appendedBytes, bytes);
      ok(store.stats.reads > 0 && store.stats.readBytes > bytes);
      strictEqual(store.stats.waitingBytes, 0);
    },
  });

  Deno.test({
    name: `${name}: of a group number that was begun anew the new one is read`,
    ignore,
    async fn() {
      await using place = await bench();
      const store = place.open();
      for (const text of ["old 0", "old 1"]) {
        await store.append(KEY, frame(Number(text.at(-1)), true, text));
      }
      await store.append(KEY, frame(0, true, "new 0"));
      deepStrictEqual(plain(await store.group(KEY, 0)), [
        { ...plain([frame(0, true, "new 0") as StoredFrame])[0]! },
      ]);
      deepStrictEqual((await store.groups(KEY, 0)).map((g) => g.group), [1, 0]);
    },
  });

  Deno.test({
    name: `${name}: lists the group that was on at a time, and those after it`,
    ignore,
    async fn() {
      await using place = await bench();
      const store = place.open();
      const startMs = place.clock.wall;
      for (let group = 0; group < 10; group++) {
        await store.append(KEY, frame(group, true, "x"));
        place.clock.wall += 1000;
      }
      const at = async (ms: number, limit?: number) =>
        (await store.groups(KEY, ms, limit)).map((g) => g.group);
      deepStrictEqual(await at(startMs - 1, 2), [0, 1]);
      deepStrictEqual(await at(startMs + 3999, 3), [3, 4, 5]);
      deepStrictEqual(await at(startMs + 4000, 1), [4]);
      deepStrictEqual(await at(Infinity), [9]);
    },
  });

  Deno.test({
    name: `${name}: follows what is there and what comes, until the signal`,
    ignore,
    async fn() {
      await using place = await bench();
      const store = place.open();
      const stop = new AbortController();
      for (const text of ["a", "b"]) await store.append(KEY, frame(0, text === "a", text));
      const seen: string[] = [];
      for await (const { payload } of store.follow(KEY, 0, stop.signal)) {
        seen.push(new TextDecoder().decode(payload));
        if (seen.length === 2) void store.append(KEY, frame(1, true, "c"));
        if (seen.length === 3) {
          void store.append(KEY, frame(1, false, "d"));
          void store.append(KEY, frame(1, false, "e"));
        }
        if (seen.length === 5) setTimeout(() => stop.abort(), 0);
      }
      deepStrictEqual(seen, ["a", "b", "c", "d", "e"]);
    },
  });

  Deno.test({
    name: `${name}: lists the tracks of one broadcast, of many the newest`,
    ignore,
    async fn() {
      await using place = await bench();
      const store = place.open();
      const append = (broadcast: string, track: string) =>
        store.append({ broadcast, track }, frame(0, true, "a"));
      for (const track of ["c", "a", "b"]) {
        await append("one", track);
        await append(`one/${track}`, "video");
        await new Promise((resolve) => setTimeout(resolve, 2)); // the next is newer
      }
      const listed = async (limit?: number) =>
        (await store.list("one", limit)).map(({ broadcast, track }) => `${broadcast} ${track}`);
      deepStrictEqual(await listed(), ["one a", "one b", "one c"]);
      deepStrictEqual(await listed(2), ["one a", "one b"]);
      await store.delete({ broadcast: "one", track: "a" });
      deepStrictEqual(await listed(), ["one b", "one c"]);
      deepStrictEqual(await store.list("on"), []);
    },
  });

  Deno.test({
    name: `${name}: gives no sequence twice after a track was deleted`,
    ignore,
    async fn() {
      await using place = await bench();
      const store = place.open();
      await store.append(KEY, frame(0, true, "a"));
      const last = await store.append(KEY, frame(0, false, "b"));
      await store.delete(KEY);
      deepStrictEqual(await store.list(KEY.broadcast), []);
      deepStrictEqual(await store.group(KEY, 0), []);
      ok(await store.append(KEY, frame(0, true, "c")) > last);
      strictEqual((await store.list(KEY.broadcast))[0]!.bytes, 1);
    },
  });

  Deno.test({
    name: `${name}: what is kept, ranged, trimmed and followed is what a plain list would give`,
    ignore,
    async fn() {
      await using place = await bench();
      await fc.assert(
        fc.asyncProperty(operations, async (steps) => {
          const store = place.open();
          const model: { sequence: number; storedAtMs: number; frame: NewFrame }[] = [];
          let group = 0;
          for (const step of steps) {
            place.clock.wall += step.afterMs;
            if (step.trim === undefined) {
              group += Number(step.newGroup || model.length === 0);
              const opens = step.newGroup || model.length === 0;
              const next = { ...frame(group, opens, ""), payload: step.payload };
              const storedAtMs = place.clock.wall;
              model.push({ sequence: await store.append(KEY, next), storedAtMs, frame: next });
            } else {
              const kept = modelTrim(model, step.trim, place.clock.wall);
              strictEqual(await store.trim(KEY, step.trim), model.length - kept.length);
              model.splice(0, model.length - kept.length);
            }
          }
          const stored = model.map(({ sequence, storedAtMs, frame: f }) => ({
            ...plain([f as StoredFrame])[0]!,
            sequence,
            storedAtMs,
          }));
          deepStrictEqual(await store.range(KEY, 0, Infinity), stored);
          const base = model[0]?.sequence ?? 0;
          for (const [from, to, limit] of [[1, 4, 3], [2, 2, 9], [3, 1, 5]] as const) {
            const wanted = stored.filter((f) =>
              f.sequence >= base + from && f.sequence <= base + to
            );
            deepStrictEqual(
              await store.range(KEY, base + from, base + to, limit),
              wanted.slice(0, limit),
            );
          }
          for (let n = 0; n <= group; n++) {
            deepStrictEqual(await store.group(KEY, n), stored.filter((f) => f.group === n));
          }
          const followed: StoredFrame[] = [];
          const stop = new AbortController();
          if (stored.length > 0) {
            for await (const f of store.follow(KEY, base, stop.signal)) {
              if (followed.push(f) === stored.length) stop.abort();
            }
          }
          deepStrictEqual(followed, stored);
          const [track] = await store.list(KEY.broadcast);
          strictEqual(track?.bytes, stored.length === 0 ? undefined : sum(stored));
          strictEqual(track?.frames, stored.length === 0 ? undefined : stored.length);
          await store[Symbol.asyncDispose]();
        }),
        { numRuns: 25 },
      );
    },
  });
}

const operations = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 400 }),
    newGroup: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 40 }),
    trim: fc.option(
      fc.record({
        maxAgeMs: fc.integer({ min: 0, max: 2000 }),
        maxFrames: fc.integer({ min: 0, max: 20 }),
        maxBytes: fc.integer({ min: 0, max: 300 }),
      }, { requiredKeys: [] }),
      { nil: undefined, freq: 6 },
    ),
  }, { noNullPrototype: true }),
  { maxLength: 40 },
);

function sum(frames: readonly { readonly payload: Uint8Array }[]): number {
  return frames.reduce((bytes, { payload }) => bytes + payload.length, 0);
}

/** Whole groups go, oldest first, until the rest fits; the newest group stays; a group too old goes when the next is too. */
function modelTrim<T extends { readonly storedAtMs: number; readonly frame: NewFrame }>(
  frames: readonly T[],
  retention: Retention,
  nowMs: number,
): readonly T[] {
  const { maxAgeMs = Infinity, maxFrames = Infinity, maxBytes = Infinity } = retention;
  let rest = frames;
  for (;;) {
    const next = rest.findIndex((f) => f.frame.group !== rest[0]!.frame.group);
    if (next < 0) return rest;
    const tooMuch = rest.length > maxFrames || sum(rest.map((f) => f.frame)) > maxBytes;
    const tooOld = rest[next]!.storedAtMs <= nowMs - maxAgeMs;
    if (!tooMuch && !tooOld) return rest;
    rest = rest.slice(next);
  }
}

Deno.test("memory: the oldest group of any track makes room, and a frame that never fits is refused", async () => {
  const clock = new TestClock();
  await using store = new MemoryStore({ clock, maxBytes: 10_100 });
  const other: TrackKey = { broadcast: "other", track: "audio" };
  for (let group = 0; group < 10; group++) {
    clock.wall += 10;
    const payload = new Uint8Array(900);
    await store.append(group % 2 === 0 ? KEY : other, { ...frame(group, true, ""), payload });
  }
  const groups = async (key: TrackKey) => (await store.groups(key, 0)).map((g) => g.group);
  deepStrictEqual([await groups(KEY), await groups(other)], [[2, 4, 6, 8], [3, 5, 7, 9]]);
  strictEqual(store.stats.trimmed, 2);
  const giant = { ...frame(10, true, ""), payload: new Uint8Array(20_000) };
  await rejects(store.append(KEY, giant), { code: "QUMO_STORAGE_FRAME_TOO_LARGE" });
});

Deno.test("memory: a track keeps its own limits of frames and age", async () => {
  const clock = new TestClock();
  await using store = new MemoryStore({
    clock,
    maxBytes: 1 << 20,
    perTrack: { maxFrames: 4, maxAgeMs: 1000 },
  });
  for (let group = 0; group < 6; group++) await store.append(KEY, frame(group, true, "x"));
  deepStrictEqual((await store.groups(KEY, 0)).map((g) => g.group), [2, 3, 4, 5]);
  clock.wall += 5000;
  await store.append(KEY, frame(6, true, "x"));
  clock.wall += 500;
  await store.append(KEY, frame(7, true, "x"));
  deepStrictEqual((await store.groups(KEY, 0)).map((g) => g.group), [5, 6, 7]);
});

Deno.test("memory: tracks with long names and little in them are bounded too", async () => {
  const clock = new TestClock();
  await using store = new MemoryStore({ clock, maxBytes: 1 << 20 });
  const name = "n".repeat(1000);
  for (let i = 0; i < 1000; i++) {
    clock.wall++;
    await store.append({ broadcast: name, track: `${name}${i}` }, frame(0, true, "x"));
  }
  const kept = (await store.list(name, Infinity)).length;
  ok(kept > 50 && kept < (1 << 20) / 8000, `${kept}`);
});

Deno.test("a closed store says so", async () => {
  const store = new MemoryStore({ clock: new TestClock(), maxBytes: 1000 });
  await store[Symbol.asyncDispose]();
  await rejects(store.append(KEY, frame(0, true, "x")), StorageUnavailable);
});
