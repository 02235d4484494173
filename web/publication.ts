/// <reference lib="dom" />
/** One broadcast from this browser: its media encoded, and sent to the relay for as long as it lasts. */
import type { Client } from "../client/client.ts";
import { connect } from "../client/connect.ts";
import type { BroadcastProducer } from "../client/publish.ts";
import type { ClientStatus } from "../client/reconnect.ts";
import { canEncodeAudio, encodeAudio } from "./audio_encoding.ts";
import { HangWriter } from "./hang_writer.ts";
import { encodeVideo, videoConfig } from "./video_encoding.ts";

export interface PublicationOptions {
  readonly url: string;
  readonly name: string;
  readonly stream: MediaStream;
  readonly framesPerSecond: number;
  /** Of the video, in bits per second. */
  readonly bitrate: number;
  readonly onStatus: (status: ClientStatus) => void;
  /** It is over against the user's will; the reason is a sentence. */
  readonly onFailed: (reason: string) => void;
}

/** Counters of a publication; bytes and frames since it began. */
export interface PublicationFigures {
  /** Absent without video. */
  readonly codec: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly videoFrames: number;
  readonly bytes: number;
  /** Whether anybody watches. */
  readonly read: boolean;
}

/** Groups kept for those who join: more than a second of sound in groups of one frame. */
const GROUPS_KEPT = 64;

/** A broadcast being sent. Stop it in the end; its source is its owner's. */
export class Publication {
  readonly #client: Client;
  readonly #broadcast: BroadcastProducer;
  readonly #writer: HangWriter;
  readonly #stops: (() => void)[] = [];
  #figures = { codec: undefined as string | undefined, width: 0, height: 0, frames: 0, bytes: 0 };
  #over = false;

  /** Connects and begins. @throws {Error} With a sentence: no encoder, or no relay. */
  static async start(options: PublicationOptions): Promise<Publication> {
    const { url, name, onStatus } = options;
    const client = await connect(url, {
      groupCacheSize: GROUPS_KEPT,
      reconnect: true,
      onstatus: onStatus,
    });
    const [video] = options.stream.getVideoTracks();
    const [audio] = await canEncodeAudio() ? options.stream.getAudioTracks() : [];
    const publication = new Publication(client, name, {
      video: video !== undefined,
      audio: audio !== undefined,
    });
    try {
      if (video !== undefined) await publication.#sendVideo(video, options);
      if (audio !== undefined) await publication.#sendAudio(audio, options);
      return publication;
    } catch (error) {
      await publication.stop();
      throw error;
    }
  }

  private constructor(client: Client, name: string, has: { video: boolean; audio: boolean }) {
    this.#client = client;
    this.#broadcast = client.publish(name);
    this.#writer = new HangWriter(this.#broadcast, has);
  }

  get version(): string {
    return this.#client.version;
  }

  get figures(): PublicationFigures {
    const { codec, width, height, frames, bytes } = this.#figures;
    return { codec, width, height, videoFrames: frames, bytes, read: this.#writer.read };
  }

  /** Ends the broadcast and leaves the relay. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    for (const stop of this.#stops) stop();
    this.#broadcast.close();
    await this.#client.close();
  }

  async #sendVideo(track: MediaStreamTrack, options: PublicationOptions): Promise<void> {
    const { framesPerSecond, bitrate, onFailed } = options;
    const { width = 1280, height = 720 } = track.getSettings();
    const video = {
      track,
      // Encoders of H.264 take even sizes only.
      width: width & ~1,
      height: height & ~1,
      framesPerSecond,
      bitrate,
      onDescribed: (...described: Parameters<HangWriter["describeVideo"]>) => {
        const [{ codec, codedWidth, codedHeight }] = described;
        Object.assign(this.#figures, { codec, width: codedWidth, height: codedHeight });
        this.#writer.describeVideo(...described);
      },
      onFrame: (data: Uint8Array, timestampUs: number, keyframe: boolean) => {
        this.#figures.frames++;
        this.#figures.bytes += data.length;
        this.#writer.video(data, timestampUs, keyframe);
      },
      onFailed: (reason: string) => onFailed(`The video encoder gave up: ${reason}. Start again.`),
    };
    const config = await videoConfig(video);
    if (config === undefined) {
      throw new Error(
        "This browser encodes no video of this size (H.264, VP8, VP9 and AV1 were tried). Choose a smaller one, or " +
          "use a current Chrome, Edge, Firefox or Safari.",
      );
    }
    this.#stops.push(encodeVideo(config, video));
  }

  async #sendAudio(track: MediaStreamTrack, { onFailed }: PublicationOptions): Promise<void> {
    const audio = await encodeAudio({
      track,
      onDescribed: (rendition, timestampUs) => this.#writer.describeAudio(rendition, timestampUs),
      onFrame: (data, timestampUs) => {
        this.#figures.bytes += data.length;
        this.#writer.audio(data, timestampUs);
      },
      onFailed: (reason) => onFailed(`The audio encoder gave up: ${reason}. Start again.`),
    });
    this.#stops.push(() => audio.stop());
  }
}
