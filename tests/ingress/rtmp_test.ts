/** The RTMP listener, with ffmpeg as a publisher with and without the key, and with hostile bytes. */
import { freePort, killed } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { rtmp } from "../../plugins/ingress/rtmp/mod.ts";
import { MAX_STRANGERS_PER_ADDRESS } from "../../plugins/ingress/rtmp/door.ts";
import { broadcasts } from "../support/media/broadcasts.ts";
import { MemoryRelay, runPlugin } from "../support/plugin_run.ts";
import { need } from "../support/require.ts";
import {
  rtmpCommand,
  rtmpDial,
  rtmpHello,
  rtmpMessage,
  rtmpPublish,
} from "../support/peers/rtmp_client.ts";
import { until } from "../support/server.ts";

const ignore = !need("ffmpeg").ok;
/** A secret that has to be removed from ffmpeg's log. */
const NOISE = "deprecated pixel format";
const MEDIA = [
  ..."-re -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=frequency=440".split(" "),
  ..."-c:v libx264 -preset ultrafast -tune zerolatency -g 15 -pix_fmt yuv420p -c:a aac".split(" "),
];

/** The plugin at a relay of its own, which says what is announced. */
async function door(options: Record<string, unknown>) {
  const port = freePort();
  const at = new MemoryRelay();
  const reader = await at.client();
  const over = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const live of broadcasts(reader, "cam", { signal: over.signal })) {
      seen.push(live.path);
    }
  })();
  const config = { broadcast: "cam", listen: `127.0.0.1:${port}`, ...options };
  const run = await runPlugin(rtmp.create(), at, config);
  return {
    port,
    run,
    /** What was announced so far. */
    seen,
    async [Symbol.asyncDispose]() {
      await run.end();
      over.abort();
      await watching;
      await reader.close();
      await at[Symbol.asyncDispose]();
    },
  };
}

/** Pushes with ffmpeg. `ended` gives whether it succeeded, and its output. */
function push(port: number, name: string, { app = "live", seconds = 60 } = {}) {
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-v", "error", "-nostdin", ...MEDIA, "-t", String(seconds)],
      // Given as options: in a URL everything after a space is lost.
      ...["-f", "flv", "-rtmp_app", app, "-rtmp_playpath", name, `rtmp://127.0.0.1:${port}/`],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  return {
    ended: (async () => ({ success: (await child.status).success, said: await said }))(),
    async [Symbol.asyncDispose]() {
      await killed(child);
      await said;
    },
  };
}

Deno.test({
  name:
    "rtmp lets nobody in for a name that is a phrase of ffmpeg's log, whatever stands around it",
  ignore,
  async fn() {
    await using at = await door({ key: "s3cret" });
    for (const name of [NOISE, `${NOISE}?key=wrong`, `App field don't match ${NOISE}`]) {
      await using pushing = push(at.port, name);
      const { success, said } = await pushing.ended;
      assert.equal(success, false, name);
      assert.match(said, /stream key is not the right one/);
      assert.doesNotMatch(said, /s3cret/);
    }
    await using elsewhere = push(at.port, "s3cret", { app: NOISE });
    assert.match((await elsewhere.ended).said, /does not publish to \/live/);
    assert.equal(at.run.ctx.stats.errors, 4);
    assert.equal(at.run.ctx.stats.framesIn, 0);
    assert.deepEqual(at.seen, []);
    assert.match(at.run.told.at(-1)!, /turned away: it does not publish to \/live/);
    await using right = push(at.port, "s3cret");
    await until(() => at.seen.length > 0, "the broadcast", 30_000);
    assert.deepEqual(at.seen, ["cam"]);
    void right;
  },
});

Deno.test({
  name:
    "rtmp takes such a phrase as a key, in each form that encoders give keys in, one publisher at a time",
  ignore,
  async fn() {
    await using at = await door({ key: NOISE });
    const { stats } = at.run.ctx;
    for (const name of [NOISE, `${NOISE}?bandwidthtest=1`]) {
      const before = stats.framesIn;
      {
        await using _ = push(at.port, name);
        await until(() => stats.framesIn > before + 20, name, 30_000);
        await using second = push(at.port, NOISE);
        assert.match((await second.ended).said, /somebody else publishes/);
        await using stranger = push(at.port, "x");
        assert.match((await stranger.ended).said, /stream key/);
      }
      await until(() => /waiting for/.test(at.run.told.at(-1) ?? ""), "its end", 30_000);
    }
    const before = stats.framesIn;
    await using last = push(at.port, "cam?key=deprecated%20pixel%20format", { seconds: 2 });
    assert.equal((await last.ended).success, true);
    await until(() => stats.framesIn > before + 60, "all of what ended in order", 30_000);
  },
});

