/// <reference lib="dom" />
/** One broadcast from this browser: its media encoded, and sent to the relay for as long as it lasts. */
import type { Client } from "../../client/client.ts";
import type { BroadcastProducer } from "../../client/publish.ts";
import type { ClientStatus } from "../../client/reconnect.ts";
import type { Access } from "../connect/access.ts";
import { canEncodeAudio, encodeAudio } from "./encode/audio_encoding.ts";
import { connectTo } from "../connect/connect_to.ts";
import { type DescribedVideo, HangWriter } from "./hang_writer.ts";
import { ladder } from "./encode/quality_ladder.ts";
import { encodeVideo, videoConfigs } from "./encode/video_encoding.ts";

export interface PublicationOptions {
  readonly access: Access;
  readonly name: string;
  readonly stream: MediaStream;
  readonly framesPerSecond: number;
  /** Of the best quality of the video, in bits per second. */
  readonly bitrate: number;
  /** Whether smaller qualities are offered besides. */
  readonly several: boolean;
  readonly onStatus: (status: ClientStatus) => void;
  /** Something is given up and the rest goes on; a sentence. */
  readonly onNote: (note: string) => void;
  /** The publication ended without the user's doing. The reason is a sentence. */
  readonly onFailed: (reason: string) => void;
}

/** Counters of a publication; bytes and frames since it began. */
export interface PublicationFigures {
  /** Absent without video. */
  readonly codec: string | undefined;
  /** Of the best quality. */
  readonly width: number;
  readonly height: number;
  /** Lines of each quality, best first. */
  readonly qualities: readonly number[];
  readonly videoFrames: number;
  readonly bytes: number;
  /** Whether anybody watches. */
  readonly read: boolean;
}

/** Groups kept for those who join: more than a second of sound in groups of one frame. */
const GROUPS_KEPT = 64;

/** A broadcast on its way to the relay. Stop it in the end; whoever opened the source closes it. */
export class Publication {
  readonly #client: Client;
  readonly #broadcast: BroadcastProducer;
  readonly #writer: HangWriter;
  readonly #stops: (() => void)[] = [];
  readonly #described = new Map<number, DescribedVideo>();
  /** Index of the best quality. */
  #best = 0;
  #frames = 0;
  #bytes = 0;
  #over = false;

  /** Connects and begins. @throws {Error} With a sentence: no encoder, or no relay. */
  static async start(options: PublicationOptions): Promise<Publication> {
    const { access, name, onStatus } = options;
    const client = await connectTo(access, {
      groupCacheSize: GROUPS_KEPT,
      reconnect: true,
      onstatus: onStatus,
    });
    const [video] = options.stream.getVideoTracks();
    const [audio] = await canEncodeAudio() ? options.stream.getAudioTracks() : [];
    const configs = video === undefined ? [] : await configsOf(video, options);
    if (video !== undefined && configs.length === 0) {
      await client.close();
      throw new Error(NO_ENCODER);
    }
    const has = { video: configs.length, audio: audio !== undefined };
    const publication = new Publication(client, name, has);
    try {
      if (video !== undefined) publication.#sendVideo(video, configs, options);
      if (audio !== undefined) await publication.#sendAudio(audio, options);
      return publication;
    } catch (error) {
      await publication.stop();
      throw error;
    }
  }

  private constructor(client: Client, name: string, has: { video: number; audio: boolean }) {
    this.#client = client;
    this.#broadcast = client.publish(name);
    this.#writer = new HangWriter(this.#broadcast, has);
  }

  get version(): string {
    return this.#client.version;
  }

  get transport(): Client["transport"] {
    return this.#client.transport;
  }

  get figures(): PublicationFigures {
    const best = this.#described.get(this.#best);
    return {
      codec: best?.codec,
      width: best?.width ?? 0,
      height: best?.height ?? 0,
      qualities: [...this.#described.values()].map(({ height }) => height!)
        .sort((a, b) => b - a),
      videoFrames: this.#frames,
      bytes: this.#bytes,
      read: this.#writer.read,
    };
  }

  /** Ends the broadcast and leaves the relay. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    for (const stop of this.#stops) stop();
    this.#broadcast.close();
    await this.#client.close();
  }

  #sendVideo(
    track: MediaStreamTrack,
    configs: readonly VideoEncoderConfig[],
    { framesPerSecond, onNote, onFailed }: PublicationOptions,
  ): void {
    this.#stops.push(encodeVideo(configs, {
      track,
      framesPerSecond,
      onDescribed: (index, rendition, timestampUs) => {
        this.#described.set(index, rendition);
        this.#writer.describeVideo(index, rendition, timestampUs);
      },
      onFrame: (index, data, timestampUs, keyframe) => {
        if (index === this.#best) this.#frames++;
        this.#bytes += data.length;
        this.#writer.video(index, data, timestampUs, keyframe);
      },
      onDropped: (index, why, timestampUs) => {
        this.#described.delete(index);
        this.#best = Math.min(...this.#described.keys());
        this.#writer.dropVideo(index, timestampUs);
        const lines = configs[index]!.height;
        onNote(
          why === "slow"
            ? `This device does not encode that much: ${lines}p was dropped, smaller qualities go on.`
            : `${lines}p was dropped, because its encoder gave up: ${why.error}. The others go on.`,
        );
      },
      onFailed: (reason) => onFailed(`The video encoder gave up: ${reason}. Start again.`),
    }));
  }

  async #sendAudio(track: MediaStreamTrack, { onFailed }: PublicationOptions): Promise<void> {
    const audio = await encodeAudio({
      track,
      onDescribed: (rendition, timestampUs) => this.#writer.describeAudio(rendition, timestampUs),
      onFrame: (data, timestampUs) => {
        this.#bytes += data.length;
        this.#writer.audio(data, timestampUs);
      },
      onFailed: (reason) => onFailed(`The audio encoder gave up: ${reason}. Start again.`),
    });
    this.#stops.push(() => audio.stop());
  }
}

const NO_ENCODER =
  "This browser encodes no video of this size (H.264, VP8, VP9 and AV1 were tried). Choose a smaller one, or use a " +
  "current Chrome, Edge, Firefox or Safari.";

async function configsOf(
  track: MediaStreamTrack,
  { framesPerSecond, bitrate, several }: PublicationOptions,
): Promise<VideoEncoderConfig[]> {
  const { width = 1280, height = 720 } = track.getSettings();
  const qualities = ladder({ width, height, bitrate });
  return await videoConfigs(several ? qualities : qualities.slice(0, 1), framesPerSecond);
}
