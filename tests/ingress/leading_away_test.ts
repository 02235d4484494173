/** Playlists and files that lead elsewhere: the plugins `hls` and `file` never connect to an internal address. */
import assert from "node:assert/strict";
import { file } from "../../plugins/ingress/file/mod.ts";
import { hls } from "../../plugins/ingress/hls/mod.ts";
import type { PluginDefinition } from "../../plugins/plugin.ts";
import { MemoryRelay, runPlugin } from "../support/plugin_run.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";

const ignore = !need("ffmpeg").ok;
/** How long to wait for a part that never comes. */
const TIMEOUT = "2s";

/** An internal server with one segment, which counts connections, and an external server whose playlists lead to it. */
async function stand() {
  const dir = await Deno.makeTempDir();
  await new Deno.Command("ffmpeg", {
    args: [
      ...[
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x90:rate=15",
        "-t",
        "2",
      ],
      ...[
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-f",
        "mpegts",
        `${dir}/1.ts`,
      ],
    ],
  }).output();
  const segment = await Deno.readFile(`${dir}/1.ts`);
  const key = new Uint8Array(16).fill(7);
  let connections = 0;
  const inside = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connected = (async () => {
    for await (const conn of inside) {
      connections++;
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${segment.length}\r\n\r\n`;
      try {
        await conn.read(new Uint8Array(4096));
        await new Blob([head, segment]).stream().pipeTo(conn.writable, { preventClose: true });
        conn.close();
      } catch { // It has gone.
      }
    }
  })();
  let playlist = "";
  let given: (string | null)[] = [];
  const outside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/index.m3u8") given = [search, request.headers.get("authorization")];
    if (pathname === "/index.m3u8") return new Response(playlist);
    if (pathname === "/own.ts") return new Response(segment);
    if (pathname === "/own.key") return new Response(key);
    const to = `http://127.0.0.1:${inside.addr.port}/1.ts`;
    return new Response(null, { status: 302, headers: { location: to } });
  });
  return {
    dir,
    internal: inside.addr.port,
    url: `http://127.0.0.1:${outside.addr.port}/index.m3u8`,
    connections: () => connections,
    /** Query and authorization of each request for the playlist. */
    given: () => given,
    says(...lines: string[]) {
      playlist = ["#EXTM3U", ...lines, ""].join("\n");
    },
    async [Symbol.asyncDispose]() {
      inside.close();
      await connected;
      await outside.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Runs a plugin until it fails or has published something. @param during Called then. */
async function run(
  definition: PluginDefinition,
  options: Record<string, unknown>,
  during?: () => Promise<void>,
) {
  await using at = new MemoryRelay();
  const run = await runPlugin(definition.create(), at, { broadcast: "cam", ...options });
  let over = false;
  const failure = run.done.then(() => "", (error) => String(error)).finally(() => over = true);
  await until(() => over || run.ctx.stats.framesIn > 10, "its end or media", 30_000);
  await during?.();
  await run.end();
  return { frames: run.ctx.stats.framesIn, failure: await failure };
}

const SEGMENT = ["#EXT-X-TARGETDURATION:2", "#EXTINF:2,"];
const END = "#EXT-X-ENDLIST";

Deno.test({
  name: "hls goes to no internal address for a segment, however the address is written",
  ignore,
  async fn() {
    await using at = await stand();
    const { internal } = at;
    const hosts = ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"];
    const addresses = [
      ...hosts.map((host) => `http://${host}:${internal}/1.ts`),
      ...["httpproxy", "crypto+http"].map((scheme) => `${scheme}://127.0.0.1:${internal}/1.ts`),
      ...["/redirect.ts", `concat:${at.dir}/1.ts`, `file://${at.dir}/1.ts`],
    ];
    for (const address of addresses) {
      at.says(...SEGMENT, address, END);
      const one = await run(hls, { url: at.url, timeout: TIMEOUT });
      assert.equal(at.connections(), 0, address);
      assert.equal(one.frames, 0, address);
      assert.match(one.failure, /Cannot publish the playlist/);
    }
  },
});

Deno.test({
  name:
    "hls goes to no internal address for a key, an init section or another playlist, unless it is named",
  ignore,
  async fn() {
    await using at = await stand();
    const away = `http://127.0.0.1:${at.internal}`;
    const playlists = [
      [`#EXT-X-KEY:METHOD=AES-128,URI="${away}/key"`, ...SEGMENT, "own.ts", END],
      [`#EXT-X-KEY:METHOD=AES-128,URI=${away}/key`, ...SEGMENT, "own.ts", END],
      [`#EXT-X-MAP:URI="${away}/init.mp4"`, ...SEGMENT, "own.ts", END],
      ["#EXT-X-STREAM-INF:BANDWIDTH=1", `${away}/next.m3u8`],
      [
        `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="${away}/sound.m3u8"`,
        ...['#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"', `${away}/next.m3u8`],
      ],
    ];
    for (const playlist of playlists) {
      at.says(...playlist);
      const { failure } = await run(hls, { url: at.url, timeout: TIMEOUT });
      assert.equal(at.connections(), 0, playlist.join("\n"));
      assert.match(failure, /Cannot publish the playlist/);
    }
    at.says(...SEGMENT, `${away}/1.ts`, END);
    const refused = await run(hls, { url: at.url, timeout: TIMEOUT });
    assert.match(refused.failure, /127\.0\.0\.1: the address is not public; name 127\.0\.0\.1 in/);
    assert.equal(at.connections(), 0);
    // The same is fetched where the configuration says so.
    const named = { url: at.url, private_hosts: [`127.0.0.1:${at.internal}`] };
    assert.ok((await run(hls, named)).frames > 10);
    assert.ok(at.connections() > 0);
  },
});

Deno.test({
  name: "hls shows neither password nor query of its address to who lists processes, and uses both",
  ignore: ignore || Deno.build.os !== "linux",
  async fn() {
    await using at = await stand();
    at.says(...SEGMENT, "own.ts"); // a playlist that goes on
    const url = new URL(at.url);
    [url.username, url.password, url.search] = ["me", "s3cret-1", "?token=s3cret-2"];
    const { frames } = await run(hls, { url: url.href }, async () => {
      const { stdout } = await new Deno.Command("ps", { args: ["-eo", "ppid,args"] }).output();
      const ours = new TextDecoder().decode(stdout).split("\n")
        .filter((line) => line.trim().startsWith(`${Deno.pid} `) && line.includes("-f hls"));
      assert.equal(ours.length, 1);
      assert.doesNotMatch(ours[0]!, /s3cret|127\.0\.0\.1/);
    });
    assert.ok(frames > 10);
    assert.deepEqual(at.given(), ["?token=s3cret-2", `Basic ${btoa("me:s3cret-1")}`]);
  },
});

Deno.test({
  name: "file plays no playlist, script or list of other files, whatever it is called",
  ignore,
  async fn() {
    await using at = await stand();
    const away = `http://127.0.0.1:${at.internal}/1.ts`;
    const crafted: Record<string, string> = {
      "list.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${away}\n#EXT-X-ENDLIST\n`,
      "local.ts": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n#EXT-X-ENDLIST\n",
      "script.mkv": "ffconcat version 1.0\nfile '1.ts'\n",
      "dash.mp4":
        `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>${away}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      "session.mov":
        `v=0\nc=IN IP4 127.0.0.1\nm=video ${at.internal} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    };
    for (const [name, text] of Object.entries(crafted)) {
      await Deno.writeTextFile(`${at.dir}/${name}`, text);
      const { frames, failure } = await run(file, { path: `${at.dir}/${name}`, loop: false });
      assert.equal(frames, 0, name);
      assert.match(failure, new RegExp(name.replace(".", "\\.")));
      assert.equal(at.connections(), 0, name);
    }
    assert.ok((await run(file, { path: `${at.dir}/1.ts`, audio: "none" })).frames > 10);
  },
});
