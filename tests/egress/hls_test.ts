/** The plugin `hls` at a whole relay: playlists, blocking requests for parts, tokens, ffmpeg and hls.js in Chromium. */
import assert from "node:assert/strict";
import { generateKey, keyJson } from "../../server/auth/keys/make_key.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { signToken } from "../../server/auth/token.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { bundleOutside } from "../outside/run.ts";
import type { HlsPage } from "../support/pages/hls_page.ts";
import { bundleForPage, loadInPage } from "../support/pages/page_bundle.ts";
import { probe, publishMedia } from "../support/media/publish_media.ts";
import { need } from "../support/require.ts";
import { launch, type Launched, type LaunchOptions, until } from "../support/server.ts";
import { changedFields } from "../support/pages/watch_page.ts";

const ignore = !need("ffmpeg").ok;

async function withHls(options: Record<string, unknown> = {}, launching: LaunchOptions = {}) {
  const yaml = JSON.stringify({
    plugins: [{
      name: "hls",
      kind: "egress",
      plugin: "hls",
      options: { segment: "1s", part: "250ms", ...options },
    }],
  });
  const relay = await launch({ ...launching, yaml });
  await until(async () => {
    const { state } = await relay.api<{ state: string }>("/api/v1/plugins/hls");
    return state === "running";
  }, "the plugin");
  return relay;
}

const base = (relay: Launched) => `http://127.0.0.1:${relay.port}/hls`;

/** Asks until the broadcast has reached the plugin. */
async function master(relay: Launched, path: string): Promise<string> {
  let text = "";
  await until(
    async () => {
      const answer = await fetch(`${base(relay)}/${path}`);
      text = await answer.text();
      return answer.status === 200;
    },
    `${path}: ${text}`,
    30_000,
  );
  return text;
}

const linesOf = (text: string, start: string) =>
  text.split("\n").filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));

