/**
 * The ingress plugins, each with a real source: an RTSP server, encoders that push RTMP and SRT, an HLS playlist, files. What they publish is read back by a client.
 */
import { freePort, killed } from "../support/borrowed.ts";
import assert from "node:assert/strict";
import { camera } from "../../plugins/ingress/camera/mod.ts";
import { file } from "../../plugins/ingress/file/mod.ts";
import { fmp4 } from "../../plugins/ingress/fmp4/mod.ts";
import { hls } from "../../plugins/ingress/hls/mod.ts";
import { rtmp } from "../../plugins/ingress/rtmp/mod.ts";
import { rtsp } from "../../plugins/ingress/rtsp/mod.ts";
import { srt } from "../../plugins/ingress/srt/mod.ts";
import { broadcasts } from "../support/media/broadcasts.ts";
import type { LiveMedia } from "../../media/broadcast/live_media.ts";
import type { PluginDefinition } from "../../plugins/plugin.ts";
import { MemoryRelay, type PluginRun, runPlugin } from "../support/plugin_run.ts";
import { need } from "../support/require.ts";
import { startRtspServer } from "../support/peers/rtsp_server.ts";
import { until } from "../support/server.ts";
import type { MediaFrame, Rendition } from "../../media/rendition.ts";

const ignore = !need("ffmpeg").ok;

const VIDEO = "-f lavfi -i testsrc2=size=320x180:rate=30".split(" ");
const AUDIO = "-f lavfi -i sine=frequency=440:sample_rate=48000".split(" ");
const H264 = "-c:v libx264 -preset ultrafast -tune zerolatency -g 15 -pix_fmt yuv420p".split(" ");
const AAC = "-c:a aac -b:a 64k".split(" ");

/** Runs ffmpeg to its end, or until it is told to stop. */
function ffmpeg(args: readonly string[]) {
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-nostdin", "-y", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    ended: child.status,
    async [Symbol.asyncDispose]() {
      await killed(child);
    },
  };
}

/** A plugin at a relay of its own, and a reader of the broadcast "cam". */
async function play(definition: PluginDefinition, options: Record<string, unknown>) {
  const at = new MemoryRelay();
  const reader = await at.client();
  const over = new AbortController();
  const lives = broadcasts(reader, "cam", { signal: over.signal });
  const start = () => runPlugin(definition.create(), at, { broadcast: "cam", ...options });
  let run: PluginRun = await start();
  return {
    get run() {
      return run;
    },
    /** Restarts it, as the supervisor does after a failure. */
    async restart() {
      await run.end();
      run = await start();
    },
    /** Waits until the broadcast is live again. Fails if the plugin fails before that. */
    async live(): Promise<LiveMedia> {
      let live: LiveMedia | undefined;
      let over = false;
      const next = lives.next().then(({ value }) => live = value as LiveMedia);
      run.done.finally(() => over = true).catch(() => {});
      await until(() => live !== undefined || over, `a live broadcast: ${run.told.at(-1)}`, 30_000);
      if (live === undefined) await run.done;
      return await next;
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await run.end();
      await lives.return();
      await reader.close();
      await at[Symbol.asyncDispose]();
    },
  };
}

/** The codecs of a broadcast, and some frames of each rendition, checked to be in order. */
async function watch(live: LiveMedia, count = 20): Promise<Record<string, MediaFrame[]>> {
  const catalogs = live.catalogs();
  const renditions: Rendition[] = (await catalogs.next()).value;
  const found = await Promise.all(renditions.map(async (rendition) => {
    const frames: MediaFrame[] = [];
    for await (const frame of live.frames(rendition)) if (frames.push(frame) >= count) break;
    assert.equal(frames.length, count, `${rendition.name} ended after ${frames.length}`);
    assert.equal(frames[0]!.keyframe, true);
    for (let i = 1; i < count; i++) {
      assert.ok(frames[i]!.timestampUs >= frames[i - 1]!.timestampUs - 200_000);
    }
    return [rendition.codec.split(".")[0]!, frames] as const;
  }));
  await catalogs.return(undefined);
  return Object.fromEntries(found);
}

const LOGIN = { user: "viewer", password: "ge heim/&" } as const;
const TRACKS = [[...VIDEO, ...H264], [...AUDIO, "-c:a", "libopus"]];

