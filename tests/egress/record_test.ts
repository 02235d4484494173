/** The plugin `record`: files that ffprobe reads, whatever happens to broadcast, disk and program. */
import assert from "node:assert/strict";
import { record, recordBy } from "../../plugins/egress/record/mod.ts";
import type { OpenNew } from "../../plugins/egress/record/files.ts";
import { MemoryRelay, type PluginRun, runPlugin } from "../support/plugin_run.ts";
import { probe, publishMedia } from "../support/media/publish_media.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";

const ignore = !need("ffmpeg").ok;

/** A relay with a client that publishes, and a directory for recordings. */
async function withRelay(
  work: (at: MemoryRelay, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  try {
    await using at = new MemoryRelay();
    await work(at, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function filesOf(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) found.push(...await filesOf(path));
    else found.push(path);
  }
  return found.sort();
}

/** A disk that is full after so many bytes. */
function fullAfter(bytes: number): OpenNew {
  let left = bytes;
  return async (path) => {
    const file = await Deno.open(path, { write: true, createNew: true });
    return {
      async write(data) {
        if (left === 0) {
          throw Object.assign(new Error("No space left on device (os error 28)"), {
            code: "ENOSPC",
          });
        }
        const written = await file.write(data.subarray(0, left));
        left -= written;
        return written;
      },
      truncate: (length) => file.truncate(length),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  };
}

Deno.test({
  name:
    "record rotates at keyframes, finishes the last file with the broadcast, and loses no frame",
  ignore,
  fn: () =>
    withRelay(async (at, directory) => {
      await using client = await at.client();
      const options = { broadcasts: ["live/*"], directory, rotate_after: "1s" };
      const run = await runPlugin(record.create(), at, options);
      await using media = publishMedia(client, "live/cam", { seconds: 4 });
      await using other = publishMedia(client, "private", { seconds: 1 });
      await Promise.all([media.ended, other.ended]);
      await until(
        async () => {
          const files = await filesOf(directory);
          return files.length > 3 && files.every((path) => path.endsWith(".mp4"));
        },
        "all files finished",
        20_000,
      );
      await run.end();
      const files = await filesOf(directory);
      assert.ok(files.every((path) => path.startsWith(`${directory}/live/cam/2`)), files.join());
      const found = await Promise.all(files.map((path) => probe(path)));
      const video = found.reduce((sum, { frames }) => sum + frames.h264!, 0);
      const audio = found.reduce((sum, { frames }) => sum + (frames.aac ?? 0), 0);
      assert.equal(video, 120);
      assert.ok(audio > 170, `${audio} of 188 frames of sound`);
      for (const { seconds } of found.slice(0, -1)) assert.ok(seconds > 0.9 && seconds < 1.3);
      assert.equal(run.ctx.stats.skipped, 0);
    }),
});

Deno.test({
  name:
    "a disk that is full fails the plugin with its reason; what was stored stays, and it goes on when there is room",
  ignore,
  fn: () =>
    withRelay(async (at, directory) => {
      await using client = await at.client();
      await using _media = publishMedia(client, "cam");
      const options = { directory, fragment: "200ms" };
      const failed = await runPlugin(recordBy(fullAfter(100_000)).create(), at, options);
      await assert.rejects(failed.done, {
        code: "QUMO_RECORD_FAILED",
        message: /^Cannot record to .*cam.*\.mp4: No space left on device/,
      });
      await failed.end();
      const [file, ...others] = await filesOf(directory);
      assert.deepEqual(others, []);
      assert.ok((await Deno.stat(file!)).size <= 100_000);
      const stored = await probe(file!);
      assert.ok(stored.frames.h264! > 5);

      const stillFull = await runPlugin(recordBy(fullAfter(0)).create(), at, options);
      await assert.rejects(stillFull.done, { code: "QUMO_RECORD_FAILED" });
      await stillFull.end();
      assert.deepEqual(await filesOf(directory), [file]);

      const again: PluginRun = await runPlugin(record.create(), at, options);
      await until(() => again.ctx.stats.framesOut > 60, "frames");
      await again.end();
      const [, next] = await filesOf(directory);
      assert.ok((await probe(next!)).frames.h264! > 10);
      assert.deepEqual(await probe(file!), stored);
    }),
});

Deno.test({
  name:
    "what a crash has left unfinished is cut behind its last whole fragment; retention removes only its own files",
  ignore,
  fn: () =>
    withRelay(async (at, directory) => {
      await using client = await at.client();
      await using media = publishMedia(client, "cam", { seconds: 2 });
      const run = await runPlugin(record.create(), at, { directory, fragment: "200ms" });
      await media.ended;
      await until(
        async () => (await filesOf(directory)).some((path) => path.endsWith(".mp4")),
        "a file",
        20_000,
      );
      await run.end();
      const [file] = await filesOf(directory);
      const whole = await probe(file!);
      const { size } = await Deno.stat(file!);
      await Deno.rename(file!, `${file}.part`);
      await Deno.truncate(`${file}.part`, size - 100);
      await Deno.writeTextFile(file!.replace(".mp4", "-1.mp4.part"), "nothing yet");
      await Deno.writeTextFile(`${directory}/mine.mp4`, "x".repeat(1000));

      const second = await runPlugin(record.create(), at, { directory });
      await until(async () => (await filesOf(directory)).every((p) => p.endsWith("4")), "recovery");
      await second.end();
      assert.deepEqual(await filesOf(directory), [file, `${directory}/mine.mp4`]);
      const kept = await probe(file!);
      assert.ok(kept.frames.h264! > 20 && kept.frames.h264! <= whole.frames.h264!);

      const third = await runPlugin(record.create(), at, { directory, max_bytes: 1000 });
      await until(async () => (await filesOf(directory)).length === 1, "retention");
      await third.end();
      assert.deepEqual(await filesOf(directory), [`${directory}/mine.mp4`]);
    }),
});