Deno.test({
  name: "rtmp shows neither key nor address of its publishers to who lists processes",
  ignore: ignore || Deno.build.os !== "linux",
  async fn() {
    await using at = await door({ key: "s3cret-in-no-argument" });
    await using _ = push(at.port, "x?key=s3cret-in-no-argument");
    await until(() => at.seen.length > 0, "the broadcast", 30_000);
    const { stdout } = await new Deno.Command("ps", { args: ["-eo", "ppid,args"] }).output();
    const ours = new TextDecoder().decode(stdout).split("\n")
      .filter((line) => line.trim().startsWith(`${Deno.pid} `) && line.includes("-f mp4"));
    assert.equal(ours.length, 1);
    assert.doesNotMatch(ours[0]!, /s3cret/);
    assert.match(ours[0]!, /-protocol_whitelist pipe -f flv -i pipe:0/);
  },
});

Deno.test({
  name: "rtmp cuts off who is no RTMP client, brings too much, or media before the key",
  ignore,
  async fn() {
    await using at = await door({ key: "s3cret" });
    const connect = rtmpCommand("connect", 1, new Map([["app", "live"]]));
    const hostile: Uint8Array[][] = [
      [new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
      [Uint8Array.of(6)],
      [rtmpHello(), new Uint8Array(4096).fill(0xff)],
      [rtmpHello(), Uint8Array.fromHex("03000000ffffff1400000000")], // a command of 16 MiB
      [rtmpHello(), rtmpMessage(9, Uint8Array.of(0x17, 0, 0, 0, 0))],
      [rtmpHello(), connect, rtmpMessage(8, Uint8Array.of(0xaf, 0))],
      [rtmpHello(), rtmpCommand("publish", 1, null, "s3cret", "live")],
      [rtmpHello(), connect, rtmpMessage(20, new Uint8Array(3000).fill(3))],
      [rtmpHello(), ...Array.from({ length: 70 }, () => rtmpCommand("x", 1, null))],
      [
        rtmpHello(),
        ...Array.from({ length: 40 }, (_, i) => Uint8Array.of(i + 2, ...new Uint8Array(11))),
      ],
      [rtmpHello(), ...rtmpPublish("live", "wrong").slice(1)],
    ];
    for (const [i, parts] of hostile.entries()) {
      await using client = await rtmpDial(at.port);
      await client.send(...parts);
      await client.over;
      await until(() => at.run.ctx.stats.errors === i + 1, `case ${i} is counted`);
    }
    assert.deepEqual(at.seen, []);
    assert.equal(at.run.ctx.stats.framesIn, 0);
  },
});

Deno.test({
  name: "rtmp keeps few connections of one address that do not say what they want",
  ignore,
  async fn() {
    await using at = await door({ key: "s3cret" });
    await using held = new AsyncDisposableStack();
    const dial = async () => held.use(await rtmpDial(at.port));
    const idle = await Promise.all(Array.from({ length: MAX_STRANGERS_PER_ADDRESS }, dial));
    for (const client of idle) await client.send(rtmpHello());
    await until(() => idle.every((one) => one.answered().length === 3073), "their handshakes");
    const more = await dial();
    await more.over; // cut at once
    assert.equal(more.answered(), "");
    // One that leaves makes room.
    await idle[0]![Symbol.asyncDispose]();
    await until(async () => {
      const next = await dial();
      await next.send(...rtmpPublish("live", "s3cret"));
      await Promise.race([
        next.over,
        until(() => next.answered().includes("Publish.Start"), "its start").catch(() => {}),
      ]);
      return next.answered().includes("NetStream.Publish.Start");
    }, "a publisher");
  },
});

Deno.test({
  name: "rtmp ends a publisher that breaks the protocol, and takes the next",
  ignore,
  async fn() {
    await using at = await door({ key: "s3cret" });
    {
      await using client = await rtmpDial(at.port);
      await client.send(...rtmpPublish("live", "s3cret"));
      await until(() => client.answered().includes("NetStream.Publish.Start"), "its start");
      await client.send(Uint8Array.fromHex("04000000ffffff0901000000"), new Uint8Array(4096));
      await client.over;
    }
    await until(
      () => /broke the protocol.*longer than/.test(at.run.told.at(-1) ?? ""),
      "the status",
      20_000,
    );
    await using _ = push(at.port, "s3cret");
    await until(() => at.seen.length > 0, "the broadcast", 30_000);
  },
});
