/// <reference lib="dom" />
/**
 * The player: `<moq-watch>` of `@moq/watch`, and what can be read from it. It is a bundle of its own: the largest part of the
 * page, and not needed while nothing is live.
 */
import "@moq/watch/element";
import type { CatalogAudio, CatalogVideo } from "../../media/hang/catalog.ts";
import { REDIAL } from "../connect/access.ts";
import { Adaptive, BETWEEN_MS } from "./adaptive.ts";
import type { AnnounceSource } from "../connect/heard_announced.ts";

interface Signal<T> {
  peek(): T;
}

/** As somebody's catalog has it: of any container. */
type VideoConfig = Omit<CatalogVideo, "container" | "jitter"> & {
  readonly container?: { readonly kind: string };
};
type AudioConfig = Pick<CatalogAudio, "codec" | "sampleRate" | "numberOfChannels">;

interface Target {
  readonly name?: string;
}

/** The parts of `<moq-watch>` that are used here. */
export interface PlayerElement extends HTMLElement {
  volume: number;
  muted: boolean;
  paused: boolean;
  readonly connection: {
    delay: { initial: number; multiplier: number; max: number; timeout: number };
    webtransport: { readonly serverCertificateHashes: readonly { readonly value: string }[] };
    websocket: { readonly delay: number };
    readonly status: Signal<"connecting" | "connected" | "disconnected">;
    readonly established: Signal<
      { readonly version: string; readonly transport: string } | undefined
    >;
    readonly probe: Signal<{ readonly rtt?: number } | undefined>;
  } & AnnounceSource;
  readonly broadcast: { readonly out: { readonly status: Signal<"offline" | "loading" | "live"> } };
  readonly controls: {
    readonly visible: Signal<string> & { set(visible: string): void };
    readonly target: Signal<Target | undefined> & {
      update(change: (before: Target | undefined) => Target): void;
    };
  };
  readonly sync: {
    readonly out: {
      readonly buffer: Signal<number>;
      readonly timestamp: Signal<number | undefined>;
    };
  };
  readonly renderer: { readonly out: { readonly timestamp: Signal<number | undefined> } };
  readonly video: {
    readonly source: {
      readonly out: {
        readonly available: Signal<Readonly<Record<string, VideoConfig>>>;
        readonly track: Signal<string | undefined>;
        readonly config: Signal<VideoConfig | undefined>;
        readonly error: Signal<string | undefined>;
      };
    };
    readonly out: {
      readonly stats: Signal<
        { readonly frameCount: number; readonly bytesReceived: number } | undefined
      >;
      readonly stalled: Signal<boolean>;
      /** Of the frame that is shown, in milliseconds. */
      readonly timestamp: Signal<number | undefined>;
    };
  };
  readonly audio: {
    readonly source: {
      readonly out: {
        readonly track: Signal<string | undefined>;
        readonly config: Signal<AudioConfig | undefined>;
      };
    };
    readonly out: { readonly stats: Signal<{ readonly bytesReceived: number } | undefined> };
  };
}

/** The player at one moment. Byte and frame counts run since it began. */
export interface PlayerSnapshot {
  readonly link: "connecting" | "connected" | "disconnected";
  readonly version: string | undefined;
  readonly transport: string | undefined;
  readonly broadcast: "offline" | "loading" | "live";
  /** No rendition is one this browser can decode. */
  readonly unsupported: boolean;
  readonly stalled: boolean;
  readonly renditions: readonly { readonly track: string; readonly config: VideoConfig }[];
  readonly video: { readonly track: string; readonly config: VideoConfig } | undefined;
  readonly audio: { readonly track: string; readonly config: AudioConfig } | undefined;
  readonly videoBytes: number;
  readonly videoFrames: number;
  readonly audioBytes: number;
  /** How long frames are held to play evenly, in milliseconds. */
  readonly bufferMs: number;
  readonly roundTripMs: number | undefined;
  /** From the arrival of the newest frame to its turn on the screen. */
  readonly heldMs: number | undefined;
  /** From the camera to the screen; known where frames bear the time of day. */
  readonly latencyMs: number | undefined;
}

export interface PlayerOptions {
  /** SHA-256, in hexadecimal, of the certificate to accept by https; `undefined` checks who signed it. Asked at each attempt. */
  readonly hash: () => string | undefined;
  /** When video is fetched: `<moq-watch visible>`. */
  readonly visible: string | undefined;
}

/** A frame time within this distance of now is a time of day. In milliseconds. */
const TIME_OF_DAY_MS = 60_000;

/** How long WebTransport has before a WebSocket is tried beside it. The same as in our own client. */
const WEBSOCKET_AFTER_MS = 1000;

