/** Publishes this machine's camera, or a test picture. */
import { integer, oneOf, text } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { BROADCAST, ingest, publisherOf, SourceFailed, TIMEOUT } from "../ingest.ts";
import { cameraOf, microphoneOf } from "./devices.ts";

export const camera = plugin({
  kind: "ingress",
  name: "camera",
  summary: "Publishes this machine's camera and microphone, or a test picture.",
  options: {
    device: text(
      "`auto` is the first camera, or the test picture when there is none; `test` always that. Else a device: `/dev/video2`.",
      { byDefault: "auto" },
    ),
    microphone: text(
      "`none`, a tone with `test`, or a device: `default` (PulseAudio, on macOS and Windows its name).",
      { byDefault: "none" },
    ),
    ...BROADCAST,
    width: integer({ min: 16, max: 7680, byDefault: 1280 }, "Width of the picture, in pixels."),
    height: integer({ min: 16, max: 4320, byDefault: 720 }, "Its height."),
    framerate: integer({ min: 1, max: 240, byDefault: 30 }, "Pictures per second."),
    video: oneOf(["h264", "h265", "vp9", "av1"], "h264", "What the picture is encoded as."),
    audio: oneOf(["opus", "aac"], "opus", "What the sound is encoded as."),
    bitrate: integer({ min: 50, max: 100_000, byDefault: 2500 }, "Of the video, in kbit/s."),
    ...TIMEOUT,
  },
  async run(ctx, options) {
    const { microphone, broadcast, video, audio, bitrate, timeout } = options;
    using publisher = publisherOf(ctx, broadcast);
    const picture = cameraOf(options.device, options);
    const sound = microphone === "none" ? undefined : microphoneOf(microphone);
    ctx.log.info("opening", { device: picture.what });
    ctx.status(`opening ${picture.what}`);
    await ingest(ctx, publisher, {
      what: picture.what,
      input: [...picture.input, ...(sound?.input ?? [])],
      video,
      audio: sound === undefined ? "none" : audio,
      audioInput: 1,
      output: [
        ...["-b:v", `${bitrate}k`],
        // SVT-AV1 knows no limit beside the target.
        ...(video === "av1" ? [] : ["-maxrate", `${bitrate}k`, "-bufsize", `${bitrate}k`]),
        ...(sound === undefined ? [] : ["-ar", "48000"]),
      ],
      timeoutMs: timeout,
      firstFrameMs: timeout + 10_000,
    });
    if (!ctx.signal.aborted) throw new SourceFailed(`${picture.what} is gone`);
  },
});
