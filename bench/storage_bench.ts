/** Media storage: 100 appends of 4,000 B frames at once, and a group of 60 frames read back. `deno bench -A bench/storage_bench.ts` */
import { systemClock } from "../base/clock.ts";
import { silent } from "../base/logger.ts";
import { openStore, type StoreOptions } from "../plugins/storage/open.ts";
import type { NewFrame } from "../plugins/storage/store.ts";
import { redisServer, startRedis } from "../tests/support/redis.ts";

const KEY = { broadcast: "bench", track: "video" };
const payload = crypto.getRandomValues(new Uint8Array(4000));

async function measure(name: string, options: StoreOptions): Promise<void> {
  const store = await openStore(options, { log: silent, clock: systemClock });
  let n = 0;
  const next = (): NewFrame => ({
    group: Math.floor(n / 60),
    keyframe: n % 60 === 0,
    timestamp: n++,
    payload,
  });
  for (let i = 0; i < 600; i++) await store.append(KEY, next());
  Deno.bench(`${name}: append 100 frames`, { group: "append" }, async () => {
    await Promise.all(Array.from({ length: 100 }, () => store.append(KEY, next())));
    await store.trim(KEY, { maxFrames: 10_000 });
  });
  Deno.bench(`${name}: read a group of 60 frames`, { group: "read" }, async () => {
    await store.group(KEY, Math.floor(n / 60) - 2);
  });
}

await measure("memory", { type: "memory" });
if (redisServer.ok) {
  const redis = await startRedis();
  addEventListener("unload", () => void redis.kill());
  await measure("redis, appendfsync always", { type: "redis", url: redis.url });
}
