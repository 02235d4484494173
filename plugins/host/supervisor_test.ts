import assert from "node:assert/strict";
import { until } from "../../tests/support/fixtures/http.ts";
import { ended, entryOf, plugin, SupervisorUnderTest } from "../../tests/support/test_plugins.ts";
import { PluginOptionsWrong } from "../errors.ts";
import { INITIALIZE_MS, STOP_MS } from "./instance.ts";
import type { Plugin } from "../plugin.ts";

const boom = () => {
  throw new Error("boom rtsp://cam:hunter2@10.0.0.1/");
};

Deno.test("An instance is initialized with its options, runs, and is stopped in that order", async () => {
  await using under = new SupervisorUnderTest();
  const calls: unknown[] = [];
  under.start("one", {
    initialize: (ctx, options) => void calls.push(["initialize", ctx.name, options]),
    run: async ({ signal }) => {
      calls.push("run");
      await ended(signal);
      calls.push("run ended");
    },
    stop: () => void calls.push("stop"),
  }, { a: 1 });
  await under.reaches("one", "running");
  const peers = [...under.under.relay.sessions()].map(({ session }) => session.connection);
  assert.deepEqual(peers.map(({ remoteAddress }) => remoteAddress), ["plugin:one"]);
  assert.equal(await under.supervisor.remove("one"), true);
  assert.deepEqual(calls, [["initialize", "one", { a: 1 }], "run", "run ended", "stop"]);
  await until(() => under.under.relay.sessionCount === 0);
  assert.equal(await under.supervisor.remove("one"), false);
});

const FAILING: Readonly<Record<string, Partial<Plugin>>> = {
  "throws in initialize": { initialize: boom },
  "rejects in initialize": { initialize: () => Promise.reject(new Error("boom")) },
  "throws in run": { run: boom },
  "rejects in run": { run: () => Promise.reject(new Error("boom")) },
  "throws what is no error": {
    run() {
      throw Object.create(null); // deno-lint-ignore-line
    },
  },
  "lets a rejection go": {
    run: ({ signal }) => {
      setTimeout(() => Promise.reject(new Error("boom")), 0);
      return ended(signal);
    },
  },
  "throws in a microtask": {
    run: ({ signal }) => {
      queueMicrotask(boom);
      return ended(signal);
    },
  },
};

for (const [what, parts] of Object.entries(FAILING)) {
  Deno.test(`A plugin that ${what} is failed, and started again after a growing pause`, async () => {
    await using under = new SupervisorUnderTest();
    under.start("bad", parts);
    await under.reaches("bad", "failed", 0);
    assert.match(under.supervisor.get("bad")!.status.reason!, /boom|cannot be shown/);
    assert.ok(!under.log.join().includes("hunter2"));
    under.clock.advance(400);
    assert.equal(under.supervisor.get("bad")!.status.state, "failed");
    for (const [restarts, waitMs] of [[1, 1000], [2, 2000], [3, 4000]] as const) {
      under.clock.advance(waitMs);
      await under.reaches("bad", "failed", restarts);
    }
    const viewer = await under.under.client();
    viewer.publish("still/alive");
    await until(() => under.under.relay.origin.size === 1);
  });
}

Deno.test("A plugin that throws when it is made, or whose options are wrong, harms nobody else", async () => {
  await using under = new SupervisorUnderTest();
  under.registry.add(entryOf("egress", "unborn", boom));
  under.supervisor.put({ name: "unborn", plugin: "unborn", enabled: true, options: {} });
  under.start("wrong", {
    initialize() {
      throw new PluginOptionsWrong([{ path: ["url"], message: "expected a URL, got none" }]);
    },
  });
  under.start("good", {});
  await under.reaches("unborn", "failed");
  await under.reaches("wrong", "failed");
  await under.reaches("good", "running");
  assert.equal(
    under.supervisor.get("wrong")!.status.reason,
    "Cannot use these options: url: expected a URL, got none",
  );
  under.clock.advance(120_000); // options do not get better by waiting
  await under.reaches("wrong", "failed", 0);
});

Deno.test("A plugin whose run() returns is stopped and not started again", async () => {
  await using under = new SupervisorUnderTest();
  under.start("short", { run: () => Promise.resolve() });
  await under.reaches("short", "stopped");
  assert.equal(under.supervisor.get("short")!.status.reason, "it has finished");
  under.clock.advance(120_000);
  await under.reaches("short", "stopped", 0);
});

Deno.test("A plugin that hangs in initialize() is failed after a while", async () => {
  await using under = new SupervisorUnderTest();
  let begun = false;
  under.start("hangs", { initialize: () => (begun = true, new Promise<void>(() => {})) });
  await until(() => begun);
  under.clock.advance(INITIALIZE_MS);
  await under.reaches("hangs", "failed");
  assert.match(under.supervisor.get("hangs")!.status.reason!, /initialize\(\) has not ended/);
});