for (const [transport, scheme] of [["tcp", "digest"], ["udp", "basic"]] as const) {
  Deno.test({
    name: `rtsp plays a camera over ${transport} with ${scheme} authentication, and returns to it`,
    ignore,
    async fn() {
      const login = { ...LOGIN, scheme };
      let server = await startRtspServer({ tracks: TRACKS, login });
      const { port } = server;
      const url = `rtsp://127.0.0.1:${port}/live`;
      const { user: username, password } = LOGIN;
      await using test = await play(rtsp, { url, username, password, transport, timeout: "3s" });
      const live = await test.live();
      const seen = await watch(live);
      assert.deepEqual(Object.keys(seen), ["avc1", "opus"]);
      assert.ok(server.transports.length >= 2);
      assert.ok(server.transports.every((one) => one === transport), String(server.transports));

      await server[Symbol.asyncDispose]();
      await assert.rejects(test.run.done, (error: Error) => {
        assert.match(error.message, /RTSP stream rtsp:\/\/127\.0\.0\.1:\d+\/live/);
        return !error.message.includes("heim");
      });
      await until(() => live.gone.aborted, "the withdrawal of the broadcast");

      server = await startRtspServer({ tracks: TRACKS, login, port });
      try {
        await test.restart();
        const back = await watch(await test.live(), 5);
        assert.ok(back.avc1![0]!.group > seen.avc1!.at(-1)!.group);
      } finally {
        await server[Symbol.asyncDispose]();
      }
    },
  });
}

Deno.test({
  name: "rtsp tells a wrong password and an absent camera as such, and shows no password",
  ignore,
  async fn() {
    await using server = await startRtspServer({
      tracks: [TRACKS[0]!],
      login: { ...LOGIN, scheme: "digest" },
    });
    const url = `rtsp://127.0.0.1:${server.port}/live`;
    {
      await using test = await play(rtsp, { url, username: "viewer", password: "s3cret wrong" });
      await assert.rejects(test.run.done, (error: Error) => {
        assert.match(error.message, /401 Unauthorized.*check its user name and password/);
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      });
      assert.ok(server.refused() > 0);
      assert.ok(test.run.told.every((text) => !text?.includes("s3cret")));
    }
    const absent = `rtsp://u:p4ss@127.0.0.1:${freePort()}/live`;
    await using test = await play(rtsp, { url: absent });
    await assert.rejects(test.run.done, (error: Error) => {
      assert.match(error.message, /Connection refused/);
      return !error.message.includes("p4ss");
    });
  },
});

Deno.test({
  name: "rtsp refuses sound that cannot be carried with what to do, and encodes it when told to",
  ignore,
  async fn() {
    const tracks = [TRACKS[0]!, [...AUDIO, "-ar", "8000", "-c:a", "pcm_mulaw"]];
    await using server = await startRtspServer({ tracks });
    const url = `rtsp://127.0.0.1:${server.port}/live`;
    {
      await using test = await play(rtsp, { url });
      await assert.rejects(test.run.done, /pcm_mulaw.*`audio` \(aac, opus\)/);
    }
    await using test = await play(rtsp, { url, audio: "opus" });
    assert.deepEqual(Object.keys(await watch(await test.live())), ["avc1", "opus"]);
  },
});

