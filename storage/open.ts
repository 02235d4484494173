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
    /** In front of every key. Default "qumo:". */
    readonly prefix?: string;
    /** A track that is not written for this long is forgotten, in milliseconds; 0 never. Default a day. */
    readonly ttlMs?: number;
    /** Most payload bytes that wait while Redis is away. Default 64 MiB. */
    readonly maxWaitingBytes?: number;
  };

/**
 * Opens a store. With Redis it does not wait for the connection: a relay starts without it, and what is appended waits.
 * The package is only loaded where it is wanted.
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