Deno.test("A plugin that hangs in run() and in stop() is given up, and what it published is gone", async () => {
  await using under = new SupervisorUnderTest();
  under.start("hangs", {
    run: (ctx) => {
      ctx.client.publish("live/cam").track("video").write("frame");
      return new Promise(() => {});
    },
    stop: () => new Promise(() => {}),
  });
  await until(() => under.under.relay.origin.size === 1);
  let over = false;
  const stopping = under.supervisor.remove("hangs").then(() => over = true);
  await until(() => (under.clock.advance(STOP_MS / 10), over));
  await stopping;
  await until(() => under.under.relay.origin.size === 0);
  assert.ok(under.log.some((line) => line.includes("left to itself")));
});

Deno.test("A module that never ends loading does not hold up the stop", async () => {
  await using under = new SupervisorUnderTest();
  under.registry.add({ kind: "ingress", name: "endless", load: () => new Promise(() => {}) });
  under.supervisor.put({ name: "endless", plugin: "endless", enabled: true, options: {} });
  await under.supervisor.stop();
  assert.equal(under.supervisor.get("endless")!.status.state, "stopped");
});

Deno.test("A plugin that floods the relay is bounded in memory and leaves others alone", async () => {
  await using under = new SupervisorUnderTest();
  const payload = new Uint8Array(20_000);
  under.start("flood", {
    run: async ({ client, signal, stats }) => {
      const track = client.publish("flood").track("noise");
      while (!signal.aborted) {
        for (let n = 0; n < 50; n++) track.write(payload);
        stats.framesOut += 50;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    },
  });
  const { origin } = under.under.relay;
  await until(() => origin.size === 1);
  const reader = await under.under.client();
  using stuck = reader.subscribe("flood", "noise");
  void stuck.group().catch(() => {}); // it never reads further
  const quiet = await under.under.client();
  const track = quiet.publish("quiet").track("text");
  await until(() => origin.size === 2);
  const viewer = await under.under.client();
  using subscription = viewer.subscribe("quiet", "text");
  const next = subscription.group();
  await until(() => track.subscribers === 1);
  track.write("hello");
  assert.equal(new TextDecoder().decode((await (await next)!.frame())!.payload), "hello");
  const { stats } = under.supervisor.get("flood")!;
  while (stats.framesOut < 5_000) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(under.under.relay.pool.stats.bytesInUse < 64 << 20, "100 MB went through");
});

Deno.test("apply() leaves what is the same, starts anew what differs, and stops what is gone", async () => {
  await using under = new SupervisorUnderTest();
  const seen: string[] = [];
  under.registry.add(entryOf("transform", "note", () =>
    plugin({
      run: async (ctx) => {
        seen.push(`+${ctx.name}`);
        await ended(ctx.signal);
        seen.push(`-${ctx.name}`);
      },
    })));
  const spec = (name: string, options = {}) => ({ name, plugin: "note", enabled: true, options });
  await under.supervisor.apply([spec("a", { x: 1, y: 2 }), spec("b"), spec("c")]);
  under.supervisor.put(spec("by-api"));
  for (const name of ["a", "b", "c", "by-api"]) await under.reaches(name, "running");
  seen.length = 0;
  await under.supervisor.apply([
    spec("a", { y: 2, x: 1 }),
    spec("b", { changed: true }),
    { ...spec("d"), enabled: false },
  ]);
  await under.reaches("b", "running");
  await under.reaches("d", "stopped");
  assert.deepEqual(seen.sort(), ["+b", "-b", "-c"]);
  assert.deepEqual(under.supervisor.list().map(({ spec }) => spec.name), ["a", "b", "by-api", "d"]);
  assert.equal(under.supervisor.get("b")!.status.restarts, 1);
});

Deno.test("restart() starts an instance anew; an instance whose session is lost starts anew by itself", async () => {
  await using under = new SupervisorUnderTest();
  let starts = 0;
  under.start("one", { run: ({ signal }) => (starts++, ended(signal)) });
  await under.reaches("one", "running", 0);
  assert.equal(under.supervisor.restart("none"), undefined);
  under.supervisor.restart("one");
  await under.reaches("one", "running", 1);
  for (const { session } of under.under.relay.sessions()) session.close(1, "no more");
  await under.reaches("one", "failed");
  assert.match(under.supervisor.get("one")!.status.reason!, /closed its session: no more/);
  under.clock.advance(1000);
  await under.reaches("one", "running", 2);
  assert.equal(starts, 3);
});

Deno.test("status() of a plugin shows while it runs", async () => {
  await using under = new SupervisorUnderTest();
  let say!: (text: string | undefined) => void;
  under.start("one", { run: (ctx) => (say = (text) => ctx.status(text), ended(ctx.signal)) });
  await under.reaches("one", "running");
  say("waiting for the camera");
  assert.equal(under.supervisor.get("one")!.status.reason, "waiting for the camera");
  say(undefined);
  assert.equal(under.supervisor.get("one")!.status.reason, undefined);
});