/** Pushes until the listener accepts: it opens its port when it is ready. */
async function push(target: string, args: readonly string[], seconds = 60) {
  const length = ["-t", String(seconds)];
  const over = new AbortController();
  let current: ReturnType<typeof ffmpeg> | undefined;
  const loop = (async () => {
    while (!over.signal.aborted) {
      current = ffmpeg(["-re", ...VIDEO, ...AUDIO, ...length, ...H264, ...AAC, ...args, target]);
      const { success } = await current.ended;
      if (success) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  await Promise.resolve();
  return {
    ended: loop,
    async [Symbol.asyncDispose]() {
      over.abort();
      await current?.[Symbol.asyncDispose]();
      await loop;
    },
  };
}

Deno.test({
  name: "rtmp takes a publisher with the right key, turns a wrong one away, and waits for the next",
  ignore,
  async fn() {
    const at = `127.0.0.1:${freePort()}`;
    await using test = await play(rtmp, { listen: at, key: "s3cret" });
    const flv = ["-f", "flv"];
    {
      await using _ = await push(`rtmp://${at}/live/wrong`, flv);
      await until(() => test.run.ctx.stats.errors > 0, "the refusal", 30_000);
      assert.equal(test.run.ctx.stats.framesIn, 0);
      const told = test.run.told.find((text) => text?.includes("failed"));
      assert.match(told!, /stream key is not the right one/);
      assert.doesNotMatch(told!, /s3cret/);
    }
    let live: LiveMedia;
    {
      await using _ = await push(`rtmp://${at}/live/s3cret`, flv);
      live = await test.live();
      assert.deepEqual(Object.keys(await watch(live)), ["avc1", "mp4a"]);
    }
    await until(() => live.gone.aborted, "the withdrawal");
    await using _ = await push(`rtmp://${at}/live/s3cret`, flv);
    await watch(await test.live(), 5);
  },
});

Deno.test({
  name: "srt takes a publisher with the passphrase, none without it, and waits for the next",
  ignore,
  async fn() {
    const at = `127.0.0.1:${freePort()}`;
    const passphrase = "long enough";
    await using test = await play(srt, { listen: at, passphrase });
    const with_ = (phrase: string) => ["-f", "mpegts", "-passphrase", phrase];
    {
      const wrong = ffmpeg([...VIDEO, ...H264, ...with_("not that one"), `srt://${at}`]);
      const { success } = await wrong.ended;
      assert.equal(success, false);
      assert.equal(test.run.ctx.stats.framesIn, 0);
    }
    let live: LiveMedia;
    {
      await using _ = await push(`srt://${at}`, with_(passphrase));
      live = await test.live();
      assert.deepEqual(Object.keys(await watch(live)), ["avc1", "mp4a"]);
    }
    await until(() => live.gone.aborted, "the withdrawal", 20_000);
    await using _ = await push(`srt://${at}`, with_(passphrase));
    await watch(await test.live(), 5);
  },
});

Deno.test({
  name: "rtmp and srt say that their port is taken, and wait for nobody then",
  ignore,
  async fn() {
    using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => udp.close());
    const ports = [[rtmp, tcp.addr.port], [srt, (udp.addr as Deno.NetAddr).port]] as const;
    for (const [definition, port] of ports) {
      await using test = await play(definition, { listen: `127.0.0.1:${port}` });
      await assert.rejects(test.run.done, {
        code: "QUMO_LISTEN_FAILED",
        message: new RegExp(`Cannot listen on 127.0.0.1:${port}: .*in use`),
      });
    }
  },
});

Deno.test({
  name: "hls plays a playlist at its own speed, and fails when it is not there",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir();
    const made = ffmpeg([
      ...[...VIDEO, ...AUDIO, "-t", "4", ...H264, ...AAC],
      ...["-f", "hls", "-hls_time", "1", "-hls_list_size", "0", `${dir}/index.m3u8`],
    ]);
    await made.ended;
    const served = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        try {
          return new Response(await Deno.readFile(dir + new URL(request.url).pathname));
        } catch {
          return new Response("no", { status: 404 });
        }
      },
    );
    const base = `http://127.0.0.1:${served.addr.port}`;
    try {
      {
        await using test = await play(hls, { url: `${base}/index.m3u8` });
        const startedMs = performance.now();
        const seen = await watch(await test.live(), 30);
        assert.deepEqual(Object.keys(seen), ["avc1", "mp4a"]);
        assert.ok(performance.now() - startedMs > 500, "a second of media came at once");
      }
      await using test = await play(hls, { url: `${base}/none.m3u8` });
      await assert.rejects(test.run.done, /playlist http.*none\.m3u8.*404/);
    } finally {
      await served.shutdown();
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "file and fmp4 loop a file, and say what is wrong with one",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir();
    const path = `${dir}/film.mp4`;
    const flags = ["-movflags", "cmaf+delay_moov"];
    await ffmpeg([...VIDEO, ...AUDIO, "-t", "1", ...H264, ...AAC, ...flags, path]).ended;
    await Deno.writeTextFile(`${dir}/noise.mp4`, "no film at all ".repeat(100));
    try {
      for (const definition of [file, fmp4]) {
        {
          await using test = await play(definition, { path });
          const { avc1 } = await watch(await test.live(), 50); // a second has 30
          assert.ok(avc1!.at(-1)!.timestampUs - avc1![0]!.timestampUs > 1_300_000);
        }
        await using test = await play(definition, { path: `${dir}/noise.mp4` });
        await assert.rejects(test.run.done, /noise\.mp4.*: /);
        await using absent = await play(definition, { path: `${dir}/none.mp4` });
        await assert.rejects(absent.run.done, /none\.mp4.*No such file/);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

for (const video of ["h264", "h265", "vp9", "av1"]) {
  Deno.test({
    name: `camera publishes the test picture and tone as ${video} and Opus`,
    ignore,
    async fn() {
      const size = { width: 320, height: 180, framerate: 15 };
      const options = { device: "test", microphone: "test", video, ...size };
      await using test = await play(camera, options);
      const codec = { h264: "avc1", h265: "hvc1", vp9: "vp09", av1: "av01" }[video]!;
      assert.deepEqual(Object.keys(await watch(await test.live(), 10)), [codec, "opus"]);
    },
  });
}

Deno.test({
  name: "camera says that a device is not there",
  ignore,
  async fn() {
    await using test = await play(camera, { device: "/dev/no-camera" });
    await assert.rejects(test.run.done, /camera \/dev\/no-camera.*No such file/);
  },
});
