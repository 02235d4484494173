import assert from "node:assert/strict";
import { ManualClock } from "../base/clock.ts";
import { silent } from "../base/logger.ts";
import { MemoryRelay, newStats } from "../tests/support/plugin_run.ts";
import { until } from "../tests/support/server.ts";
import { eachBroadcast, SILENT_MS } from "./live_set.ts";
import type { PluginContext } from "./plugin.ts";

const CATALOG = JSON.stringify({ video: { renditions: {} } });

Deno.test("a broadcast that gave nothing for 10 s leaves its place to one that waits, and waits itself", async () => {
  await using at = new MemoryRelay();
  await using publisher = await at.client();
  await using client = await at.client();
  const clock = new ManualClock();
  const over = new AbortController();
  const status: (string | undefined)[] = [];
  const ctx = {
    ...{ name: "test", log: silent, signal: over.signal, clock, stats: newStats(), client },
    status: (text: string | undefined) => void status.push(text),
  } as unknown as PluginContext;
  const working = new Set<string>();
  const heard: string[] = [];
  const options = { wanted: () => true, maxBroadcasts: 2 };
  const done = eachBroadcast(ctx, options, async (live) => {
    working.add(live.path);
    for await (const _ of live.catalogs()) heard.push(live.path);
    working.delete(live.path);
  });
  const works = async (...paths: string[]) => {
    await until(() => [...working].sort().join() === paths.join(), paths.join());
    assert.equal(ctx.stats.notServed, 1);
  };
  const publish = (path: string) => {
    const broadcast = publisher.publish(path);
    return { broadcast, catalog: broadcast.track("catalog.json") };
  };

  const lively = publish("lively");
  lively.catalog.write(CATALOG);
  await until(() => heard.length === 1, "the first catalog");
  publish("silent");
  await until(() => working.size === 2, "two at work");
  const late = publish("late");
  await until(() => ctx.stats.notServed === 1, "the third to wait");
  clock.advance(SILENT_MS - 1);
  await works("lively", "silent"); // it may still say something
  lively.catalog.write(CATALOG);
  await until(() => heard.length === 2, "another catalog");
  clock.advance(1);
  await works("late", "lively");
  assert.equal(status.at(-1), "1 more than max_broadcasts (2) wait");

  late.catalog.write(CATALOG);
  await until(() => heard.includes("late"), "the catalog of the one that waited");
  late.broadcast.close();
  await until(() => working.has("silent"), "the silent one to have a place again");
  assert.deepEqual([ctx.stats.notServed, ctx.stats.errors, status.at(-1)], [0, 0, undefined]);
  over.abort();
  let ended = false;
  void done.then(() => ended = true);
  await until(() => ended, "all work to end");
});
