/**
 * `moq`, the command line of moq-dev in Rust, through this relay: its publisher with our `sub`, our `pub` with its
 * exporter, in each version. Only where it is installed.
 */
import assert from "node:assert/strict";
import { LITE_VERSIONS } from "../../wire/versions.ts";
import { probe } from "../support/fixtures/ffmpeg_fixtures.ts";
import { optional } from "../support/optional.ts";
import { type RelayProgram, start, startRelay } from "../support/program.ts";
import { testMedia } from "../support/media/test_media.ts";
import { until } from "../support/server.ts";
import { need } from "../support/require.ts";

const moq = optional("moq");
const ignore = !moq.ok || !need("ffmpeg").ok;
const AAC = "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a aac";

/** Runs `moq` in one version, its input and output at hand. */
function runMoq(url: string, version: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(moq.path!, {
    args: ["--connect", url, "--connect-version", version, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

async function sessionsAt({ adminUrl }: RelayProgram): Promise<number> {
  const answer = await fetch(`${adminUrl}/api/v1/sessions`);
  return (await answer.json() as { sessions: unknown[] }).sessions.length;
}

Deno.test({
  name: "sub receives what moq publishes, in every version of moq-lite",
  ignore,
  async fn() {
    await using relay = await startRelay();
    await using running = new AsyncDisposableStack();
    const subs = LITE_VERSIONS.map((version) => ({
      version,
      sub: running.use(start(["sub", relay.url, "-b", `${version}.hang`, "--json"])),
    }));
    // The media is live: who is not here when it begins misses its beginning, and on a busy machine all of it.
    await until(
      async () => await sessionsAt(relay) === LITE_VERSIONS.length,
      "each sub at the relay",
      60_000,
    );
    await Promise.all(subs.map(async ({ version, sub }) => {
      await using media = testMedia({ seconds: 3, size: "320x180", codecs: AAC });
      const name = ["--broadcast", `${version}.hang`];
      const publisher = runMoq(relay.url, version, [...name, "import", "fmp4"]);
      await media.stdout.pipeTo(publisher.stdin);
      const [{ code }] = await Promise.all([publisher.status, publisher.stdout.cancel()]);
      assert.equal(code, 0, version);
      assert.equal(await sub.ended(), 0, `${version}: ${sub.output()}`);
      const { frames, lost } = JSON.parse(sub.output().trim().split("\n").at(-1)!);
      assert.equal(lost, 0, version);
      assert.ok(frames > 60, `${version}: ${frames} frames`);
    }));
  },
});

Deno.test({
  name: "moq exports every picture that pub publishes, in every version of moq-lite",
  ignore,
  async fn() {
    await using relay = await startRelay();
    await Promise.all(LITE_VERSIONS.map(async (version) => {
      const name = ["--broadcast", `${version}.hang`];
      const exporter = runMoq(relay.url, version, [...name, "export", "fmp4"]);
      await exporter.stdin.close();
      const file = new Response(exporter.stdout).bytes();
      await using media = testMedia({ seconds: 3, size: "320x180" });
      await using pub = start(["pub", relay.url, ...name], { stdin: media.stdout });
      assert.equal(await pub.ended(), 0, pub.output());
      assert.equal((await exporter.status).code, 0, version);
      const packets = await probe(await file);
      const video = packets.filter(({ streamIndex }) => streamIndex === 0);
      assert.equal(video.length, 90, version);
      // Its exporter skips sound that is late, on a busy machine more of it.
      assert.ok(packets.length - video.length > 20, version);
    }));
  },
});

Deno.test({
  name: "moq exports by the MSF catalog what pub publishes: each rendition once",
  ignore,
  async fn() {
    await using relay = await startRelay();
    const name = ["--broadcast", "demo"];
    const msf = ["export", "--catalog-format", "msf", "fmp4"];
    const exporter = runMoq(relay.url, LITE_VERSIONS[1], [...name, ...msf]);
    await exporter.stdin.close();
    const file = new Response(exporter.stdout).bytes();
    await using media = testMedia({ seconds: 3, size: "320x180" });
    await using pub = start(["pub", relay.url, ...name], { stdin: media.stdout });
    assert.equal(await pub.ended(), 0, pub.output());
    assert.equal((await exporter.status).code, 0);
    const packets = await probe(await file);
    assert.equal(Math.max(...packets.map(({ streamIndex }) => streamIndex)), 1);
    assert.equal(packets.filter(({ streamIndex }) => streamIndex === 0).length, 90);
  },
});
