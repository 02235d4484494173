/**
 * Media storage in Redis (6.2 or newer). It outlasts a restart of this process, and of Redis where that persists. While Redis cannot be
 * reached, appends wait up to a bound, and reads fail.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { sleep } from "../base/sleep.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { RedisAppends } from "./redis_appends.ts";
import { RedisConnection, type Reply } from "./redis_connection.ts";
import { APPEND, DELETE, DESCRIBE, GROUP, GROUPS, RELEASE, TRIM } from "./redis_scripts.ts";
import {
  FrameTooLarge,
  MAX_LISTED,
  type MediaStore,
  type NewFrame,
  newStorageStats,
  type Retention,
  type StorageStats,
  StorageUnavailable,
  type StoredFrame,
  type StoredGroup,
  type StoredTrack,
  type TrackKey,
  TrackTaken,
} from "./store.ts";

export interface RedisStoreOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Every key begins with it. */
  readonly prefix: string;
  /** Redis forgets a track that nothing was appended to for so long, in milliseconds; 0 never. */
  readonly ttlMs: number;
  /** Most payload bytes that may wait for Redis. */
  readonly maxWaitingBytes: number;
  /** How long a track stays with its writer after an append, in milliseconds. Default 5,000. */
  readonly leaseMs?: number;
}

/** How long a closing store may still write what waits. */
const GOODBYE_MS = 2000;
/** How long one XREAD waits, and the pause before the next when Redis cannot be reached. */
const BLOCK_MS = 1000;
const RETRY_MS = 100;

interface Keys {
  readonly frames: string;
  readonly order: string;
  readonly groups: string;
  readonly meta: string;
  /** The key with the tracks of its broadcast. */
  readonly tracks: string;
}

