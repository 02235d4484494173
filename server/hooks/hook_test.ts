import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { type LogFields, type Logger, silent } from "../../base/logger.ts";
import type { HookConfig, HookEventName } from "../../config/hook_list.ts";
import { parseConfig } from "../../config/load.ts";
import { HookReceiver, SECRET } from "../../tests/support/peers/hook_receiver.ts";
import { until } from "../../tests/support/server.ts";
import { command } from "./command.ts";
import type { HookEvent } from "./event.ts";
import { type Deliver, Hook, HookFailed } from "./hook.ts";
import { webhook } from "./webhook.ts";

const windows = Deno.build.os === "windows";

function config(more: Record<string, unknown>): HookConfig {
  const text = JSON.stringify({
    hooks: [{
      name: "test",
      ...("command" in more ? {} : { secret: SECRET, backoff_min: "10ms", backoff_max: "20ms" }),
      ...more,
    }],
  });
  return parseConfig(text).hooks[0]!.hook;
}

const event = (
  event: HookEventName = "publish",
  broadcast = "live/a",
  more: Partial<HookEvent> = {},
): HookEvent => ({
  ...{ id: crypto.randomUUID(), event, broadcast, at: new Date(0).toISOString(), relay: "7" },
  ...more,
});

function hook(its: HookConfig, deliver: Deliver): Hook & AsyncDisposable {
  const made = new Hook(its, { clock: systemClock, log: silent, deliver });
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.close(0) });
}

function webhookTo(receiver: HookReceiver, more: Record<string, unknown> = {}) {
  const its = config({ url: receiver.url, ...more });
  return hook(its, webhook(its, systemClock));
}

Deno.test("a webhook is signed, and made again with the same id until it is taken", async () => {
  await using receiver = new HookReceiver();
  receiver.answer = (n) => n < 2 ? new Response("later\n", { status: 503 }) : undefined;
  await using test = webhookTo(receiver);
  const told = event("recording_done", "live/ä", {
    recording: { plugin: "keep", broadcast: "live/ä", location: "/tmp/a.mp4", bytes: 7 },
  });
  test.tell(told);
  await until(() => test.stats.sent === 1, "the event");
  assert.deepEqual(receiver.events, [told]);
  assert.deepEqual(receiver.requests.map(({ id }) => id), Array(3).fill(told.id));
  assert.equal(receiver.forged, 0);
  assert.deepEqual(test.stats, { sent: 1, failed: 0, dropped: 0, coalesced: 0, retries: 2 });
  assert.equal(test.lastFailure, undefined);
});

Deno.test("nothing that a publisher chose comes into the URL or the headers of a webhook", async () => {
  await using receiver = new HookReceiver();
  await using test = webhookTo(receiver);
  const chosen = "live/evil\r\nX-Evil: 1\0/../../evil?evil=1#evil@evil.example";
  const recording = { plugin: "keep", broadcast: chosen, location: chosen, bytes: 1 };
  test.tell(event("recording_done", chosen, { recording }));
  await until(() => receiver.events.length === 1, "the request");
  assert.equal(receiver.events[0]!.broadcast, chosen);
  assert.equal(receiver.heads.length, 1);
  assert.doesNotMatch(receiver.heads[0]!, /evil/i);
  assert.ok(receiver.heads[0]!.includes(JSON.stringify(receiver.url)), receiver.heads[0]);
});

Deno.test("a webhook follows no redirect, and gives up at once what no attempt can change", async () => {
  await using receiver = new HookReceiver();
  await using test = webhookTo(receiver);
  const location = { location: "/elsewhere" };
  const refusals = [
    [() => new Response(null, { status: 307, headers: location }), /307 .*redirects/],
    [() => new Response("who\u001b[2J are\nyou?", { status: 401 }), /401: who \[2J are you\?$/],
  ] as const;
  for (const [i, [answer, said]] of refusals.entries()) {
    receiver.answer = answer;
    test.tell(event("publish", `live/${i}`));
    await until(() => test.stats.failed === i + 1, "the refusal");
    assert.match(test.lastFailure!, said);
    assert.ok(!test.lastFailure!.includes("unseen"), test.lastFailure);
  }
  assert.deepEqual(receiver.requests.map(({ path }) => path), ["/hook", "/hook"]);
});

Deno.test("a webhook waits no longer than its timeout, and reads no more than the beginning of an answer", async () => {
  await using receiver = new HookReceiver();
  await using test = webhookTo(receiver, { timeout: "200ms", retries: 0 });
  const stuck = Promise.withResolvers<Response>();
  receiver.answer = () => stuck.promise;
  test.tell(event());
  await until(() => test.stats.failed === 1, "the timeout");
  assert.match(test.lastFailure!, /no answer within 200 ms/);
  stuck.resolve(new Response());

  let cancelled = false;
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)),
        cancel: () => void (cancelled = true),
      }),
      { status: 500 },
    );
  receiver.answer = endless;
  test.tell(event("publish", "live/b"));
  await until(() => test.stats.failed === 2, "the endless answer");
  assert.match(test.lastFailure!, /500: a{1,256}$/);
  await until(() => cancelled, "the end of the answer");
});