Deno.test({
  name: "hls serves renditions of the catalog, parts before they are there, and the end",
  ignore,
  async fn() {
    await using relay = await withHls({ linger: "0s" });
    await using client = await relay.client();
    const at = `${base(relay)}/live/cam`;
    assert.equal((await fetch(`${at}/master.m3u8`)).status, 404);
    const media = publishMedia(client, "live/cam");
    try {
      const top = await master(relay, "live/cam/master.m3u8");
      assert.match(
        top,
        /#EXT-X-STREAM-INF:BANDWIDTH=\d{5,},AVERAGE-BANDWIDTH=\d{5,},CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",RESOLUTION=320x180,FRAME-RATE=30\.000,AUDIO="mp4a\.40\.2"\nvideo/,
      );
      assert.match(top, /#EXT-X-MEDIA:TYPE=AUDIO,.*CHANNELS="2",URI="audio.*\/media\.m3u8"/);
      const video = /^(video.*)\/media\.m3u8$/m.exec(top)![1]!;
      const playlist = async (query = "") =>
        await (await fetch(`${at}/${video}/media.m3u8${query}`)).text();
      const first = await playlist();
      assert.match(first, /#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0\.750/);
      assert.match(first, /#EXT-X-PROGRAM-DATE-TIME:20/);
      for (const part of linesOf(first, "#EXT-X-PART:DURATION=")) {
        assert.ok(parseFloat(part) > 0 && parseFloat(part) <= 0.25, part);
      }

      // The part of the preload hint, and the playlist that has it.
      const [hint] = linesOf(first, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=");
      const [, name, sequence, part] = /"((\d+)\.(\d+)\.m4s)"/.exec(hint!)!;
      const [bytes, later] = await Promise.all([
        fetch(`${at}/${video}/${name}`).then(async (answer) =>
          [answer, await answer.bytes()] as const
        ),
        playlist(`?_HLS_msn=${sequence}&_HLS_part=${part}`),
      ]);
      assert.equal(bytes[0].status, 200);
      assert.equal(bytes[0].headers.get("content-type"), "video/mp4");
      assert.equal(bytes[0].headers.get("access-control-allow-origin"), "*");
      assert.match(bytes[0].headers.get("cache-control")!, /^public, max-age=3600/);
      assert.equal(new TextDecoder().decode(bytes[1].subarray(4, 8)), "moof");
      assert.ok(later.includes(`URI="${name}"`) && !later.includes(`PART,URI=${hint}`));
      const whole = await playlist(`?_HLS_msn=${sequence}`);
      assert.match(whole, new RegExp(`^${sequence}\\.m4s$`, "m"));
      // A segment is its parts, one behind another.
      const parts = [...whole.matchAll(new RegExp(`"(${sequence}\\.\\d+\\.m4s)"`, "g"))];
      const pieces = await Promise.all(
        parts.map(async ([, uri]) => (await fetch(`${at}/${video}/${uri}`)).bytes()),
      );
      const segment = await (await fetch(`${at}/${video}/${sequence}.m4s`)).bytes();
      assert.deepEqual(segment.length, pieces.reduce((sum, piece) => sum + piece.length, 0));

      for (
        const [wrong, status] of [
          [`${video}/media.m3u8?_HLS_msn=1e9`, 400],
          [`${video}/media.m3u8?_HLS_msn=99999999999`, 400],
          [`${video}/1.m4s`, 404],
          [`${video}/../../x`, 404],
          ["nothing/media.m3u8", 404],
        ] as const
      ) assert.equal((await fetch(`${at}/${wrong}`)).status, status, wrong);
      const preflight = await fetch(`${at}/master.m3u8`, { method: "OPTIONS" });
      assert.equal(preflight.status, 204);
      assert.match(preflight.headers.get("access-control-allow-headers")!, /authorization/);
    } finally {
      await media[Symbol.asyncDispose]();
    }
    await until(async () => {
      const text = await (await fetch(`${at}/master.m3u8`)).text();
      const video = /^(video.*)\/media\.m3u8$/m.exec(text)![1]!;
      return (await (await fetch(`${at}/${video}/media.m3u8`)).text()).includes("#EXT-X-ENDLIST");
    }, "the end");
    // The rest can be played as a recording.
    const { frames } = await probe(`${at}/master.m3u8`);
    assert.ok(frames.h264! > 25 && frames.aac! > 25, JSON.stringify(frames));
  },
});

Deno.test({
  name: "hls plays in hls.js: time goes on, the picture moves, behind live by little",
  ignore: ignore || !need("chromium").ok,
  async fn() {
    await using relay = await withHls();
    await using client = await relay.client();
    await using _media = publishMedia(client, "cam");
    await master(relay, "cam/master.m3u8");
    await using chromium = await launchChromium(["--autoplay-policy=no-user-gesture-required"]);
    const page = await chromium.page();
    await page.evaluate(`(async () => {
      const script = new Blob([${
      JSON.stringify(await bundleOutside("hls.js"))
    }], { type: "text/javascript" });
      globalThis.Hls = (await import(URL.createObjectURL(script))).default;
    })()`);
    const script = await bundleForPage(new URL("../support/pages/hls_page.ts", import.meta.url));
    const player = await loadInPage<HlsPage>(page, script, "hlsPage");
    await player.play(`${base(relay)}/cam/master.m3u8`);
    const playing = async () => await player.state();
    await until(async () => (await playing()).frames > 10, "the first frames", 30_000);
    const before = await playing();
    const shown = Uint8Array.from(await player.picture());
    await until(async () => (await playing()).seconds > before.seconds + 2, "2 s of it", 30_000);
    const after = await playing();
    assert.ok(changedFields(shown, Uint8Array.from(await player.picture())) >= 10);
    assert.ok(after.lowLatency && after.audioTracks === 1, JSON.stringify(after));
    assert.deepEqual(after.failures.filter((text) => text.startsWith("fatal")), []);
    assert.ok(after.behindMs > 0, `${after.behindMs} ms`);
  },
});

Deno.test({
  name: "hls asks for a token, and carries it into the playlists",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
    const key = await generateKey({ alg: "HS256" });
    await Deno.writeTextFile(`${dir}/key.jwk`, JSON.stringify(keyJson(key)));
    try {
      await using relay = await withHls({ path: "/tv" }, {
        flags: { "auth.key_file": `${dir}/key.jwk` },
      });
      const tokenOf = (publish: string[], subscribe: string[]) => {
        const [to, from] = [publish, subscribe].map((list) => list.map((p) => Pattern.parse(p)));
        return signToken({ root: "", publish: to!, subscribe: from! }, key);
      };
      await using client = await relay.client("moqt", { token: await tokenOf(["**"], []) });
      await using _media = publishMedia(client, "live/cam");
      const [good, other] = [await tokenOf([], ["live/*"]), await tokenOf([], ["else"])];
      const at = `http://127.0.0.1:${relay.port}/tv/live/cam`;
      let top = "";
      await until(async () => {
        const answer = await fetch(`${at}/master.m3u8?jwt=${good}`);
        top = await answer.text();
        return answer.status === 200;
      }, "the playlist");
      const addresses = [...top.matchAll(/URI="([^"]+)"|^(\w.*)$/gm)].map(([, a, b]) => a ?? b!);
      assert.equal(addresses.length, 2);
      for (const address of addresses) {
        assert.ok(address.endsWith(`?jwt=${good}`), address);
        const media = await (await fetch(`${at}/${address}`)).text();
        const [init] = linesOf(media, "#EXT-X-MAP:URI=");
        const answer = await fetch(new URL(JSON.parse(init!), `${at}/${address}`));
        assert.equal(answer.status, 200);
        assert.match(answer.headers.get("cache-control")!, /^private/);
        await answer.body?.cancel();
      }
      for (const query of ["", `?jwt=${other}`, "?jwt=nonsense"]) {
        for (const file of ["master.m3u8", "video0/media.m3u8", "video0/1.m4s"]) {
          assert.equal((await fetch(`${at}/${file}${query}`)).status, 403, `${file} ${query}`);
        }
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
