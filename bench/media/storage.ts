/** Media storage under the load of a recording: appends by the hundred, whole groups read back. */
import { systemClock } from "../../base/clock.ts";
import { silent } from "../../base/logger.ts";
import { openStore, type StoreOptions } from "../../storage/open.ts";
import type { NewFrame } from "../../storage/store.ts";
import { redisServer, startRedis } from "../../tests/support/peers/redis.ts";

const KEY = { broadcast: "bench", track: "video" };
/** Frames of a group, and of one append. */
export const GROUP_FRAMES = 60;
export const APPEND_FRAMES = 100;
const FRAME_BYTES = 4000;

/** A store with some groups in it. */
export async function storageUnderLoad(options: StoreOptions) {
  const payload = crypto.getRandomValues(new Uint8Array(FRAME_BYTES));
  const store = await openStore(options, { log: silent, clock: systemClock });
  let n = 0;
  const next = (): NewFrame => ({
    group: Math.floor(n / GROUP_FRAMES),
    keyframe: n % GROUP_FRAMES === 0,
    timestamp: n++,
    payload,
  });
  for (let i = 0; i < 10 * GROUP_FRAMES; i++) await store.append(KEY, next());
  return {
    /** Appends {@link APPEND_FRAMES} at once, and removes the oldest. */
    async append() {
      await Promise.all(Array.from({ length: APPEND_FRAMES }, () => store.append(KEY, next())));
      await store.trim(KEY, { maxFrames: 10_000 });
    },
    /** Reads a group of {@link GROUP_FRAMES}. */
    async read() {
      await store.group(KEY, Math.floor(n / GROUP_FRAMES) - 2);
    },
  };
}

/** The stores that this machine has. The Redis server ends with the process. */
export async function stores(): Promise<
  { readonly name: string; readonly options: StoreOptions }[]
> {
  const found: { name: string; options: StoreOptions }[] = [
    { name: "memory", options: { type: "memory" } },
  ];
  if (!redisServer.ok) return found;
  const redis = await startRedis();
  addEventListener("unload", () => void redis.kill());
  return [...found, {
    name: "redis, appendfsync always",
    options: { type: "redis", url: redis.url },
  }];
}
