/**
 * Opens the store that the configuration names.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Config } from "../../config/schema.ts";
import { openStore } from "../../storage/open.ts";
import type { MediaStore } from "../../storage/store.ts";

/** It does not wait for the connection to Redis: appends do. */
export function openMediaStore(
  storage: Config["storage"],
  parts: { readonly log: Logger; readonly clock: Clock },
): Promise<MediaStore> {
  if (storage.type === "memory" || storage.redisUrl === undefined) {
    return openStore({ type: "memory", maxBytes: storage.maxBytes }, parts);
  }
  return openStore({
    type: "redis",
    url: storage.redisUrl,
    prefix: storage.redisPrefix,
    ttlMs: storage.redisTtl,
    maxWaitingBytes: storage.maxWaitingBytes,
  }, parts);
}
