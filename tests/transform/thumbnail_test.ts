import assert from "node:assert/strict";
import { thumbnail, THUMBNAIL_TRACK } from "../../plugins/transform/thumbnail/mod.ts";
import { Pictures } from "../../plugins/transform/thumbnail/pictures.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { launch, until } from "../support/server.ts";
import { need } from "../support/require.ts";
import { decodedFile, ENCODED, TransformTest } from "../support/media/transform_run.ts";

const ignore = !need("ffmpeg").ok;
/** From black to white within some seconds. */
const FADE = "-re -f lavfi -i color=white:size=640x360:rate=30,fade=in:0:200";

Deno.test({
  name: "thumbnail publishes JPEGs as a track, and they follow the picture",
  ignore,
  async fn() {
    await using test = new TransformTest();
    await using _ = await test.source("cam", `${FADE} ${ENCODED}`);
    const run = await test.run(thumbnail, { input: "cam", every: "0s", width: 160 });
    const live = await (await test.lives("cam-thumbnail", run))();
    const client = await test.at.client();
    const track = client.subscribe(live.path, THUMBNAIL_TRACK, { ordered: true });
    const brightness: number[] = [];
    for (let group; brightness.length < 4 && (group = await track.group()) !== undefined;) {
      const frame = await group.frame();
      const picture = await decodedFile(frame!.payload.slice(), ["-f", "jpeg_pipe"]);
      assert.deepEqual([picture.width, picture.height], [160, 90]);
      brightness.push(picture.at(80, 45));
      assert.equal(await group.frame(), undefined);
    }
    assert.ok(brightness[3]! > brightness[0]! + 5, `${brightness}`);
    assert.ok(run.ctx.stats.latencyMs > 0);
    track.close();
    await client.close();
  },
});

Deno.test({
  name: "thumbnail answers GET /thumbnail/NAME.jpg of a whole relay",
  ignore,
  async fn() {
    const camera = { device: "test", width: 320, height: 180, framerate: 15 };
    const plugins = [
      { name: "cam", plugin: "camera", options: { broadcast: "rooms/1", ...camera } },
      { name: "stills", plugin: "thumbnail", options: { input: "rooms/*", every: "1s" } },
    ];
    await using relay = await launch({ yaml: `plugins: ${JSON.stringify(plugins)}\n` });
    const url = `http://127.0.0.1:${relay.port}/thumbnail/rooms`;
    let answer: Response | undefined;
    await until(
      async () => {
        answer = await fetch(`${url}/1.jpg`);
        if (answer.ok) return true;
        await answer.body?.cancel();
        return false;
      },
      "a picture",
      30_000,
    );
    assert.equal(answer!.headers.get("content-type"), "image/jpeg");
    const picture = await decodedFile(await answer!.bytes(), ["-f", "jpeg_pipe"]);
    assert.deepEqual([picture.width, picture.height], [320, 180]);
    for (const [path, status] of [["2.jpg", 404], ["1.png", 404], ["1", 404]] as const) {
      const other = await fetch(`${url}/${path}`);
      await other.body?.cancel();
      assert.equal(other.status, status, path);
    }
  },
});

Deno.test("a thumbnail is given to those who may watch its broadcast", async () => {
  const allowed = (request: Request) =>
    Promise.resolve(new URL(request.url).searchParams.get("jwt") === "good");
  const pictures = new Pictures({ mayRead: allowed, clock: new ManualClock() }, "/stills/", 5000);
  pictures.keep("a b/c", Uint8Array.of(1, 2, 3));
  const ask = (path: string, init?: RequestInit) =>
    pictures.answer(new Request(`http://relay.example${path}`, init));
  assert.equal((await ask("/stills/a%20b/c.jpg")).status, 403);
  assert.equal((await ask("/stills/none.jpg")).status, 403);
  assert.equal((await ask("/stills/none.jpg?jwt=good")).status, 404);
  assert.equal((await ask("/stills/%ff.jpg?jwt=good")).status, 404);
  assert.equal((await ask("/stills/a%20b/c.jpg?jwt=good", { method: "PUT" })).status, 405);
  assert.equal((await ask("/stills/a%20b/c.jpg", { method: "OPTIONS" })).status, 204);
  const found = await ask("/stills/a%20b/c.jpg?jwt=good");
  assert.deepEqual([found.status, ...await found.bytes()], [200, 1, 2, 3]);
  const etag = { "if-none-match": found.headers.get("etag")! };
  assert.equal((await ask("/stills/a%20b/c.jpg?jwt=good", { headers: etag })).status, 304);
  const head = await ask("/stills/a%20b/c.jpg?jwt=good", { method: "HEAD" });
  assert.equal((await head.bytes()).length, 0);
  pictures.forget("a b/c");
  assert.equal((await ask("/stills/a%20b/c.jpg?jwt=good")).status, 404);
});
