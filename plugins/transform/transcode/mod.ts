/** Publishes a broadcast in several qualities. */
import { z } from "zod";
import { duration, integer, oneOf, text } from "../../../config/fields.ts";
import { plugin } from "../../plugin.ts";
import { encodeBroadcast } from "../encode_broadcast.ts";
import { ENCODING } from "../encoding.ts";
import { broadcastOptions, eachInput, nameProblems } from "../inputs.ts";
import { ladder, namesOf } from "./ladder.ts";

const STEP = z.strictObject({
  name: text("Of its track. Default: `source` for a copy, else its height: `360p`.").optional(),
  codec: oneOf(
    ["h264", "copy", "h265", "vp9", "av1"],
    "h264",
    "What it is encoded as; `copy` is the picture of the input as it is.",
  ),
  height: integer(
    { min: 0, max: 4320, byDefault: 0 },
    "In pixels, never more than the input's; 0 is the input's.",
  ),
  fps: integer({ min: 0, max: 240, byDefault: 0 }, "Pictures per second; 0 is the input's."),
  bitrate: ENCODING.bitrate,
  preset: ENCODING.preset,
});

export const transcode = plugin({
  kind: "transform",
  name: "transcode",
  summary: "Publishes a broadcast in several qualities, of which players choose.",
  options: {
    ...broadcastOptions("{name}-ladder"),
    renditions: z.array(STEP).min(1).max(8).describe("The qualities, best first.").prefault([
      { codec: "copy" },
      { height: 360, bitrate: 800 },
    ]),
    audio: oneOf(["copy", "none"], "copy", "`copy` carries the sound as it is."),
    keyframe_every: duration(
      { min: "0s", max: "1m", byDefault: "0s" },
      "A key frame at least so often; `0s` puts them where the input has them, so that players change quality there.",
    ),
  },
  check: ({ renditions, ...names }) => {
    const tracks = namesOf(renditions);
    const twice = tracks.findIndex((name, i) => tracks.indexOf(name) !== i);
    if (twice < 0) return nameProblems(names);
    const message = `expected another name than "${tracks[twice]}", which is taken`;
    return [...nameProblems(names), { path: ["renditions", twice, "name"], message }];
  },
  async run(ctx, options) {
    const { renditions: steps, audio, keyframeEvery } = options;
    await eachInput(
      ctx,
      options,
      (job) =>
        encodeBroadcast(ctx, job, (renditions) => {
          const video = ladder(steps, renditions, keyframeEvery);
          if (typeof video === "string" || audio === "none") return video;
          const sound = renditions.filter(({ kind }) => kind === "audio");
          const carried = [
            ...video.carried,
            ...sound.map((from) => ({ from, name: from.name })),
          ];
          return { ...video, carried };
        }),
    );
  },
});