Deno.test("a hook waits longer from attempt to attempt, with jitter, and up to its limit", async () => {
  const clock = new ManualClock();
  const waits: unknown[] = [];
  const log: Logger = {
    ...silent,
    debug: (_: string, fields?: LogFields) => void waits.push(fields?.["waitMs"]),
    with: () => log,
  };
  const its = config({ url: "http://127.0.0.1:9/", backoff_min: "1s", backoff_max: "4s" });
  const deliver = () => Promise.reject(new HookFailed("no", true));
  const test = new Hook(its, { clock, log, deliver, random: () => 0.5 });
  test.tell(event());
  await until(() => {
    clock.advance(500);
    return test.stats.failed === 1;
  }, "the last attempt");
  assert.deepEqual(waits, [750, 1500, 3000, 3000, 3000]);
  assert.equal(test.stats.retries, 5);
  await test.close(0);
});

Deno.test("a hook has no more under way, begins no more per second and keeps no more than it says", async () => {
  const clock = new ManualClock();
  const its = config({ url: "http://127.0.0.1:9/", concurrency: 3, max_rate: 5, max_waiting: 10 });
  const done: (() => void)[] = [];
  let begun = 0;
  const deliver: Deliver = (_, signal) => {
    begun++;
    return new Promise<void>((resolve) => {
      done.push(resolve);
      signal.addEventListener("abort", () => resolve());
    });
  };
  const test = new Hook(its, { clock, log: silent, deliver });
  for (let i = 0; i < 100; i++) test.tell(event("publish", `live/${i}`));
  assert.deepEqual([begun, test.underWay, test.waiting, test.stats.dropped], [3, 3, 10, 87]);
  const settle = async () => {
    for (const end of done.splice(0)) end();
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  await settle();
  await settle();
  assert.equal(begun, 5);
  clock.advance(999);
  await settle();
  await settle();
  assert.ok(begun <= 10, `${begun}`);
  await test.close(0);
});

Deno.test("a hook that is closed lets out what waits, but no longer than it has time", async () => {
  const told: string[] = [];
  const its = config({ url: "http://127.0.0.1:9/", concurrency: 1 });
  const quick = hook(its, ({ event }) => Promise.resolve(void told.push(event)));
  for (const name of ["publish", "first_viewer", "last_viewer"] as const) quick.tell(event(name));
  quick.tell(event("unpublish"));
  await quick.close(10_000);
  assert.deepEqual(told, ["publish", "unpublish"]);

  const stuck = hook(its, (_, signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new HookFailed("aborted", true)));
    }));
  stuck.tell(event("publish", "a"));
  stuck.tell(event("publish", "b"));
  await stuck.close(20);
  assert.deepEqual([stuck.stats.failed, stuck.stats.dropped], [1, 1]);
});

Deno.test("a secret that is replaced in its file signs the next request", async () => {
  await using receiver = new HookReceiver();
  const secret_file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(secret_file, "another\n");
    const its = config({ url: receiver.url, secret: undefined, secret_file });
    await using test = hook(its, webhook(its, systemClock));
    test.tell(event());
    await until(() => test.stats.sent === 1, "the first");
    assert.equal(receiver.forged, 1);
    await Deno.writeTextFile(secret_file, `${SECRET}\n`);
    test.tell(event("publish", "live/b"));
    await until(() => test.stats.sent === 2, "the second");
    assert.equal(receiver.forged, 1);
  } finally {
    await Deno.remove(secret_file);
  }
});

