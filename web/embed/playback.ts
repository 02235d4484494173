/// <reference lib="dom" />
/** One broadcast of a shared session on a canvas: the parts of `@moq/watch`, put together. */
import { REDIAL } from "../connect/access.ts";
import { BETWEEN_MS } from "../watch/adaptive.ts";
import { Audio, Broadcast, Net, Signals, Sync, Video } from "@moq/watch";
import { Sessions, type Share } from "./sessions.ts";

/** Sessions of this page, by URL. */
export const sessions = new Sessions((url) =>
  new Net.Connection.Reload({
    enabled: true,
    url: new URL(url),
    delay: REDIAL,
  })
);

/** What the page sets, and may change at any time. */
export interface PlaybackSettings {
  /** Milliseconds that frames are held, or "real-time". */
  readonly latency: number | "real-time";
  readonly paused: boolean;
  readonly muted: boolean;
  /** 0 to 1. */
  readonly volume: number;
  /** When video is fetched: "always", or how near to the viewport the canvas is, as a CSS length. */
  readonly visible: string;
}

type Rendition = Parameters<typeof Video.Decoder.supported>[0];

/** What is seen of a playback at one moment. */
export interface PlaybackSnapshot {
  readonly connected: boolean;
  readonly broadcast: "offline" | "loading" | "live";
  readonly unsupported: boolean;
  readonly frames: number;
  readonly bytes: number;
  readonly audioBytes: number;
  readonly soundOnly: boolean;
  readonly stalled: boolean;
  /** Time of the frame that is shown, in milliseconds of the broadcast's own clock. */
  readonly shownMs: number | undefined;
  /** The rendition that is fetched. */
  readonly track: string | undefined;
  readonly renditions: readonly { readonly track: string; readonly config: Rendition }[];
}

/** Runs until it is closed. */
export class Playback {
  readonly #share: Share<Net.Connection.Reload>;
  readonly #signals = new Signals.Effect();
  readonly #latency = new Signals.Signal<"real-time" | Net.Time.Milli>("real-time");
  readonly #paused = new Signals.Signal(true);
  readonly #muted = new Signals.Signal(true);
  readonly #volume = new Signals.Signal(0.8);
  readonly #visible = new Signals.Signal("20%");
  /** No video is fetched for a moment, between two renditions. */
  readonly #between = new Signals.Signal(false);
  readonly #target = new Signals.Signal<{ readonly name?: string } | undefined>(undefined);
  readonly #broadcast: Broadcast;
  readonly #video: Video.Decoder;
  readonly #audio: Audio.Decoder;

  /** @param url Of the relay, with the token. */
  constructor(url: string, broadcast: string, canvas: HTMLCanvasElement) {
    this.#share = sessions.take(url);
    const { established } = this.#share.session;
    const on = new Signals.Signal(true);
    const wantsVideo = new Signals.Signal(false);
    const wantsAudio = new Signals.Signal(false);
    this.#broadcast = new Broadcast({
      connection: established,
      enabled: on,
      name: new Signals.Signal(Net.Path.from(broadcast)),
    });
    const videoSource = new Video.Source({
      broadcast: this.#broadcast,
      target: this.#target,
      supported: Video.Decoder.supported,
    });
    const audioSource = new Audio.Source({
      broadcast: this.#broadcast,
      supported: Audio.Decoder.supported,
    });
    const sync = new Sync({
      latency: this.#latency,
      connection: established,
      video: videoSource.out.jitter,
      audio: audioSource.out.jitter,
    });
    this.#video = new Video.Decoder(videoSource, sync, { enabled: wantsVideo });
    this.#audio = new Audio.Decoder(audioSource, sync, { enabled: wantsAudio });
    const emitter = new Audio.Emitter(this.#audio, {
      volume: this.#volume,
      muted: this.#muted,
      paused: this.#paused,
    });
    const renderer = new Video.Renderer(this.#video, {
      canvas: new Signals.Signal(canvas),
      visible: this.#visible,
    });
    this.#signals.proxy(wantsAudio, emitter.out.enabled);
    this.#signals.run((effect) => {
      const idle = effect.get(this.#paused) || effect.get(this.#between);
      wantsVideo.set(effect.get(renderer.out.visible) && !idle);
    });
    const parts = [this.#broadcast, videoSource, audioSource, sync, this.#video, this.#audio];
    for (const part of [...parts, emitter, renderer]) this.#signals.cleanup(() => part.close());
  }

  set(settings: PlaybackSettings): void {
    const { latency, paused, muted, volume, visible } = settings;
    this.#latency.set(latency === "real-time" ? latency : Net.Time.Milli(latency));
    this.#paused.set(paused);
    this.#muted.set(muted);
    this.#volume.set(volume);
    this.#visible.set(visible);
  }

  /**
   * Chooses a rendition; without a name the player's library chooses. The present one goes on until the next has pictures,
   * unless `atOnce` ends it: on a narrow connection it would block the next one.
   */
  choose(name: string | undefined, atOnce = false): void {
    if (this.#target.peek()?.name === name) return;
    this.#target.set(name === undefined ? undefined : { name });
    if (!atOnce) return;
    this.#between.set(true);
    this.#signals.timer(() => this.#between.set(false), BETWEEN_MS);
  }

  snapshot(): PlaybackSnapshot {
    const { out: video, source } = this.#video;
    const stats = video.stats.peek();
    const renditions = Object.entries(source.out.available.peek())
      .map(([track, config]) => ({ track, config }));
    return {
      connected: this.#share.session.status.peek() === "connected",
      broadcast: this.#broadcast.out.status.peek(),
      unsupported: source.out.error.peek() === "unsupported",
      frames: stats?.frameCount ?? 0,
      bytes: stats?.bytesReceived ?? 0,
      audioBytes: this.#audio.out.stats.peek()?.bytesReceived ?? 0,
      soundOnly: renditions.length === 0 && this.#audio.source.out.config.peek() !== undefined,
      stalled: video.stalled.peek(),
      shownMs: video.timestamp.peek(),
      track: source.out.track.peek(),
      renditions,
    };
  }

  /** Idempotent. */
  close(): void {
    this.#signals.close();
    this.#share.release();
  }
}
