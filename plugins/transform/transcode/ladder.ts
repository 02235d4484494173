import { best, type Recipe } from "../encode_broadcast.ts";
import { encoderArgs, type Encoding } from "../encoding.ts";
import { ONE_FOR_ONE } from "../encoder.ts";
import type { Rendition, VideoRendition } from "../../../media/rendition.ts";

/** One quality of the options. 0 is that of the input. */
export interface LadderStep {
  readonly name?: string | undefined;
  readonly codec: Encoding["codec"] | "copy";
  readonly height: number;
  readonly fps: number;
  /** In kbit/s. */
  readonly bitrate: number;
  readonly preset: string;
}

type MadeStep = LadderStep & { readonly codec: Encoding["codec"] };

/** Names of the tracks. */
export function namesOf(steps: readonly LadderStep[]): string[] {
  return steps.map(({ name, codec, height }) =>
    name ?? (codec === "copy" ? "source" : height === 0 ? codec : `${height}p`)
  );
}

/**
 * The recipe for these qualities: one ffmpeg, which decodes once.
 * @param keyframeEveryMs 0 puts keyframes where the input has them.
 * @returns Why nothing can be done, when the broadcast has no video.
 */
export function ladder(
  steps: readonly LadderStep[],
  renditions: readonly Rendition[],
  keyframeEveryMs: number,
): Recipe | string {
  const source = best(renditions);
  if (source === undefined) return "it has no picture";
  const names = namesOf(steps);
  const made = steps.flatMap((step, i) =>
    step.codec === "copy" ? [] : [{ step: step as MadeStep, name: names[i]! }]
  );
  const outputs = made.map(({ step }, i) => `[in${i}]${filterOf(step, source)}[out${i}]`);
  const graph = [
    `[0:v:0]split=${made.length}${made.map((_, i) => `[in${i}]`).join("")}`,
    ...outputs,
  ];
  return {
    carried: steps.flatMap(({ codec }, i) =>
      codec === "copy" ? [{ from: source, name: names[i]! }] : []
    ),
    ...(made.length > 0 && { source }),
    made: made.map(({ step, name }) => {
      const framerate = framerateOf(step, source);
      const bitrate = step.bitrate * 1000;
      return { name, bitrate, ...(framerate !== undefined && { framerate }) };
    }),
    args: [
      ...["-filter_complex", graph.join(";"), ...ONE_FOR_ONE],
      ...made.flatMap(({ step }, i) => [
        ...["-map", `[out${i}]`],
        ...encoderArgs({ ...step, keyframeEvery: keyframeEveryMs }, i, framerateOf(step, source)),
      ]),
    ],
  };
}

function framerateOf({ fps }: LadderStep, { framerate }: VideoRendition): number | undefined {
  return fps === 0 ? framerate : fps;
}

function filterOf({ height, fps }: LadderStep, source: VideoRendition): string {
  const rate = fps === 0 ? "" : `fps=${fps},`;
  const even = (pixels: number) => Math.max(2, Math.round(pixels / 2) * 2);
  if (source.width && source.height) {
    // In numbers, so that video that changes its size in mid-stream keeps that of the output.
    const lines = Math.min(height || source.height, source.height);
    return `${rate}scale=${even(source.width * lines / source.height)}:${even(lines)}`;
  }
  return height === 0 ? `${rate}scale=trunc(iw/2)*2:-2` : `${rate}scale=-2:${even(height)}`;
}
