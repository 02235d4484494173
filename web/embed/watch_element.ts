/// <reference lib="dom" />
/** `<qumo-watch>`: a player for any page. docs/embed.md is its manual. */
import { inSentence } from "../../base/visible_text.ts";
import { Adaptive, type Choice, MOST_QUALITIES } from "../watch/adaptive.ts";
import { Controls } from "./controls.ts";
import { type EmbedState, Life } from "./life.ts";
import { Playback, type PlaybackSettings, type PlaybackSnapshot } from "./playback.ts";
import {
  browserProblem,
  CODEC_PROBLEM,
  type EmbedProblem,
  type EmbedTarget,
  problemOf,
  targetOf,
} from "./problems.ts";
import { STYLE } from "./style.ts";

const LOOK_MS = 250;
/** A session that takes longer than this is asked after. */
const TROUBLE_MS = 4000;

const OBSERVED = [
  ...["src", "broadcast", "controls", "poster", "latency", "muted", "volume", "visible"],
];

const SAID: Readonly<Partial<Record<EmbedState, string>>> = {
  connecting: "Connecting …",
  offline: "Waiting for the broadcast to begin.",
  waiting: "Waiting for the picture …",
  ended: "The broadcast has ended.",
};

let styles: CSSStyleSheet | undefined;
function styleSheet(): CSSStyleSheet {
  if (styles === undefined) {
    styles = new CSSStyleSheet();
    styles.replaceSync(STYLE);
  }
  return styles;
}

export class QumoWatch extends HTMLElement {
  static readonly observedAttributes = OBSERVED;
  readonly #canvas = document.createElement("canvas");
  readonly #poster = document.createElement("img");
  readonly #said = document.createElement("p");
  readonly #controls: Controls;
  #token: string | undefined;
  #paused = true;
  #muted = false;
  #volume = 0.8;
  #quality = "";
  #target: EmbedTarget | undefined;
  #playback: Playback | undefined;
  #life = new Life();
  #adaptive = new Adaptive();
  #timer: ReturnType<typeof setInterval> | undefined;
  #due = false;
  #begun = false;
  #problem: EmbedProblem | undefined;
  #asking = false;
  #unconnectedSinceMs = 0;
  #size = "";

