/**
 * The frames that wait to be appended to one track in Redis. They are sent in batches, one at a time, and each again until Redis
 * has it. A batch has a number, so Redis recognises one that it has already.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/sleep.ts";
import { type Argument, RedisFailed } from "./redis_connection.ts";
import type { NewFrame, StorageStats } from "./store.ts";

interface Waiting {
  readonly frame: NewFrame;
  readonly storedAtMs: number;
  readonly sinceMs: number;
  readonly done: (sequence: number) => void;
  readonly failed: (error: unknown) => void;
}

export interface AppendsOptions {
  readonly clock: Clock;
  readonly stats: StorageStats;
  /** Sends a batch. @returns The sequence of its first frame. @throws {RedisFailed} @throws {TrackTaken} */
  readonly send: (batch: number, floor: number, args: readonly Argument[]) => Promise<number>;
  /** Called when nothing waits any more. */
  readonly onIdle: () => void;
}

const MAX_BATCH_FRAMES = 128;
const MAX_BATCH_BYTES = 1 << 20;
const RETRY_MS = 50;

export class RedisAppends {
  readonly #o: AppendsOptions;
  #waiting: Waiting[] = [];
  #batch = 0;
  /** The highest sequence that was given so far. */
  #floor = 0;
  #running = false;
  #over: unknown;
  readonly #ended = new AbortController();

  constructor(options: AppendsOptions) {
    this.#o = options;
  }

  get idle(): boolean {
    return !this.#running;
  }

  add(frame: NewFrame): Promise<number> {
    const { clock, stats } = this.#o;
    stats.waitingBytes += frame.payload.length;
    return new Promise((done, failed) => {
      this.#waiting.push({
        frame,
        storedAtMs: clock.wallMs(),
        sinceMs: clock.now(),
        done,
        failed,
      });
      if (!this.#running) void this.#run();
    });
  }

  /** Gives up what still waits. */
  end(error: unknown): void {
    this.#over = error;
    this.#ended.abort();
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // frames that are appended together are sent together
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        const first = await this.#insist(batch);
        this.#settle(batch, first);
      } catch (error) {
        this.#settle(batch, undefined, error);
      }
    }
    this.#running = false;
    this.#o.onIdle();
  }

  #take(): Waiting[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && count < MAX_BATCH_FRAMES) {
      bytes += this.#waiting[count]!.frame.payload.length;
      if (count > 0 && bytes > MAX_BATCH_BYTES) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** Sends a batch again and again until Redis has answered. */
  async #insist(batch: readonly Waiting[]): Promise<number> {
    const number = ++this.#batch;
    const args: Argument[] = [];
    for (const { frame, storedAtMs } of batch) {
      const { group, timestamp, keyframe, payload } = frame;
      const flags = Number(keyframe) + (frame.endsGroup ? 2 : 0);
      args.push(String(group), String(timestamp), String(flags), String(Math.floor(storedAtMs)));
      args.push(Buffer.from(payload.buffer, payload.byteOffset, payload.length));
    }
    for (;;) {
      if (this.#over !== undefined) throw this.#over;
      try {
        return await this.#o.send(number, this.#floor, args);
      } catch (error) {
        if (!(error instanceof RedisFailed) || !error.passing) throw error;
        this.#o.stats.retried += batch.length;
        await sleep(RETRY_MS, this.#ended.signal, this.#o.clock);
      }
    }
  }

  #settle(batch: readonly Waiting[], first: number | undefined, error?: unknown): void {
    const { clock, stats } = this.#o;
    const now = clock.now();
    batch.forEach(({ frame, sinceMs, done, failed }, i) => {
      stats.waitingBytes -= frame.payload.length;
      if (first === undefined) {
        stats.refused++;
        return failed(error);
      }
      stats.appends++;
      stats.appendedBytes += frame.payload.length;
      stats.lastAppendMs = now - sinceMs;
      stats.appendMs += stats.lastAppendMs;
      this.#floor = first + i;
      done(first + i);
    });
  }
}
