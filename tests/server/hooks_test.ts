/**
 * Hooks of a running server over real QUIC: a webhook's receiver and a command get each event of broadcasts and viewers
 * once, with one thread and with two. A plugin reports recordings. The admin interface, the metrics and a reload know hooks.
 */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { parseConfig } from "../../config/load.ts";
import { HookReceiver, SECRET } from "../support/peers/hook_receiver.ts";
import { need } from "../support/require.ts";
import { launch, type Launched, until } from "../support/server.ts";
import { H264_AAC, publishMedia } from "../support/media/publish_media.ts";
import { start } from "../support/program.ts";

const clientOf = (server: Launched, worker: number) =>
  connect(`moqt://127.0.0.1:${server.port + worker}/`, { hash: server.certificate.sha256 });

const yaml = (...hooks: Record<string, unknown>[]) => JSON.stringify({ hooks });

const OPEN = { "auth.anonymous": "true" };

for (const workers of [1, 2]) {
  Deno.test(`with server.workers ${workers} a hook hears once of a broadcast, its first and its last viewer`, async () => {
    await using receiver = new HookReceiver();
    await using server = await launch({
      yaml: yaml({
        ...{ name: "site", url: receiver.url, secret: SECRET, broadcasts: ["live/*"] },
        ...{ viewer_linger: "0s" },
      }),
      flags: { ...OPEN, "server.workers": String(workers) },
    });
    const last = workers - 1;
    await using publisher = await clientOf(server, last);
    await using one = await clientOf(server, 0);
    await using two = await clientOf(server, last);
    const other = publisher.publish("private/b");
    const broadcast = publisher.publish("live/a");
    const track = broadcast.track("video");
    const sending = setInterval(() => track.write("frame"), 50);
    try {
      await until(() => receiver.told.length === 1, "publish");
      const watching = [one, two].map((client) => {
        const subscription = client.subscribe("live/a", "video");
        const first = subscription[Symbol.asyncIterator]().next();
        return { subscription, first };
      });
      await Promise.all(watching.map(({ first }) => first));
      await until(() => receiver.told.length === 2, "the first viewer");
      watching[0]!.subscription.close();
      watching[1]!.subscription.close();
      await until(() => receiver.told.length === 3, "the last viewer");
    } finally {
      clearInterval(sending);
    }
    broadcast.close();
    other.close();
    await until(() => receiver.told.length === 4, "unpublish");
    assert.deepEqual(receiver.told, [
      "publish live/a",
      "first_viewer live/a",
      "last_viewer live/a",
      "unpublish live/a",
    ]);
    assert.equal(receiver.forged, 0);
    assert.equal(receiver.requests.length, 4);
    const ids = new Set(receiver.events.map(({ id }) => id));
    assert.equal(ids.size, 4);
    for (const { relay, at } of receiver.events) {
      assert.equal(relay, server.server.relay.hop.toString());
      assert.match(String(at), /^\d{4}-\d\d-\d\dT.*Z$/);
    }
    const { hooks: [shown] } = await server.api<{ hooks: Record<string, unknown>[] }>(
      "/api/v1/hooks",
    );
    assert.deepEqual([shown!["name"], shown!["waiting"], shown!["url"]], [
      ...["site", 0, new URL(receiver.url).origin],
    ]);
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
    assert.match(metrics, /qumo_hook_events_total\{name="site",result="sent"\} 4/);
    assert.match(metrics, /qumo_hook_queue_length\{name="site"\} 0/);
    assert.ok(!JSON.stringify(shown).includes(SECRET));
  });
}

Deno.test("a stranger who announces and leaves all the time makes a few requests, and no false news", async () => {
  await using receiver = new HookReceiver();
  await using server = await launch({
    yaml: yaml({ name: "site", url: receiver.url, secret: SECRET, max_waiting: 50, max_rate: 10 }),
    flags: OPEN,
  });
  await using stranger = await clientOf(server, 0);
  const hook = server.server.view.hooks!.list()[0]!;
  let news = 0;
  const watch = server.server.relay.origin.watch({}, () => void news++);
  for (let round = 0; round < 20; round++) {
    const all = Array.from({ length: 20 }, (_, i) => stranger.publish(`flood/${i}`));
    await until(() => server.server.relay.origin.size === 20, "the announcements");
    for (const broadcast of all) broadcast.close();
    await until(() => server.server.relay.origin.size === 0, "their end");
    assert.ok(hook.waiting <= 50);
  }
  watch.close();
  assert.equal(news, 800);
  const { stats } = hook;
  assert.ok(stats.coalesced > 300, JSON.stringify(stats));
  assert.ok(receiver.requests.length < 200, `${receiver.requests.length} requests`);
  const heard = new Map<string, string>();
  for (const { event, broadcast } of receiver.events) {
    assert.notEqual(heard.get(broadcast) ?? "unpublish", event, `${broadcast}: twice ${event}`);
    heard.set(broadcast, event);
  }
});