export class RedisStore implements MediaStore {
  readonly type = "redis";
  readonly stats: StorageStats = newStorageStats();
  readonly #o: RedisStoreOptions;
  readonly #redis: RedisConnection;
  /** The name of this process at Redis: another one with every start. */
  readonly #writer = crypto.randomUUID();
  readonly #appends = new Map<string, { readonly key: TrackKey; readonly queue: RedisAppends }>();
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RedisStoreOptions) {
    this.#o = options;
    this.#redis = new RedisConnection(options);
  }

  /** Whether Redis answers. */
  get ready(): boolean {
    return this.#redis.ready;
  }

  // deno-lint-ignore require-await -- a throw becomes a rejection
  async append(key: TrackKey, frame: NewFrame): Promise<number> {
    const { maxWaitingBytes } = this.#o;
    if (this.#closing !== undefined) throw new StorageUnavailable("it is closed");
    const size = frame.payload.length;
    if (size > maxWaitingBytes) {
      this.stats.refused++;
      throw new FrameTooLarge(size, maxWaitingBytes);
    }
    if (this.stats.waitingBytes + size > maxWaitingBytes) {
      this.stats.refused++;
      throw new StorageUnavailable(
        `${this.stats.waitingBytes} bytes wait for Redis already, at most ${maxWaitingBytes} may`,
      );
    }
    return this.#queue(key).add(frame);
  }

  async range(key: TrackKey, from: number, to: number, limit = 1000): Promise<StoredFrame[]> {
    if (to < from || limit < 1) return [];
    const start = `${Math.max(0, from)}-0`;
    const end = to === Infinity ? "+" : `${Math.max(0, to)}-0`;
    const { frames } = this.#keys(key);
    return await this.#read(() =>
      this.#redis.command(["XRANGE", frames, start, end, "COUNT", String(limit)])
    );
  }

  async group(key: TrackKey, group: number): Promise<StoredFrame[]> {
    const { frames, groups } = this.#keys(key);
    const found = await this.#read(() =>
      this.#redis.script(GROUP, [frames, groups], [String(group)])
    );
    return found.filter((frame) => frame.group === group);
  }

  async groups(key: TrackKey, atMs: number, limit = 100): Promise<StoredGroup[]> {
    const { order, groups } = this.#keys(key);
    const at = String(Math.floor(Math.min(atMs, Number.MAX_SAFE_INTEGER)));
    const answer = await this.#redis.script(GROUPS, [order, groups], [at, String(limit)]);
    const texts = (answer as Buffer[]).map(String);
    const found: StoredGroup[] = [];
    for (let i = 0; i + 1 < texts.length; i += 2) {
      const [first, last, , , storedAtMs, timestamp, , whole] = texts[i + 1]!.split(":").map(
        Number,
      );
      found.push({
        group: Number(texts[i]),
        first: first!,
        last: last!,
        timestamp: timestamp!,
        storedAtMs: storedAtMs!,
        whole: whole === 1,
      });
    }
    return found;
  }

  async latest(key: TrackKey): Promise<StoredFrame | undefined> {
    const { frames } = this.#keys(key);
    const found = await this.#read(() =>
      this.#redis.command(["XREVRANGE", frames, "+", "-", "COUNT", "1"])
    );
    return found[0];
  }

  async *follow(key: TrackKey, from: number, signal: AbortSignal): AsyncIterable<StoredFrame> {
    const redis = this.#redis.another(); // it blocks
    const abort = () => redis.close();
    signal.addEventListener("abort", abort, { once: true });
    const { frames } = this.#keys(key);
    try {
      for (let next = from; !signal.aborted;) {
        const answer = await redis.command(
          [
            "XREAD",
            "COUNT",
            "100",
            "BLOCK",
            String(BLOCK_MS),
            "STREAMS",
            frames,
            `${Math.max(0, next - 1)}-0`,
          ],
        ).catch(() => undefined);
        if (answer === undefined) await sleep(RETRY_MS, signal, this.#o.clock);
        if (!Array.isArray(answer)) continue;
        for (const frame of this.#count(framesOf((answer[0] as Reply[])[1]!))) {
          if (signal.aborted) return;
          yield frame;
          next = frame.sequence + 1;
        }
      }
    } finally {
      signal.removeEventListener("abort", abort);
      if (!signal.aborted) redis.close();
    }
  }

  async trim(key: TrackKey, retention: Retention): Promise<number> {
    const { frames, order, groups, meta } = this.#keys(key);
    const { maxAgeMs = -1, maxFrames = -1, maxBytes = -1 } = retention;
    const limits = [Math.floor(this.#o.clock.wallMs()), maxAgeMs, maxFrames, maxBytes].map(String);
    const gone = await this.#redis.script(TRIM, [frames, order, groups, meta], limits) as number;
    this.stats.trimmed += gone;
    return gone;
  }

  async delete(key: TrackKey): Promise<void> {
    const { frames, order, groups, meta, tracks } = this.#keys(key);
    const keys = [frames, order, groups, meta, tracks];
    this.stats.trimmed += await this.#redis.script(DELETE, keys, [key.track]) as number;
  }

  async list(broadcast: string, limit = MAX_LISTED): Promise<StoredTrack[]> {
    const { tracks } = this.#keys({ broadcast, track: "" });
    const newest = await this.#redis.command(["ZREVRANGE", tracks, "0", String(limit - 1)]);
    const found = await Promise.all(
      (newest as Buffer[]).map(String).sort().map(async (track) => {
        const { frames, meta } = this.#keys({ broadcast, track });
        const answer = await this.#redis.script(DESCRIBE, [frames, meta], []) as Buffer[];
        if (answer.length === 0) { // Redis has forgotten it
          await this.#redis.command(["ZREM", tracks, track]);
          return undefined;
        }
        const [count, bytes, first, last] = answer.map(Number);
        return { broadcast, track, frames: count!, bytes: bytes!, first: first!, last: last! };
      }),
    );
    return found.filter((track) => track !== undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Gives accepted frames a moment to be written, and frees the tracks for other writers. */
  async #close(): Promise<void> {
    const queues = [...this.#appends.values()];
    if (queues.some(({ queue }) => !queue.idle)) {
      const done = Promise.withResolvers<void>();
      this.#onIdle = done.resolve;
      const cancel = this.#o.clock.after(GOODBYE_MS, done.resolve);
      await done.promise;
      cancel();
    }
    for (const { queue } of queues) queue.end(new StorageUnavailable("it is closed"));
    if (this.#redis.ready) {
      await Promise.allSettled(
        queues.map(({ key }) =>
          this.#redis.script(RELEASE, [this.#keys(key).meta], [this.#writer])
        ),
      );
    }
    this.#redis.close();
  }

  #queue(key: TrackKey): RedisAppends {
    const name = nameOf(key);
    const known = this.#appends.get(name);
    if (known !== undefined) return known.queue;
    const { frames, order, groups, meta, tracks } = this.#keys(key);
    const keys = [frames, order, groups, meta, tracks];
    const { leaseMs = 5000, ttlMs } = this.#o;
    const queue = new RedisAppends({
      clock: this.#o.clock,
      stats: this.stats,
      send: async (batch, floor, args) => {
        const head = [this.#writer, batch, leaseMs, ttlMs, floor, key.track].map(String);
        const first = Number(await this.#redis.script(APPEND, keys, [...head, ...args]));
        if (first < 0) throw new TrackTaken(key);
        return first;
      },
      onIdle: () => {
        if ([...this.#appends.values()].every((other) => other.queue.idle)) this.#onIdle?.();
      },
    });
    this.#appends.set(name, { key, queue });
    return queue;
  }

  async #read(ask: () => Promise<Reply>): Promise<StoredFrame[]> {
    const sinceMs = this.#o.clock.now();
    const frames = framesOf(await ask());
    this.stats.readMs += this.#o.clock.now() - sinceMs;
    return this.#count(frames);
  }

  #count(frames: StoredFrame[]): StoredFrame[] {
    this.stats.reads++;
    for (const { payload } of frames) this.stats.readBytes += payload.length;
    return frames;
  }

  #keys({ broadcast, track }: TrackKey): Keys {
    const [of, name] = [broadcast, track].map(encodeURIComponent);
    const at = `${this.#o.prefix}track:${of}:${name}:`;
    const tracks = `${this.#o.prefix}tracks:${of}`;
    return {
      frames: `${at}frames`,
      order: `${at}order`,
      groups: `${at}groups`,
      meta: `${at}meta`,
      tracks,
    };
  }
}

function nameOf({ broadcast, track }: TrackKey): string {
  return JSON.stringify([broadcast, track]);
}

/** Entries of a stream: `[id, ["h", head, "p", payload]]`. */
function framesOf(reply: Reply): StoredFrame[] {
  return (reply as Reply[]).map((entry) => {
    const [id, fields] = entry as [Buffer, Buffer[]];
    const [group, timestamp, flags, storedAtMs] = String(fields[1]).split(":").map(Number);
    return {
      sequence: parseInt(String(id)),
      group: group!,
      timestamp: timestamp!,
      keyframe: flags! % 2 === 1,
      endsGroup: flags! >= 2,
      storedAtMs: storedAtMs!,
      payload: new Uint8Array(fields[3]!), // a copy, not a view of what the socket read
    };
  });
}
