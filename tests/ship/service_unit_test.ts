/**
 * The relay as `deploy/qumo-relay.service` runs it: every plugin that comes with it, two workers, Redis, recording, a
 * reload and the watchdog, under the unit's own restrictions.
 */
import assert from "node:assert/strict";
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { stringify } from "yaml";
import { BUILT_IN } from "../../plugins/host/builtin.ts";
import { packetizerOf } from "../../plugins/webrtc/rtp/packetize.ts";
import { redisServer, startRedis } from "../support/peers/redis.ts";
import { need } from "../support/require.ts";
import { startRtspServer } from "../support/peers/rtsp_server.ts";
import { startS3 } from "../support/peers/s3.ts";
import { until } from "../support/server.ts";
import { program, underUnit, unitText, unitTools } from "../support/programs/systemd_unit.ts";

const ignore = !unitTools.ok;

/** A unit that is stricter than ours. */
function withoutNetlink(unit: string): string {
  const stricter = unit.replace("AF_INET6 AF_NETLINK", "AF_INET6");
  assert.notEqual(stricter, unit);
  return stricter;
}

const SDP = { "content-type": "application/sdp" };
const PICTURE = "-f lavfi -i testsrc2=size=160x90:rate=15".split(" ");
const TONE = "-f lavfi -i sine=frequency=440:sample_rate=48000".split(" ");
const H264 = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -tune zerolatency -g 15".split(" ");

