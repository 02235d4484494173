/** What only a store outside this process has to stand: restarts, lost answers, other writers. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import { type Logger, silent } from "../base/logger.ts";
import { redisServer, startRedis } from "../tests/support/peers/redis.ts";
import { until } from "../tests/support/server.ts";
import { Dvr } from "../server/dvr/dvr.ts";
import { RelayUnderTest } from "../tests/support/fixtures/http.ts";
import { RedisConnection } from "./redis_connection.ts";
import { RedisStore, type RedisStoreOptions } from "./redis.ts";
import type { NewFrame, TrackKey } from "./store.ts";

const KEY: TrackKey = { broadcast: "live", track: "video" };
const ignore = !redisServer.ok;

function open(url: string, options: Partial<RedisStoreOptions> = {}): RedisStore {
  return new RedisStore({
    url,
    clock: systemClock,
    log: silent,
    prefix: "test:",
    ttlMs: 60_000,
    maxWaitingBytes: 1 << 20,
    ...options,
  });
}

function numbered(n: number, bytes = 100): NewFrame {
  const payload = new Uint8Array(bytes);
  new DataView(payload.buffer).setUint32(0, n);
  return { group: Math.floor(n / 10), keyframe: n % 10 === 0, timestamp: n * 33, payload };
}

async function numbersOf(store: RedisStore): Promise<number[]> {
  const frames = await store.range(KEY, 0, Infinity, 1_000_000);
  return frames.map(({ payload }) => new DataView(payload.buffer, payload.byteOffset).getUint32(0));
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

Deno.test({
  name: "redis: killed and started again twice in mid-stream, no frame is lost or doubled",
  ignore,
  async fn() {
    await using redis = await startRedis();
    await using store = open(redis.url);
    const COUNT = 3000;
    let answered = 0;
    const kept: Promise<number>[] = [];
    const disaster = (async () => {
      for (const share of [0.2, 0.6]) {
        await until(() => answered > COUNT * share, "appends");
        await redis.kill();
        await until(
          () => store.stats.waitingBytes > 5000 || kept.length === COUNT,
          "frames to wait",
        );
        await redis.start();
      }
    })();
    for (let n = 0; n < COUNT; n++) {
      kept.push(store.append(KEY, numbered(n)).finally(() => answered++));
      if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const sequences = await Promise.all(kept);
    await disaster;
    deepStrictEqual(await numbersOf(store), upTo(COUNT));
    deepStrictEqual(sequences, upTo(COUNT).map((n) => sequences[0]! + n));
    deepStrictEqual((await store.range(KEY, 0, Infinity, COUNT)).map((f) => f.sequence), sequences);
    ok(store.stats.retried > 0);
    strictEqual(store.stats.waitingBytes, 0);
    strictEqual(store.stats.refused, 0);
  },
});

Deno.test({
  name: "redis: an append whose answer was lost is not kept twice",
  ignore,
  async fn() {
    await using redis = await startRedis();
    await using between = answerEater(new URL(redis.url));
    await using store = open(between.url);
    const first = await store.append(KEY, numbered(0));
    between.eatNextAnswer();
    const second = await store.append(KEY, numbered(1));
    strictEqual(between.eaten, 1);
    strictEqual(second, first + 1);
    strictEqual(store.stats.retried, 1);
    deepStrictEqual(await numbersOf(store), [0, 1]);
  },
});

Deno.test({
  name: "redis: past the bound of what may wait appends are refused, what was accepted is kept",
  ignore,
  async fn() {
    await using redis = await startRedis();
    await using store = open(redis.url, { maxWaitingBytes: 1000 });
    await store.append(KEY, numbered(0));
    await redis.kill();
    const accepted = upTo(10).map((n) => store.append(KEY, numbered(n + 1)));
    await rejects(store.append(KEY, numbered(11)), { code: "QUMO_STORAGE_UNAVAILABLE" });
    await rejects(store.append(KEY, numbered(12, 2000)), { code: "QUMO_STORAGE_FRAME_TOO_LARGE" });
    await rejects(store.latest(KEY), { code: "QUMO_STORAGE_UNAVAILABLE" });
    strictEqual(store.stats.refused, 2);
    await redis.start();
    await Promise.all(accepted);
    deepStrictEqual(await numbersOf(store), upTo(11));
  },
});

Deno.test({
  name:
    "redis: a track has one writer; another takes over when that is gone, and no sequence comes twice",
  ignore,
  async fn() {
    await using redis = await startRedis();
    await using one = open(redis.url, { leaseMs: 400 });
    await using two = open(redis.url, { leaseMs: 60_000 });
    const first = await one.append(KEY, numbered(0));
    await rejects(two.append(KEY, numbered(1)), { code: "QUMO_STORAGE_TRACK_TAKEN" });
    let second = 0;
    await until(async () => { // once the first has been silent for long enough
      second = await two.append(KEY, numbered(1)).catch(() => 0);
      return second > 0;
    }, "the lease to end");
    strictEqual(second, first + 1);
    await rejects(one.append(KEY, numbered(2)), { code: "QUMO_STORAGE_TRACK_TAKEN" });
    await two[Symbol.asyncDispose](); // lets it go at once
    strictEqual(await one.append(KEY, numbered(2)), second + 1);
    deepStrictEqual(await numbersOf(one), [0, 1, 2]);
  },
});

Deno.test({
  name:
    "redis: another process goes on where the last one ended; a Redis that forgot all gives no number again",
  ignore,
  async fn() {
    await using redis = await startRedis();
    const before = open(redis.url);
    const first = await before.append(KEY, numbered(0));
    await before[Symbol.asyncDispose]();
    await using after = open(redis.url);
    const second = await after.append(KEY, numbered(1));
    strictEqual(second, first + 1);
    deepStrictEqual(await numbersOf(after), [0, 1]);
    await command(redis.url, "FLUSHALL");
    ok(await after.append(KEY, numbered(2)) > second);
    await command(redis.url, "FLUSHALL");
    await using third = open(redis.url);
    ok(await third.append(KEY, numbered(3)) > second);
  },
});

Deno.test({
  name: "redis: a wrong password is reported once, without the password",
  ignore,
  async fn() {
    await using redis = await startRedis({ password: "right" });
    const lines: string[] = [];
    const note = (message: string, fields?: unknown) =>
      void lines.push(message + JSON.stringify(fields));
    const log: Logger = { debug: note, info: note, warn: note, error: note, with: () => log };
    const url = redis.url.replace("right", "s3cret");
    await using store = open(url, { log });
    await rejects(store.latest(KEY), (error: Error) => !error.message.includes("s3cret"));
    strictEqual(lines.length, 1);
    ok(lines[0]!.includes("WRONGPASS") && !lines[0]!.includes("s3cret"), lines[0]);
  },
});

/** Sends one command and waits for its answer. */
async function command(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(`${text}\r\n`));
  await connection.read(new Uint8Array(64));
}