  constructor() {
    super();
    this.#poster.hidden = true;
    this.#poster.alt = "";
    this.#canvas.role = "img";
    this.#canvas.part.add("picture");
    this.#said.className = "said";
    this.#said.role = "status";
    this.#said.part.add("message");
    this.#controls = new Controls({
      pause: (paused) => paused ? this.pause() : this.play(),
      mute: (muted) => this.muted = muted,
      volume: (volume) => {
        this.volume = volume;
        this.muted = volume === 0;
      },
      quality: (track) => this.quality = track,
      fullscreen: () => {
        if (document.fullscreenElement === this) void document.exitFullscreen();
        else void this.requestFullscreen().catch(() => {});
      },
    });
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
    root.append(this.#canvas, this.#poster, this.#said, this.#controls.bar);
  }

  connectedCallback(): void {
    if (!this.#begun) {
      this.#begun = true;
      // Set before the script had come.
      for (const name of ["token", "muted", "volume", "quality"] as const) {
        const own = Object.getOwnPropertyDescriptor(this, name);
        if (own === undefined) continue;
        delete this[name];
        Object.assign(this, { [name]: own.value });
      }
      this.#paused = !this.hasAttribute("autoplay");
    }
    this.#change();
  }

  disconnectedCallback(): void {
    this.#change();
  }

  attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
    if (name === "muted") this.#muted = value !== null;
    if (name === "volume") this.#volume = clamp(value);
    if (name === "poster") {
      if (value === null) this.#poster.removeAttribute("src");
      else this.#poster.src = value;
    }
    this.#change();
  }

  /** The token that the relay asks for. It is a property, so that no markup and no copied page holds it. */
  get token(): string | undefined {
    return this.#token;
  }
  set token(token: string | undefined) {
    this.#token = token;
    this.#change();
  }

  get muted(): boolean {
    return this.#muted;
  }
  set muted(muted: boolean) {
    this.#muted = muted;
    this.#change();
  }

  /** 0 to 1. */
  get volume(): number {
    return this.#volume;
  }
  set volume(volume: number) {
    this.#volume = clamp(volume);
    this.#change();
  }

  /** "" for automatic, or the track of a rendition. */
  get quality(): string {
    return this.#quality;
  }
  set quality(track: string) {
    this.#quality = track;
    this.#adaptive = new Adaptive();
    this.#change();
  }

  get paused(): boolean {
    return this.#paused;
  }
  /** "connecting", "offline", "waiting", "playing", "paused" or "ended". */
  get state(): EmbedState {
    return this.#life.state;
  }
  /** The track that is fetched; `undefined` before one is. */
  get rendition(): string | undefined {
    return this.#playback?.snapshot().track;
  }
  /** Of the picture, in pixels; 0 before the first one. */
  get videoWidth(): number {
    return this.#size === "" ? 0 : this.#canvas.width;
  }
  get videoHeight(): number {
    return this.#size === "" ? 0 : this.#canvas.height;
  }

  play(): void {
    this.#paused = false;
    this.#change();
  }

  pause(): void {
    this.#paused = true;
    this.#change();
  }

  /** Takes several changes of one moment as one, so that an element that moves within its page plays on. */
  #change(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.isConnected) this.#apply();
      else this.#end();
    });
  }

  #apply(): void {
    const target = browserProblem() ?? targetOf({
      src: this.getAttribute("src"),
      broadcast: this.getAttribute("broadcast"),
      token: this.#token,
      base: this.baseURI,
    });
    if ("code" in target) {
      this.#end();
      return this.#fail(target);
    }
    const url = target.access.dialed;
    if (url !== this.#target?.access.dialed || target.broadcast !== this.#target.broadcast) {
      // The new playback begins first: a session that both use stays open.
      const playback = new Playback(url, target.broadcast, this.#canvas);
      this.#end();
      this.#playback = playback;
      this.#target = target;
      this.#unconnectedSinceMs = performance.now();
      this.#timer = setInterval(() => this.#look(), LOOK_MS);
    }
    this.#playback!.set(this.#settings());
    if (this.#quality !== "") this.#playback!.choose(this.#quality);
    this.#canvas.ariaLabel = target.broadcast;
    this.#show();
  }

  #settings(): PlaybackSettings {
    const latency = Number(this.getAttribute("latency") ?? NaN);
    return {
      latency: latency >= 0 ? Math.min(latency, 60_000) : "real-time",
      paused: this.#paused,
      muted: this.#muted,
      volume: this.#volume,
      visible: this.getAttribute("visible") ?? "20%",
    };
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#asking = false;
    this.#playback?.close();
    this.#playback = undefined;
    this.#target = undefined;
    this.#problem = undefined;
    this.#life = new Life();
    this.#adaptive = new Adaptive();
  }

  #look(): void {
    const playback = this.#playback!;
    const seen = playback.snapshot();
    const nowMs = performance.now();
    if (seen.connected) {
      this.#unconnectedSinceMs = nowMs;
      if (!seen.unsupported) this.#problem = undefined;
    } else if (nowMs - this.#unconnectedSinceMs > TROUBLE_MS) this.#askWhy(nowMs);
    if (seen.unsupported) this.#fail(CODEC_PROBLEM);
    if (this.#quality === "") {
      const choice = this.#fitting(seen, nowMs);
      playback.choose(choice?.track, choice?.atOnce);
    }
    const begins = this.#life.look({ ...seen, paused: this.#paused }, nowMs);
    const size = seen.frames > 0 ? `${this.#canvas.width}x${this.#canvas.height}` : this.#size;
    if (size !== this.#size) {
      this.#size = size;
      this.#tell("resize", { width: this.#canvas.width, height: this.#canvas.height });
    }
    if (begins !== undefined) this.#tell(begins, {});
    this.#show();
  }

  #fitting(seen: PlaybackSnapshot, nowMs: number): Choice | undefined {
    return this.#adaptive.look({
      offered: seen.renditions,
      shownMs: seen.shownMs,
      bytes: seen.bytes,
      width: this.clientWidth * devicePixelRatio,
      height: this.clientHeight * devicePixelRatio,
      idle: this.#paused || document.hidden || !seen.connected,
    }, nowMs);
  }

  /** Browsers do not say why a session was refused. The relay does, over HTTP. */
  #askWhy(nowMs: number): void {
    if (this.#asking || this.#target === undefined) return;
    this.#asking = true;
    const target = this.#target;
    void target.access.state().then((state) => {
      if (this.#target !== target) return;
      this.#asking = false;
      // It may have connected meanwhile.
      if (this.#playback?.snapshot().connected) return;
      this.#unconnectedSinceMs = nowMs;
      this.#fail(problemOf(state));
    });
  }

  #fail(problem: EmbedProblem): void {
    if (this.#problem?.code === problem.code) return;
    this.#problem = problem;
    this.#tell("error", { ...problem });
    this.#show();
  }

  #tell(type: string, detail: Readonly<Record<string, unknown>>): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #show(): void {
    const { state } = this.#life;
    const idle = this.#paused && this.#size === "";
    this.#said.textContent = this.#problem?.message ?? (idle ? "" : SAID[state] ?? "");
    this.#said.hidden = this.#said.textContent === "";
    this.#poster.hidden = !this.hasAttribute("poster") || state === "playing" ||
      (state === "paused" && this.#size !== "");
    this.#controls.bar.hidden = !this.hasAttribute("controls");
    const renditions = this.#playback?.snapshot().renditions ?? [];
    this.#controls.show({
      paused: this.#paused,
      muted: this.#muted,
      volume: this.#volume,
      quality: this.#quality,
      qualities: renditions.slice(0, MOST_QUALITIES).map(({ track, config }) => ({
        track,
        label: config.codedHeight === undefined ? inSentence(track) : `${config.codedHeight}p`,
      })),
    });
  }
}

function clamp(volume: number | string | null): number {
  const wanted = Number(volume ?? NaN);
  return Number.isNaN(wanted) ? 0.8 : Math.min(1, Math.max(0, wanted));
}