Deno.test({
  name: "the unit's restrictions are really applied by what the tests below use",
  ignore,
  async fn() {
    const state = await Deno.makeTempDir({ prefix: "qumo-unit-" });
    const script = `
import socket, os
try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); print("netlink")
except OSError as e: print("no netlink", e.errno)
try: os.unshare(os.CLONE_NEWUSER); print("namespace")
except OSError as e: print("no namespace", e.errno)
except AttributeError:
  import ctypes
  libc = ctypes.CDLL(None, use_errno=True)
  print("namespace" if libc.unshare(0x10000000) == 0 else "no namespace %d" % ctypes.get_errno())
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
open("in the state folder", "w").close()
print([l.split()[1] for l in open("/proc/self/status") if l.startswith(("NoNewPrivs", "Seccomp:"))])
`;
    try {
      const run = async (unit: string) => {
        const path = `${state}/unit`;
        await Deno.writeTextFile(path, unit);
        const { code, stdout, stderr } = await underUnit(path, state, ["python3", "-c", script])
          .output();
        const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
        return { code, out: out!.trim().split("\n"), err: err! };
      };
      const shipped = await run(unitText());
      assert.deepEqual(shipped.out, ["netlink", "no namespace 1", "['1', '2']"], shipped.err);
      assert.equal((await run(withoutNetlink(unitText()))).out[0], "no netlink 97");
      const stricter = await run(`${unitText().split("[Install]")[0]}\nProtectFuture=yes\n`);
      assert.notEqual(stricter.code, 0);
      assert.match(stricter.err, /does not apply ProtectFuture/);
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
});

/** Ports that are free now, and the one behind each. */
function freePorts(count: number): number[] {
  const found: number[] = [];
  while (found.length < count) {
    const one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = one.addr;
    try {
      Deno.listen({ hostname: "127.0.0.1", port: port + 1 }).close();
      if (!found.some((other) => Math.abs(other - port) < 2)) found.push(port);
    } catch { // Somebody has it.
    }
    one.close();
  }
  return found;
}

async function ffmpeg(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-nostdin", "-y", ...args],
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

interface PluginView {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly restarts: number;
  readonly stats: { readonly framesIn: number; readonly framesOut: number };
}

/** A peer whose offer at a path of the relay was answered. */
async function call(url: string, direction: "sendonly" | "recvonly") {
  const pc = new RTCPeerConnection({
    ...{ iceServers: [], iceUseIpv4: false, iceUseIpv6: false },
    iceAdditionalHostAddresses: ["127.0.0.1"],
    codecs: {
      video: [new RTCRtpCodecParameters({ mimeType: "video/VP8", clockRate: 90_000 })],
      audio: [],
    },
  });
  const { sender } = pc.addTransceiver("video", { direction });
  let packets = 0;
  pc.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe(() => void packets++);
  });
  await pc.setLocalDescription(await pc.createOffer());
  const body = pc.localDescription!.sdp;
  const answer = await fetch(url, { method: "POST", headers: SDP, body });
  const text = await answer.text();
  assert.equal(answer.status, 201, `${url}: ${text}`);
  assert.match(text, /a=candidate:/);
  await pc.setRemoteDescription({ type: "answer", sdp: text });
  const session = new URL(answer.headers.get("location")!, url);
  return { pc, sender, session, packets: () => packets };
}

/** A connected peer. The tests' peer gives up early on a busy machine. Then it connects again. */
async function connected(url: string, direction: "sendonly" | "recvonly") {
  for (let attempt = 1;; attempt++) {
    const peer = await call(url, direction);
    try {
      await until(() => peer.pc.connectionState === "connected", `${direction} at ${url}`, 15_000);
      return peer;
    } catch (error) {
      await peer.pc.close();
      await (await fetch(peer.session, { method: "DELETE" })).body?.cancel();
      if (attempt === 4) throw error;
    }
  }
}

Deno.test({
  name:
    "under the unit, with the permissions of the shipped program, every built-in plugin works, with two workers, Redis, a recording, a reload " +
    "and the watchdog",
  ignore: ignore || !need("ffmpeg").ok || !redisServer.ok,
  async fn() {
    const state = await Deno.realPath(await Deno.makeTempDir({ prefix: "qumo-unit-" }));
    await using redis = await startRedis();
    await using s3 = await startS3();
    await using camera = await startRtspServer({ tracks: [[...PICTURE, ...H264]] });
    const [port, admin, rtmpPort, srtPort] = freePorts(4) as [number, number, number, number];
    await ffmpeg(
      ...[...PICTURE, ...TONE, "-t", "4", ...H264, "-c:a", "aac", "-b:a", "64k", "-f", "mp4"],
      ...["-movflags", "cmaf+separate_moof+delay_moov+skip_trailer", `${state}/film.mp4`],
    );
    await ffmpeg(
      "-f",
      "lavfi",
      "-i",
      "color=red:size=16x16",
      "-frames:v",
      "1",
      `${state}/mark.png`,
    );
    const made = "in/film";
    const small = { codec: "h264", preset: "ultrafast", bitrate: 100 };
    const plugins = [
      ["ingress", "file", { path: "film.mp4", broadcast: made }],
      ["ingress", "fmp4", { path: "film.mp4", broadcast: "in/fmp4" }],
      ["ingress", "camera", {
        ...{ device: "test", microphone: "test", broadcast: "in/camera", width: 160, height: 90 },
        ...{ framerate: 15, bitrate: 100 },
      }],
      ["ingress", "rtsp", { url: `rtsp://127.0.0.1:${camera.port}/live`, broadcast: "in/rtsp" }],
      ["ingress", "rtmp", { listen: `127.0.0.1:${rtmpPort}`, broadcast: "in/rtmp", key: "key" }],
      ["ingress", "srt", { listen: `127.0.0.1:${srtPort}`, broadcast: "in/srt" }],
      ["ingress", "hls", {
        ...{ url: `http://127.0.0.1:${port}/hls/${made}/master.m3u8`, broadcast: "in/hls" },
      }],
      ["ingress", "whip", { video: ["vp8"] }],
      ["transform", "watermark", { ...small, input: made, output: "out/mark", image: "mark.png" }],
      ["transform", "transcode", {
        ...{ input: made, output: "out/ladder" },
        renditions: [{ codec: "copy" }, { height: 48, bitrate: 60 }],
      }],
      ["transform", "thumbnail", { input: made, every: "0s" }],
      ["transform", "audio-only", { input: made, output: "out/sound" }],
      ["egress", "record", { broadcasts: [made], rotate_after: "2s" }],
      ["egress", "rtmp", {
        ...{ broadcast: made, url: `rtmp://127.0.0.1:${rtmpPort}/live`, key: "key" },
      }],
      ["egress", "s3", { ...s3.options, broadcasts: [made], segment: "1s" }],
      ["egress", "hls", { broadcasts: [made], mode: "always", segment: "1s" }],
      ["egress", "webrtc", {}],
    ] as const;
    const names = (list: readonly { kind: string; name: string }[]) =>
      list.map(({ kind, name }) => `${kind} ${name}`).sort();
    assert.deepEqual(
      plugins.map(([kind, name]) => `${kind} ${name}`).sort(),
      names(BUILT_IN),
      "a plugin is not tried under the unit",
    );
    const config = (level: string) => ({
      server: { address: `127.0.0.1:${port}`, workers: 2, drain_timeout: "1s" },
      admin: { address: `127.0.0.1:${admin}` },
      logging: { level },
      hooks: [{
        name: "told",
        command: ["/bin/sh", "-c", 'echo "$QUMO_EVENT $QUMO_BROADCAST" >> told'],
        concurrency: 1,
      }],
      storage: { type: "redis", redis_url: redis.url, record: ["in/camera"] },
      plugins: plugins.map(([kind, plugin, options]) => ({
        ...{ name: `${kind}-${plugin}`, kind, plugin, options },
      })),
    });
    const write = (level: string) =>
      Deno.writeTextFile(`${state}/config.yaml`, stringify(config(level)));
    await write("info");

    const manager = Deno.listenDatagram({
      transport: "unixpacket",
      path: `${state}/notify`,
    });
    const heard: string[] = [];
    const hearing = (async () => {
      for (;;) {
        const received = await manager.receive().catch(() => undefined);
        if (received === undefined) return;
        heard.push(...new TextDecoder().decode(received[0]).split("\n"));
      }
    })();
    await Deno.writeTextFile(`${state}/unit`, unitText());
    const relay = underUnit(`${state}/unit`, state, [
      ...["env", `NOTIFY_SOCKET=${state}/notify`, "WATCHDOG_USEC=1000000"],
      ...program(["serve", "--config", `${state}/config.yaml`]),
    ]).spawn();
    let said = "";
    const reading = Promise.all([relay.stdout, relay.stderr].map(async (stream) => {
      for await (const part of stream.pipeThrough(new TextDecoderStream())) said += part;
    }));
    let ended = false;
    relay.status.then(() => ended = true);
    const push = new AbortController();
    const peers: RTCPeerConnection[] = [];
    let sending: ReturnType<typeof setInterval> | undefined;
    try {
      await until(() => heard.includes("READY=1") || ended, "READY=1", 60_000);
      assert.ok(!ended, said);
      const srt = new Deno.Command("ffmpeg", {
        args: [
          ...["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", `${state}/film.mp4`],
          ...["-c", "copy", "-f", "mpegts", `srt://127.0.0.1:${srtPort}?mode=caller`],
        ],
        ...{ stdin: "null", stdout: "null", stderr: "null", signal: push.signal },
      });
      const pushing = (async () => {
        while (!push.signal.aborted) {
          await srt.spawn().status;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      })().catch(() => {});

      const view = async (): Promise<PluginView[]> => {
        const answer = await fetch(`http://127.0.0.1:${admin}/api/v1/plugins`);
        return (await answer.json()).plugins;
      };
      const told = (all: readonly PluginView[]) =>
        all.map(({ name, state, reason, stats }) =>
          `${name}: ${state} ${reason} in ${stats.framesIn} out ${stats.framesOut}`
        ).join("\n");

      await until(
        async () => (await view()).every(({ state }) => state === "running") || ended,
        "all plugins to run",
        30_000,
      );
      const publisher = await connected(`http://127.0.0.1:${port}/whip/in/whip`, "sendonly");
      peers.push(publisher.pc);
      const packetize = packetizerOf({
        ...{ kind: "video", name: "video0", codec: "vp8", container: "legacy" },
      });
      let at = 0;
      let sequence = 0;
      sending = setInterval(async () => {
        const keyframe = at % 4 === 0;
        const payload = Uint8Array.from([keyframe ? 0 : 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, at++]);
        for (const packet of packetize({ payload, keyframe })) {
          packet.header.sequenceNumber = sequence++;
          packet.header.timestamp = at * 6000;
          await publisher.sender.sendRtp(packet);
        }
      }, 60);

      await until(
        async () => {
          const offered = await fetch(`http://127.0.0.1:${port}/announced`);
          return (await offered.text()).includes("in/whip");
        },
        "the broadcast of WHIP",
        20_000,
      );
      const viewer = await connected(`http://127.0.0.1:${port}/whep/in/whip`, "recvonly");
      peers.push(viewer.pc);

      let last = "";
      await until(
        async () => {
          const all = await view();
          last = told(all);
          return ended ||
            (viewer.packets() > 0 &&
              all.every(({ state, stats }) =>
                state === "running" && stats.framesIn + stats.framesOut > 0
              ));
        },
        "media in every plugin",
        60_000,
      ).catch((error) => {
        throw new Error(`${error.message}, ${viewer.packets()} packets by WHEP\n${last}\n${said}`);
      });
      assert.ok(!ended, said);

      // The relay keeps its certificate and recordings in the state folder.
      await Deno.stat(`${state}/certs/dev.crt`);
      await until(
        () => {
          const files = [...Deno.readDirSync(`${state}/recordings/${made}`)];
          return files.some(({ name }) => name.endsWith(".mp4"));
        },
        "a finished recording",
        20_000,
      );
      await until(
        async () => {
          const lines = (await Deno.readTextFile(`${state}/told`).catch(() => "")).split("\n");
          return ["publish in/whip", `recording_done ${made}`]
            .every((line) => lines.includes(line));
        },
        "the hook's command",
        20_000,
      ).catch(async (error) => {
        throw new Error(`${error.message}\n${await Deno.readTextFile(`${state}/told`)}\n${said}`);
      });
      const kept = await fetch(`http://127.0.0.1:${port}/dvr/in/camera`);
      assert.ok(kept.ok, await kept.text());

      await write("warn");
      relay.kill("SIGHUP");
      await until(() => heard.filter((line) => line === "READY=1").length > 1, "the reload");
      assert.ok(heard.includes("RELOADING=1"));
      await until(() => heard.includes("WATCHDOG=1"), "a sign of life");
      assert.deepEqual((await view()).filter(({ state }) => state !== "running"), []);
      push.abort();
      await pushing;
    } finally {
      push.abort();
      clearInterval(sending);
      for (const pc of peers) await pc.close();
      if (!ended) relay.kill("SIGTERM");
      const { code } = await relay.status;
      await reading;
      manager.close();
      await hearing;
      await Deno.remove(state, { recursive: true });
      assert.equal(code, 0, said);
    }
  },
});