/** Makes a silent player with a canvas. It dials once it has a `url`. The caller puts it into the page. */
export function createPlayer({ hash, visible }: PlayerOptions): PlayerElement {
  const element = document.createElement("moq-watch") as PlayerElement;
  element.connection.delay = REDIAL;
  element.connection.websocket = { delay: WEBSOCKET_AFTER_MS };
  element.connection.webtransport = {
    get serverCertificateHashes() {
      const value = hash();
      return value === undefined ? [] : [{ value }];
    },
  };
  element.setAttribute("muted", "");
  if (visible !== undefined) element.setAttribute("visible", visible);
  element.append(document.createElement("canvas"));
  return element;
}

/** Players that choose their quality by themselves. */
const automatic = new WeakMap<PlayerElement, Adaptive>();

/** Chooses a rendition; without a name {@link adapt} chooses from now on. */
export function chooseRendition(player: PlayerElement, name: string | undefined): void {
  if (name === undefined) automatic.set(player, new Adaptive());
  else automatic.delete(player);
  setRendition(player, name);
}

function setRendition(player: PlayerElement, name: string | undefined): void {
  if (player.controls.target.peek()?.name === name) return;
  player.controls.target.update((before) => {
    const { name: _, ...rest } = before ?? {};
    return name === undefined ? rest : { ...rest, name };
  });
}

/** Takes the quality that fits the screen and the connection; called several times a second. */
export function adapt(player: PlayerElement, snapshot: PlayerSnapshot, nowMs: number): void {
  const adaptive = automatic.get(player);
  if (adaptive === undefined) return;
  const { width, height } = player.getBoundingClientRect();
  const choice = adaptive.look({
    offered: snapshot.renditions,
    shownMs: player.video.out.timestamp.peek(),
    bytes: snapshot.videoBytes,
    width: width * devicePixelRatio,
    height: height * devicePixelRatio,
    idle: player.paused || document.hidden || snapshot.link !== "connected",
  }, nowMs);
  const present = player.controls.target.peek()?.name;
  setRendition(player, choice?.track);
  if (!choice?.atOnce || choice.track === present) return;
  // On a narrow connection the present quality would block the next one.
  const { visible } = player.controls;
  const before = visible.peek();
  visible.set("never");
  setTimeout(() => visible.peek() === "never" && visible.set(before), BETWEEN_MS);
}

export function snapshotOf(player: PlayerElement): PlayerSnapshot {
  const { connection, broadcast, sync, renderer, video, audio } = player;
  const established = connection.established.peek();
  const shownMs = renderer.out.timestamp.peek();
  const newestMs = sync.out.timestamp.peek();
  const sinceShownMs = shownMs === undefined ? NaN : Date.now() - shownMs;
  const videoStats = video.out.stats.peek();
  const videoTrack = video.source.out.track.peek();
  const videoConfig = video.source.out.config.peek();
  const audioTrack = audio.source.out.track.peek();
  const audioConfig = audio.source.out.config.peek();
  return {
    link: connection.status.peek(),
    version: established && versionName(established.version),
    transport: established && (TRANSPORTS[established.transport] ?? established.transport),
    broadcast: broadcast.out.status.peek(),
    unsupported: video.source.out.error.peek() === "unsupported",
    stalled: video.out.stalled.peek(),
    renditions: Object.entries(video.source.out.available.peek())
      .map(([track, config]) => ({ track, config })),
    video: videoTrack === undefined || videoConfig === undefined
      ? undefined
      : { track: videoTrack, config: videoConfig },
    audio: audioTrack === undefined || audioConfig === undefined
      ? undefined
      : { track: audioTrack, config: audioConfig },
    videoBytes: videoStats?.bytesReceived ?? 0,
    videoFrames: videoStats?.frameCount ?? 0,
    audioBytes: audio.out.stats.peek()?.bytesReceived ?? 0,
    bufferMs: sync.out.buffer.peek(),
    roundTripMs: connection.probe.peek()?.rtt,
    heldMs: shownMs === undefined || newestMs === undefined
      ? undefined
      : Math.max(0, newestMs - shownMs),
    latencyMs: Math.abs(sinceShownMs) < TIME_OF_DAY_MS ? Math.max(0, sinceShownMs) : undefined,
  };
}

const TRANSPORTS: Readonly<Record<string, string>> = {
  webtransport: "WebTransport",
  websocket: "WebSocket",
};

/** The version as `@moq/net` names it, in the words of the configuration. */
function versionName(version: string): string {
  return version.startsWith("moq-") ? version : `moq-${version}`;
}