Deno.test({
  name: "a command hears of a recording, and a reload changes who is told",
  ignore: Deno.build.os === "windows" || !need("ffmpeg").ok,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await using receiver = new HookReceiver();
      const told = `${folder}/told`;
      const script =
        'echo "$QUMO_EVENT $QUMO_BROADCAST $QUMO_RECORDING $QUMO_RECORDING_BYTES" >> ' +
        `"$1"`;
      const text = (...hooks: Record<string, unknown>[]) =>
        JSON.stringify({
          hooks,
          plugins: [{
            ...{ name: "keep", kind: "egress", plugin: "record" },
            options: { directory: `${folder}/recordings` },
          }],
        });
      const lamp = {
        name: "lamp",
        command: ["/bin/sh", "-c", script, "sh", told],
        events: ["recording_done"],
      };
      await using server = await launch({ yaml: text(lamp), flags: OPEN });
      const publisher = await clientOf(server, 0);
      await using media = publishMedia(publisher, "cam", { codecs: H264_AAC, seconds: 2 });
      await media.ended;
      await until(() => Deno.stat(told).then(() => true, () => false), "the command", 20_000);
      const [event, broadcast, path, bytes] = (await Deno.readTextFile(told)).trim().split(" ");
      assert.deepEqual([event, broadcast], ["recording_done", "cam"]);
      assert.equal((await Deno.stat(path!)).size, Number(bytes));

      const site = { name: "site", url: receiver.url, secret: SECRET, events: ["publish"] };
      const flags = {
        "server.address": "127.0.0.1:0",
        "admin.address": "127.0.0.1:0",
        "server.drain_timeout": "1s",
        ...OPEN,
      };
      const kept = server.server.view.hooks!.list()[0];
      const next = parseConfig(text(lamp, site), { flags });
      const { applied } = await server.server.reload(next, server.certificate);
      assert.deepEqual(applied, ["hooks"]);
      assert.equal(server.server.view.hooks!.list()[0], kept);
      using _second = publisher.publish("second");
      await until(() => receiver.told.length === 1, "the new hook");
      assert.deepEqual(receiver.told, ["publish second"]);
      await publisher.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the receiver in docs/hooks.md takes what a hook sends, and nothing that is signed by another", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const doc = await Deno.readTextFile(new URL("../../docs/hooks.md", import.meta.url));
    await Deno.writeTextFile(`${folder}/receiver.mjs`, /```js\n([^]*?)```/.exec(doc)![1]!);
    await using receiver = start([], {
      script: `${folder}/receiver.mjs`,
      env: { HOOK_SECRET: SECRET, PORT: "0" },
    });
    const url = await receiver.saw(/http:\/\/127\.0\.0\.1:\d+\//);
    await using server = await launch({
      yaml: yaml(
        { name: "right", url, secret: SECRET, events: ["publish"], broadcasts: ["right"] },
        { name: "wrong", url, secret: "another", events: ["publish"], broadcasts: ["wrong"] },
      ),
      flags: OPEN,
    });
    await using publisher = await clientOf(server, 0);
    using _wrong = publisher.publish("wrong");
    const [, wrong] = server.server.view.hooks!.list();
    await until(() => wrong!.stats.failed === 1, "the refusal");
    assert.match(wrong!.lastFailure!, /401: wrong signature/);
    using _right = publisher.publish("right");
    await receiver.saw("publish right");
    assert.ok(!receiver.output().includes("publish wrong"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("check says what a hook could not do, with its place", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/config.yaml`;
    await Deno.writeTextFile(
      file,
      `server: { address: "127.0.0.1:4433" }
hooks:
  - name: a
    url: https://example.org/
    secret_file: ${folder}/none
  - name: b
    command: [${folder}/no-program]
`,
    );
    await using check = start(["check", "--config", file]);
    assert.equal(await check.ended(), 2);
    const said = check.output();
    assert.match(said, /:5:18 +hooks\.0\.secret_file: .*none cannot be read/);
    assert.match(said, /:7:14 +hooks\.1\.command: there is no program .*no-program/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
