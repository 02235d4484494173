/**
 * Makes the store that the configuration names.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { MemoryStore } from "./memory.ts";
import type { MediaStore, Retention } from "./store.ts";

export type StoreOptions =
  | {
    readonly type: "memory";
    /** Over all tracks. Default 256 MiB. */
    readonly maxBytes?: number;
    readonly perTrack?: Retention;
  }
  | {
    readonly type: "redis";
    /** "redis://127.0.0.1:6379/0", with user and password where they are needed. */
    readonly url: string;
    /** Every key begins with it. Default "qumo:". */
    readonly prefix?: string;
    /** Redis forgets a track that is not written for so long, in milliseconds; 0 never. Default a day. */
    readonly ttlMs?: number;
    /** Most payload bytes that wait while Redis cannot be reached. Default 64 MiB. */
    readonly maxWaitingBytes?: number;
  };

/**
 * Opens a store. It does not wait for the connection to Redis: a relay starts without it, and appends wait. The package for Redis
 * is loaded only when it is used.
 */
export async function openStore(
  options: StoreOptions,
  parts: { readonly log: Logger; readonly clock: Clock },
): Promise<MediaStore> {
  if (options.type === "memory") {
    const { maxBytes = 256 << 20, perTrack } = options;
    return new MemoryStore({
      clock: parts.clock,
      maxBytes,
      ...(perTrack === undefined ? {} : { perTrack }),
    });
  }
  const { RedisStore } = await import("./redis.ts");
  return new RedisStore({
    url: options.url,
    prefix: options.prefix ?? "qumo:",
    ttlMs: options.ttlMs ?? 86_400_000,
    maxWaitingBytes: options.maxWaitingBytes ?? 64 << 20,
    ...parts,
  });
}