function logged(): { log: Logger; lines: LogFields[] } {
  const lines: LogFields[] = [];
  const log: Logger = {
    ...silent,
    debug: (_: string, fields?: LogFields) => void (fields && lines.push(fields)),
    with: () => log,
  };
  return { log, lines };
}

Deno.test({
  name:
    "a command gets its arguments as they are and the event in its environment, without controls",
  ignore: windows,
  async fn() {
    const { log, lines } = logged();
    Deno.env.set("QUMO_TEST_SECRET", "hidden");
    const its = config({ command: ["/bin/sh", "-c", 'printf "%s\n" "$0"; env', "$(id) `id`; 'x"] });
    await using test = hook(its, command(its, log));
    const nasty = "live/$(touch x)\0\u001b]0;\u202E\n\ud800;-rf";
    test.tell(event("recording_done", nasty, {
      recording: { plugin: "keep", broadcast: nasty, location: "/r/\0a.mp4", bytes: 7 },
    }));
    await until(() => test.stats.sent + test.stats.failed === 1, "the command");
    assert.equal(test.lastFailure, undefined);
    Deno.env.delete("QUMO_TEST_SECRET");
    const out = String(lines.find((fields) => "stdout" in fields)!["stdout"]).split("\n");
    assert.equal(out[0], "$(id) `id`; 'x");
    const at = (name: string) =>
      out.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
    assert.equal(at("QUMO_EVENT"), "recording_done");
    assert.equal(at("QUMO_BROADCAST"), "live/$(touch x)\ufffd\ufffd]0;\ufffd\ufffd\ufffd;-rf");
    assert.equal(at("QUMO_RECORDING"), "/r/\ufffda.mp4");
    assert.equal(at("QUMO_RECORDING_BYTES"), "7");
    assert.equal(at("QUMO_RECORDING_PLUGIN"), "keep");
    assert.equal(at("QUMO_TEST_SECRET"), undefined);
    assert.ok(at("PATH") !== undefined);
  },
});

Deno.test({
  name: "a command that runs too long is killed with all it has started, and its output is bounded",
  ignore: windows,
  async fn() {
    const { log, lines } = logged();
    const folder = await Deno.makeTempDir();
    try {
      const script = `trap '' TERM; sleep 300 & echo $! > ${folder}/child; ` +
        `head -c 1000000 /dev/zero | tr '\\0' x; echo on > ${folder}/on; wait; sleep 300`;
      const its = config({ command: ["/bin/sh", "-c", script], timeout: "1s" });
      await using test = hook(its, command(its, log));
      test.tell(event());
      await until(() => test.stats.failed === 1, "the end of the command", 20_000);
      assert.match(test.lastFailure!, /killed: it ran longer than 1000 ms/);
      await Deno.stat(`${folder}/on`);
      const fields = lines.find((fields) => "stdout" in fields)!;
      assert.equal(String(fields["stdout"]), "x".repeat(4096));
      const child = Number(await Deno.readTextFile(`${folder}/child`));
      await until(() => hasEnded(child), "the end of what it started");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A process whose parent does not look after it stays a zombie: that is an end too. */
function hasEnded(pid: number): boolean {
  const { stdout } = new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] })
    .outputSync();
  const state = new TextDecoder().decode(stdout).trim();
  return state === "" || state.startsWith("Z");
}

Deno.test({
  name: "a command is killed when the hook is closed; one that cannot run or fails is told as such",
  ignore: windows,
  async fn() {
    const its = config({ command: ["/bin/sleep", "300"] });
    const test = hook(its, command(its, silent));
    test.tell(event());
    await until(() => test.underWay === 1, "the command");
    await test.close(10);
    assert.match(test.lastFailure!, /the relay ends/);

    for (
      const [argv, said] of [
        [["/no/such/program"], /Cannot run \/no\/such\/program: /],
        [["/bin/sh", "-c", "exit 3"], /ended with code 3/],
      ] as const
    ) {
      const its = config({ command: argv });
      await using failing = hook(its, command(its, silent));
      failing.tell(event());
      await until(() => failing.stats.failed === 1, "the failure");
      assert.match(failing.lastFailure!, said);
    }
  },
});
