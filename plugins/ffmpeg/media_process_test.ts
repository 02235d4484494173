import assert from "node:assert/strict";
import { need } from "../../tests/support/require.ts";
import { Complaints } from "./complaints.ts";
import { FfmpegFailed, FfmpegMissing } from "./errors.ts";
import { MediaProcess } from "./media_process.ts";
import { LIVE_FMP4, videoCodec } from "./output.ts";

const ignore = !need("ffmpeg").ok;

Deno.test({
  name: "MediaProcess feeds ffmpeg with backpressure, reads what it writes, and waits for its end",
  ignore,
  async fn() {
    await using process = MediaProcess.start({
      args: ["-f", "u8", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-f", "u8", "pipe:1"],
      input: true,
    });
    const reading = new Response(process.stdout).bytes();
    for (let i = 0; i < 50; i++) await process.write(new Uint8Array(10_000).fill(128));
    await process.endInput();
    assert.equal((await reading).length, 500_000);
    await process.done();
  },
});

Deno.test({
  name: "MediaProcess ends with its signal, also when ffmpeg is busy and nobody reads",
  ignore,
  async fn() {
    const over = new AbortController();
    const args = ["-f", "lavfi", "-i", "testsrc2", ...videoCodec("h264"), ...LIVE_FMP4];
    const process = MediaProcess.start({ args, signal: over.signal, graceMs: 300 });
    const reader = process.stdout.getReader();
    assert.equal((await reader.read()).done, false);
    over.abort();
    await process.ended;
    await reader.cancel();
    assert.throws(() => MediaProcess.start({ args, signal: over.signal }), { name: "AbortError" });
  },
});

Deno.test({
  name: "a failure says why in ffmpeg's words, without the password of the URL",
  ignore,
  async fn() {
    const url = "rtsp://cam:p4ss@127.0.0.1:9/live";
    await using process = MediaProcess.start({ args: ["-i", url, "-f", "null", "-"] });
    const failed = await process.done().then(() => undefined, (error) => error);
    assert.ok(failed instanceof FfmpegFailed);
    assert.match(failed.message, /ffmpeg has ended: .*Connection refused/);
    assert.doesNotMatch(failed.message, /p4ss/);
    assert.equal(failed.code, "QUMO_FFMPEG_FAILED");
    assert.equal(
      new FfmpegFailed("ffmpeg", "", 3).message.endsWith("exit code 3, without a word"),
      true,
    );
  },
});

Deno.test("the absence of ffmpeg names the package to install", () => {
  assert.match(new FfmpegMissing("ffmpeg").message, /apt-get install ffmpeg/);
});

Deno.test("Complaints keeps the last meaningful lines, each once, and no secret", () => {
  const complaints = new Complaints(["hun ter2"]);
  complaints.add("ffmpeg version 5.1\nInput #0, rtsp\n  Stream #0:0\n[rtsp @ 0x55d0] bad thi");
  complaints.add(
    "ng\nframe= 100 fps=30\nsrt://h?passphrase=abc&mode=caller failed\n\nkey hun ter2\n",
  );
  for (let i = 0; i < 50; i++) complaints.add("again\r");
  assert.equal(
    complaints.text,
    "rtsp: bad thing; srt://h?passphrase=***&mode=caller failed; key ***; again",
  );
  assert.equal(complaints.count, 53);
  complaints.add("x".repeat(100_000));
  assert.ok(complaints.text.length < 500);
});