/** Stands between a client and Redis, and can break the connection in the place of an answer to EVALSHA. */
function answerEater(to: URL) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const state = { armed: false, asked: false, eaten: 0 };
  const open = new Set<Deno.Conn>();
  const serve = async (client: Deno.Conn) => {
    const server = await Deno.connect({ hostname: to.hostname, port: Number(to.port) });
    for (const end of [client, server]) open.add(end);
    const close = () => {
      for (const end of [client, server]) {
        if (open.delete(end)) end.close();
      }
    };
    const pump = async (from: Deno.Conn, into: Deno.Conn, look: (text: string) => boolean) => {
      const bytes = new Uint8Array(65_536);
      for (let n; (n = await from.read(bytes).catch(() => null)) !== null;) {
        if (look(new TextDecoder().decode(bytes.subarray(0, n)))) break;
        await into.write(bytes.slice(0, n)).catch(() => 0);
      }
      close();
    };
    await Promise.all([
      pump(client, server, (text) => {
        if (state.armed && text.includes("EVALSHA")) state.asked = true;
        return false;
      }),
      pump(server, client, () => {
        if (!state.asked) return false;
        state.armed = state.asked = false;
        state.eaten++;
        return true;
      }),
    ]);
  };
  const accepting = (async () => {
    const served: Promise<void>[] = [];
    for await (const client of listener) served.push(serve(client).catch(() => {}));
    for (const end of [...open]) if (open.delete(end)) end.close();
    await Promise.all(served);
  })();
  return {
    url: `redis://127.0.0.1:${listener.addr.port}`,
    get eaten() {
      return state.eaten;
    },
    eatNextAnswer() {
      state.armed = true;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

Deno.test({
  name:
    "redis: what /dvr costs does not grow with what else is kept, and a thousand asking at once cost as one",
  ignore,
  async fn() {
    await using redis = await startRedis();
    await using store = open(redis.url);
    const append = (broadcast: string) => store.append({ broadcast, track: "v" }, numbered(0));
    await append("live/cam");
    await Promise.all(upTo(300).map((n) => append(`other/${n}`)));
    const asking = new RedisConnection({ url: redis.url, log: silent });
    const scripts = async () => {
      const text = String(await asking.command(["INFO", "commandstats"]));
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0);
    };
    await using relay = new RelayUnderTest();
    const dvr = new Dvr({
      relay: relay.relay,
      store,
      record: [],
      tracks: [],
      maxTracks: 2,
      retention: {},
      log: silent,
    });
    await dvr.kept("live/cam"); // Redis has the scripts from here on
    const before = await scripts();
    const kept = await Promise.all(upTo(1000).map(() => dvr.kept("live/cam")));
    deepStrictEqual(
      kept.map((tracks) => tracks.map(({ track }) => track)),
      upTo(1000).map(() => ["v"]),
    );
    strictEqual(await scripts() - before, 3);
    dvr.stop();
    asking.close();
  },
});
