/** Several qualities from the publish page: one catalog lists them, each is decoded, and viewers change between them. */
import { FAKE_DEVICES, stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import { type Client, connect } from "../../client/mod.ts";
import { PICTURES, site } from "../support/pages/embed_page.ts";
import { need } from "../support/require.ts";
import { udpPath } from "../support/peers/udp_path.ts";
import { until } from "../support/server.ts";
import { goLive } from "../support/pages/watch_page.ts";

const ignore = !need("chromium").ok;

interface Rendition {
  readonly codec: string;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly bitrate: number;
}

async function catalogOf(client: Client, broadcast: string): Promise<Record<string, Rendition>> {
  for await (const group of client.subscribe(broadcast, "catalog.json")) {
    const frame = await group.frame();
    group.close();
    return JSON.parse(new TextDecoder().decode(frame!.payload)).video.renditions;
  }
  throw new Error("the catalog has ended");
}

/** Times of the keyframes that begin some groups. */
async function keyframes(client: Client, broadcast: string, track: string, count: number) {
  const times: number[] = [];
  for await (const group of client.subscribe(broadcast, track)) {
    times.push((await group.frame())!.timestamp!);
    group.close();
    if (times.length === count) break;
  }
  return times;
}

Deno.test({
  name:
    "a camera goes live in three qualities: one catalog, the same keyframes, and each is decoded",
  ignore,
  async fn() {
    await using made = await stage({ switches: FAKE_DEVICES });
    const { relay, browser } = made;
    const page = await browser.newPage();
    await page.goto(`${relay.url}#/publish`);
    await goLive(page, { name: "several", source: "camera", lines: 540 });
    await using client = await connect(relay.url);
    const renditions = await catalogOf(client, "several");
    const tracks = Object.keys(renditions);
    assert.deepEqual(tracks, ["video0", "video1", "video2"]);
    const sizes = Object.values(renditions).map((r) => [r.codedWidth, r.codedHeight]);
    assert.deepEqual(sizes, [[960, 540], [640, 360], [320, 180]]);
    const bitrates = Object.values(renditions).map((r) => r.bitrate);
    assert.deepEqual([...bitrates].sort((a, b) => b - a), bitrates);
    assert.equal(new Set(Object.values(renditions).map((r) => r.codec)).size, 1);

    const times = await Promise.all(tracks.map((track) => keyframes(client, "several", track, 2)));
    const shared = times[0]!.filter((time) => times.every((each) => each.includes(time)));
    assert.ok(shared.length > 0, `no keyframe in common: ${JSON.stringify(times)}`);

    await using host = site(
      `<!doctype html><script type="module" src="${relay.url}embed.js"></script>
      <qumo-watch src="${relay.url}" broadcast="several" muted autoplay></qumo-watch>`,
    );
    const viewer = await browser.newPage();
    await viewer.goto(host.origin);
    for (const [i, track] of tracks.entries()) {
      await viewer.evaluate(`document.querySelector("qumo-watch").quality = "${track}"`);
      const height = () => viewer.evaluate('document.querySelector("qumo-watch").videoHeight');
      await until(async () => await height() === sizes[i]![1], `${track} to be shown`);
      assert.ok(await viewer.evaluate(PICTURES) as number >= 5, `${track} does not move`);
    }
    // On a phone the bar has no room for one row, and still hides nothing.
    await viewer.setViewportSize({ width: 320, height: 600 });
    const right = await viewer.evaluate(`(() => {
      const player = document.querySelector("qumo-watch");
      player.setAttribute("controls", "");
      const controls = [...player.shadowRoot.querySelectorAll("button, select, input")];
      return new Promise((resolve) => requestAnimationFrame(() =>
        resolve(controls.map((each) => each.getBoundingClientRect().right))));
    })()`) as number[];
    assert.equal(right.length, 5);
    assert.ok(right.every((x) => x > 0 && x <= 320), `${right}`);
  },
});

Deno.test({
  name: "a publisher whose encoders cannot keep up gives up its best quality, says so, and goes on",
  ignore,
  async fn() {
    await using made = await stage({ switches: FAKE_DEVICES });
    const { relay, browser } = made;
    const page = await browser.newPage();
    // Simulates a slow device: its best encoder has no room for half of the frames.
    await page.addInitScript(`
      const queued = Object.getOwnPropertyDescriptor(VideoEncoder.prototype, "encodeQueueSize");
      const { configure } = VideoEncoder.prototype;
      const slow = new WeakMap();
      VideoEncoder.prototype.configure = function (config) {
        if (config.height === 360) slow.set(this, 0);
        return configure.call(this, config);
      };
      Object.defineProperty(VideoEncoder.prototype, "encodeQueueSize", {
        get() {
          if (!slow.has(this)) return queued.get.call(this);
          slow.set(this, slow.get(this) + 1);
          return slow.get(this) % 2 === 0 ? 9 : 0;
        },
      });
    `);
    await page.goto(`${relay.url}#/publish`);
    await goLive(page, { name: "slow", source: "pattern", lines: 360 });
    await page.getByText("360p was dropped, smaller qualities go on").waitFor();
    await using client = await connect(relay.url);
    const renditions = await catalogOf(client, "slow");
    assert.deepEqual(Object.keys(renditions), ["video1"]);
    assert.equal((await keyframes(client, "slow", "video1", 1)).length, 1);
    assert.equal(await page.locator("#publish-state[data-kind=live]").count(), 1);
  },
});

/** Answers, on the TCP port of a path, the player's question before it dials: the certificate to pin. */
function certificateAt(port: number, hash: string): AsyncDisposable {
  const headers = { "access-control-allow-origin": "*" };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen() {} },
    (request) =>
      new URL(request.url).pathname === "/certificate.sha256"
        ? new Response(hash, { headers })
        : new Response("", { status: 404, headers }),
  );
  return { [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test({
  name:
    "a viewer whose connection becomes narrow gets a smaller quality, and a better one when it is wide again",
  ignore,
  async fn() {
    await using made = await stage({ switches: FAKE_DEVICES });
    const { relay, browser } = made;
    const page = await browser.newPage();
    await page.goto(`${relay.url}#/publish`);
    await goLive(page, { name: "several", source: "pattern", lines: 360 });
    await using path = udpPath(relay.port);
    await using _certificate = certificateAt(path.port, relay.hash);
    await using host = site(
      `<!doctype html><script type="module" src="${relay.url}embed.js"></script>
      <qumo-watch src="http://127.0.0.1:${path.port}/" broadcast="several" muted autoplay
        style="width: 640px"></qumo-watch>`,
    );
    const viewer = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    await viewer.goto(host.origin);
    const shows = (track: string) =>
      until(
        async () => {
          const { rendition, height } = await viewer.evaluate(`(() => {
          const { rendition, videoHeight } = document.querySelector("qumo-watch");
          return { rendition, height: videoHeight };
        })()`) as { rendition?: string; height: number };
          return track === rendition && height === HEIGHTS[track];
        },
        `${track} to be shown`,
        90_000,
      );
    await shows("video0");
    assert.ok(await viewer.evaluate(PICTURES) as number >= 5, "the best one does not move");
    path.narrow(250_000);
    await shows("video1");
    path.narrow();
    await shows("video0");
    assert.ok(await viewer.evaluate(PICTURES) as number >= 5, "the best one does not move again");
  },
});

const HEIGHTS: Readonly<Record<string, number>> = { video0: 360, video1: 180 };
