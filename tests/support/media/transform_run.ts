/** A live test picture, transforms that work on it, and their output decoded again. For tests only. */
import { MediaProcess } from "../../../plugins/ffmpeg/media_process.ts";
import { LIVE_FMP4 } from "../../../plugins/ffmpeg/output.ts";
import { concat } from "../../../base/bytes.ts";
import { MediaPublisher } from "../../../media/broadcast/media_publisher.ts";
import { broadcasts } from "./broadcasts.ts";
import type { LiveMedia } from "../../../media/broadcast/live_media.ts";
import { FragmentMuxer } from "../../../media/mp4/fragment_muxer.ts";
import type { PluginDefinition } from "../../../plugins/plugin.ts";
import { MemoryRelay, newStats, type PluginRun, runPlugin } from "../plugin_run.ts";
import { until } from "../server.ts";
import type { MediaFrame, Rendition } from "../../../media/rendition.ts";

/** A grey picture with a tone, 320×180 at 30/s. Everything that is not grey was added. */
export const GREY = "-re -f lavfi -i color=gray:size=320x180:rate=30";
export const TONE = "-re -f lavfi -i sine=frequency=440:sample_rate=48000";
export const ENCODED =
  "-c:v libx264 -preset ultrafast -tune zerolatency -g 15 -pix_fmt yuv420p -c:a libopus";

/** A broadcast that lives until it is disposed of. */
export interface Source extends AsyncDisposable {
  readonly publisher: MediaPublisher;
}

export class TransformTest implements AsyncDisposable {
  readonly at: MemoryRelay = new MemoryRelay();
  readonly #over = new AbortController();
  readonly #ends: (() => Promise<unknown>)[] = [];

  /** Publishes what ffmpeg makes of these arguments. */
  async source(path: string, args = `${GREY} ${TONE} ${ENCODED}`): Promise<Source> {
    const client = await this.at.client();
    const signal = this.#over.signal;
    const publisher = new MediaPublisher({ client, path, stats: newStats() });
    const process = MediaProcess.start({ args: [...args.split(" "), ...LIVE_FMP4], signal });
    const sent = publisher.stream(process.stdout, { signal });
    let over = false;
    const end = async () => {
      if (over) return;
      over = true;
      await process.close();
      await sent.catch(() => {});
      publisher.withdraw();
      await client.close();
    };
    this.#ends.push(end);
    return { publisher, [Symbol.asyncDispose]: end };
  }

  async run(definition: PluginDefinition, config: unknown): Promise<PluginRun> {
    const run = await runPlugin(definition.create(), this.at, config);
    this.#ends.push(() => run.end());
    return run;
  }

  /** Each call waits for the next time the broadcast is live. */
  async lives(path: string, run?: PluginRun): Promise<() => Promise<LiveMedia>> {
    const client = await this.at.client();
    const lives = broadcasts(client, path, { signal: this.#over.signal });
    this.#ends.push(async () => {
      await lives.return();
      await client.close();
    });
    return async () => {
      let live: LiveMedia | undefined;
      let ended = false;
      const next = lives.next().then(({ value }) => live = value as LiveMedia);
      run?.done.finally(() => ended = true).catch(() => {});
      await until(() => live !== undefined || ended, `${path}: ${run?.told.at(-1)}`, 30_000);
      if (live === undefined) await run?.done;
      return await next;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    for (const end of this.#ends.reverse()) await end();
    await this.at[Symbol.asyncDispose]();
  }
}

/** The first catalog. */
export async function catalogOf(live: LiveMedia): Promise<Rendition[]> {
  const catalogs = live.catalogs();
  const { value } = await catalogs.next();
  await catalogs.return(undefined);
  return value;
}

/** Some frames of a rendition. */
export async function framesOf(
  live: LiveMedia,
  rendition: Rendition,
  count: number,
): Promise<MediaFrame[]> {
  const frames: MediaFrame[] = [];
  for await (const frame of live.frames(rendition)) if (frames.push(frame) >= count) break;
  return frames;
}

/** One decoded picture: red, green and blue of each pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Brightness of a pixel, 0 to 255. */
  at(x: number, y: number): number;
}

/** Decodes frames that begin with a keyframe. @returns The last picture. */
export async function decoded(
  rendition: Rendition,
  frames: readonly MediaFrame[],
): Promise<Picture> {
  const muxer = new FragmentMuxer([rendition]);
  for (const frame of frames) muxer.learn(rendition.name, frame);
  const bytes = concat([muxer.init(), muxer.fragment(rendition.name, frames)]);
  return await decodedFile(bytes, ["-f", "mp4"]);
}

/** Decodes a file's last picture. */
export async function decodedFile(
  bytes: Uint8Array<ArrayBuffer>,
  input: readonly string[] = [],
): Promise<Picture> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    const run = async (program: string, args: readonly string[]) => {
      const output = await new Deno.Command(program, { args: [...args] }).output();
      if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
      return output.stdout;
    };
    const show = ["-show_entries", "stream=width,height", "-of", "csv=p=0"];
    const size = await run("ffprobe", ["-v", "error", ...input, ...show, path]);
    const [width = 0, height = 0] = new TextDecoder().decode(size).trim().split(",").map(Number);
    const raw = await run("ffmpeg", [
      ...["-v", "error", ...input, "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
    ]);
    const last = raw.subarray(raw.length - width * height);
    return { width, height, at: (x, y) => last[y * width + x]! };
  } finally {
    await Deno.remove(path);
  }
}

/** Pixels brighter than grey by far, within a rectangle in fractions of the picture. */
export function lit(
  picture: Picture,
  [left, top, right, bottom]: readonly [number, number, number, number],
): number {
  let count = 0;
  for (let y = Math.floor(top * picture.height); y < Math.floor(bottom * picture.height); y++) {
    for (let x = Math.floor(left * picture.width); x < Math.floor(right * picture.width); x++) {
      if (picture.at(x, y) > 180) count++;
    }
  }
  return count;
}
