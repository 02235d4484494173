/** Puts an image or a text on the picture of a broadcast. */
import { QumoError } from "../../../base/errors.ts";
import { decimal, oneOf, text } from "../../../config/fields.ts";
import type { OptionProblem } from "../../errors.ts";
import { FfmpegFailed } from "../../ffmpeg/errors.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin } from "../../plugin.ts";
import { best, encodeBroadcast, type Recipe } from "../encode_broadcast.ts";
import { ONE_FOR_ONE } from "../encoder.ts";
import { encoderArgs, ENCODING } from "../encoding.ts";
import { broadcastOptions, eachInput, nameProblems } from "../inputs.ts";
import { markFilter, POSITIONS } from "./filter.ts";
import type { Rendition } from "../../../media/rendition.ts";

/** The mark cannot be drawn. */
export class MarkUnusable extends QumoError {
  readonly code = "QUMO_WATERMARK";
}

const OPTIONS = {
  ...broadcastOptions("{name}-marked"),
  image: text("File of the image: PNG with transparency, or any that ffmpeg reads.", {
    example: "logo.png",
  }).optional(),
  text: text("What is written, in place of an image.", { example: "LIVE" }).optional(),
  font_file: text("File of the font, for systems that have no font configuration.", {
    example: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
  }).optional(),
  color: text('Of the text: a name, or "#ff8800".', { byDefault: "white" }),
  position: oneOf(POSITIONS, "top-right", "Where the mark stands."),
  size: decimal(
    { min: 0.5, max: 100, byDefault: 10 },
    "Width of an image in percent of the picture's, height of letters in percent of its height.",
  ),
  margin: decimal(
    { min: 0, max: 50, byDefault: 3 },
    "Distance from the edges, in percent of the picture's height.",
  ),
  opacity: decimal({ min: 0.01, max: 1, byDefault: 1 }, "1 covers what is below, 0.5 half of it."),
  ...ENCODING,
};
type Options = OptionsOf<typeof OPTIONS>;

export const watermark = plugin({
  kind: "transform",
  name: "watermark",
  summary: "Puts an image or a text on the picture of a broadcast.",
  options: OPTIONS,
  check: (options) => [...nameProblems(options), ...markProblems(options)],
  async run(ctx, options) {
    const { image, fontFile } = options;
    if (image !== undefined) await readable(image, "image");
    if (fontFile !== undefined) await readable(fontFile, "font_file");
    await eachInput(ctx, options, async (job) => {
      try {
        await encodeBroadcast(ctx, job, (renditions) => recipeOf(options, renditions));
      } catch (error) {
        throw explained(error);
      }
    });
  },
});

function markProblems({ image, text, color }: Options): OptionProblem[] {
  if ((image === undefined) === (text === undefined)) {
    return [{ path: [], message: "expected either `image` or `text`" }];
  }
  if (/^([a-z]+|#[0-9a-f]{6})$/i.test(color)) return [];
  return [{ path: ["color"], message: 'expected a name like "white" or "#ff8800"' }];
}

function recipeOf(options: Options, renditions: readonly Rendition[]): Recipe | string {
  const source = best(renditions);
  if (source === undefined) return "it has no picture";
  const { image, text, fontFile, bitrate } = options;
  const { framerate } = source;
  const mark = { ...options, image, text, fontFile };
  const sound = renditions.filter(({ kind }) => kind === "audio");
  return {
    carried: sound.map((from) => ({ from, name: from.name })),
    source,
    made: [{
      name: source.name,
      bitrate: bitrate * 1000,
      ...(framerate !== undefined && { framerate }),
    }],
    args: [
      ...["-filter_complex", markFilter(mark, source), "-map", "[marked]"],
      ...[...ONE_FOR_ONE, ...encoderArgs(options, 0, framerate)],
    ],
  };
}

async function readable(path: string, option: string): Promise<void> {
  try {
    (await Deno.open(path)).close();
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new MarkUnusable(`Cannot use ${option} ${path}: ${why}`, { cause });
  }
}

/** A failure with a hint: ffmpeg's messages about fonts have none. */
function explained(error: unknown): unknown {
  if (!(error instanceof FfmpegFailed)) return error;
  if (/No such filter: 'drawtext'/.test(error.reason)) {
    const hint = "use `image`, or an ffmpeg with libfreetype";
    return new MarkUnusable(`Cannot write a text: this ffmpeg is built without it; ${hint}`, {
      cause: error,
    });
  }
  if (/fontconfig|valid font|load font|fontfile/i.test(error.reason)) {
    return new MarkUnusable(
      `Cannot write the text: ffmpeg finds no font (${error.reason}); set font_file to a .ttf or .otf file`,
      { cause: error },
    );
  }
  return error;
}
