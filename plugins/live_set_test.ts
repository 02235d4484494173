import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { silent } from "../base/logger.ts";
import type { Client } from "../client/mod.ts";
import { encodeLegacyFrame } from "../media/hang/legacy_frame.ts";
import { MemoryRelay, newStats } from "../tests/support/plugin_run.ts";
import { until } from "../tests/support/server.ts";
import { eachBroadcast, SILENT_MS } from "./live_set.ts";
import type { PluginContext } from "./plugin.ts";

const CATALOG = JSON.stringify({ video: { renditions: {} } });
const VP8 = { v: { codec: "vp8", codedWidth: 16, codedHeight: 16, framerate: 25 } };

/** A context on a clock of its own. @param end Ends the instance. */
function contextOf(client: Client, end: AbortController) {
  const clock = new ManualClock();
  const status: (string | undefined)[] = [];
  const ctx = {
    ...{ name: "test", log: silent, signal: end.signal, clock, stats: newStats(), client },
    status: (text: string | undefined) => void status.push(text),
  } as unknown as PluginContext;
  return { ctx, clock, status };
}

Deno.test("a broadcast that gave nothing for 10 s leaves its place to one that waits, and waits itself", async () => {
  await using at = new MemoryRelay();
  await using publisher = await at.client();
  await using client = await at.client();
  const over = new AbortController();
  const { ctx, clock, status } = contextOf(client, over);
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

Deno.test("work that takes long over a frame keeps its place: the broadcast is not silent", async () => {
  await using at = new MemoryRelay();
  await using publisher = await at.client();
  await using client = await at.client();
  const over = new AbortController();
  const { ctx, clock } = contextOf(client, over);
  const worked: string[] = [];
  const slow = Promise.withResolvers<void>();
  let place: AbortSignal | undefined;
  const options = { wanted: () => true, maxBroadcasts: 1 };
  const done = eachBroadcast(ctx, options, async (live) => {
    for await (const [rendition] of live.catalogs()) {
      for await (const _ of live.frames(rendition!)) {
        place ??= live.gone;
        worked.push(live.path);
        await slow.promise;
        worked.push(`${live.path} done`);
      }
    }
  });
  for (const path of ["slow", "waits"]) {
    const broadcast = publisher.publish(path);
    broadcast.track("v").write(encodeLegacyFrame(0, new Uint8Array(9)), 0);
    broadcast.track("catalog.json").write(JSON.stringify({ video: { renditions: VP8 } }));
    if (path === "slow") await until(() => worked.length === 1, "its frame");
  }
  await until(() => ctx.stats.notServed === 1, "the other to wait");
  for (let i = 0; i < 5; i++) clock.advance(SILENT_MS);
  assert.equal(place!.aborted, false);
  slow.resolve();
  await until(() => worked.length === 2, "the work to go on");
  clock.advance(2 * SILENT_MS);
  await until(() => worked.length === 4, "the place to be given to the other");
  assert.deepEqual(worked, ["slow", "slow done", "waits", "waits done"]);
  over.abort();
  let ended = false;
  void done.then(() => ended = true);
  await until(() => ended, "all work to end");
});
