/// <reference lib="dom" />
/**
 * Plays the past: fetches groups from the relay one after another, decodes them and draws them at the pace they were recorded.
 * Picture only.
 */
import { reasonOf } from "../../../base/errors.ts";
import { sleep } from "../../../base/sleep.ts";
import type { Client } from "../../../client/client.ts";
import type { CatalogVideo } from "../../../media/hang/catalog.ts";
import { decodeLegacyFrame } from "../../../media/hang/legacy_frame.ts";
import { connectTo } from "../../connect/connect_to.ts";
import { pageAccess } from "../../connect/page_access.ts";
import { askGroups, groupsBehind, type PastGroup } from "./past_groups.ts";

/** A video rendition as the catalog has it. */
type PastVideo =
  & { readonly track: string }
  & Pick<CatalogVideo, "codec" | "codedWidth" | "codedHeight" | "description">;

export interface RewindOptions {
  readonly broadcast: string;
  readonly video: PastVideo;
  readonly canvas: HTMLCanvasElement;
  /** How far back to begin, in milliseconds. */
  readonly behindMs: number;
  /** How far back the picture is that is shown now, in milliseconds. */
  readonly onShown: (behindMs: number) => void;
  /** It cannot go on; the reason is a sentence. */
  readonly onFailed: (reason: string) => void;
}

/** How far ahead of the picture frames are decoded, and the longest gap that is waited through. In microseconds. */
const AHEAD_US = 1_000_000;
const GAP_US = 3_000_000;
/** When everything has been played, the relay is asked for more after this many milliseconds. */
const AGAIN_MS = 500;

/** Stop it in the end. */
export class Rewind {
  readonly #o: RewindOptions;
  readonly #stop = new AbortController();
  readonly #decoder: VideoDecoder;
  readonly #frames: VideoFrame[] = [];
  #client: Client | undefined;
  /** How far the relay's clock is ahead of the browser's, in milliseconds. */
  #skewMs = 0;
  /** When each group began to be decoded: its first timestamp and when it was live. */
  #liveAt: { readonly timestampUs: number; readonly atMs: number } | undefined;
  /** The timestamp that is due now is the anchor's plus the time since. */
  #anchor: { readonly timestampUs: number; readonly atMs: number } | undefined;
  #shownUs = 0;

  constructor(options: RewindOptions) {
    this.#o = options;
    this.#decoder = new VideoDecoder({
      output: (frame) => this.#frames.push(frame),
      error: (error) => this.#fail(error.message),
    });
    this.#decoder.configure(configOf(options.video));
    void this.#run().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) {
        this.#fail(reasonOf(error));
      }
    });
    this.#draw();
  }

  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    if (this.#decoder.state !== "closed") this.#decoder.close();
    for (const frame of this.#frames.splice(0)) frame.close();
    void this.#client?.close();
  }

  async #run(): Promise<void> {
    const { broadcast, video, behindMs } = this.#o;
    const { signal } = this.#stop;
    this.#client = await connectTo(pageAccess(), { signal });
    const { nowMs } = await askGroups(broadcast, video.track, 0, signal);
    this.#skewMs = nowMs - Date.now();
    let fromMs = nowMs - behindMs;
    let last: PastGroup | undefined;
    while (!signal.aborted) {
      const { groups } = await askGroups(broadcast, video.track, fromMs, signal);
      const next = groupsBehind(groups, last).filter(({ whole }) => whole);
      for (const group of next) {
        await this.#play(this.#client, group);
        last = group;
        fromMs = group.atMs;
      }
      if (next.length === 0) await sleep(AGAIN_MS, signal);
    }
  }

  async #play(client: Client, { group, atMs }: PastGroup): Promise<void> {
    const { broadcast, video } = this.#o;
    const { signal } = this.#stop;
    const reader = await client.fetch(broadcast, video.track, group, { signal });
    let first = true;
    for await (const { payload } of reader) {
      const frame = decodeLegacyFrame(payload);
      if (frame === undefined) return;
      const { timestampUs: timestamp, data } = frame;
      while (!signal.aborted && this.#ahead(timestamp)) await sleep(20, signal);
      if (signal.aborted) return;
      if (first) this.#liveAt = { timestampUs: timestamp, atMs };
      this.#decoder.decode(
        new EncodedVideoChunk({ type: first ? "key" : "delta", timestamp, data }),
      );
      first = false;
    }
  }

  #ahead(timestampUs: number): boolean {
    if (this.#anchor === undefined) return this.#frames.length > 60;
    const ahead = timestampUs - this.#dueUs();
    return ahead > AHEAD_US && (ahead < GAP_US || this.#frames.length > 0);
  }

  #dueUs(): number {
    const { timestampUs, atMs } = this.#anchor!;
    return timestampUs + (performance.now() - atMs) * 1000;
  }

  #draw(): void {
    if (this.#stop.signal.aborted) return;
    requestAnimationFrame(() => this.#draw());
    const first = this.#frames[0];
    if (first === undefined) return;
    // The pace begins with the first picture, and again after a late one or a gap.
    const off = this.#anchor === undefined ? Infinity : Math.abs(first.timestamp - this.#dueUs());
    if (off > GAP_US / 2) this.#anchor = { timestampUs: first.timestamp, atMs: performance.now() };
    const dueUs = this.#dueUs();
    let due: VideoFrame | undefined;
    while (this.#frames.length > 0 && this.#frames[0]!.timestamp <= dueUs) {
      due?.close();
      due = this.#frames.shift();
    }
    if (due === undefined) return;
    const { canvas, onShown } = this.#o;
    if (canvas.width !== due.displayWidth) canvas.width = due.displayWidth;
    if (canvas.height !== due.displayHeight) canvas.height = due.displayHeight;
    canvas.getContext("2d")!.drawImage(due, 0, 0);
    // Once a second is enough for a text.
    if (this.#liveAt !== undefined && Math.abs(due.timestamp - this.#shownUs) > 1_000_000) {
      this.#shownUs = due.timestamp;
      const shownMs = this.#liveAt.atMs + (due.timestamp - this.#liveAt.timestampUs) / 1000;
      onShown(Math.max(0, Date.now() + this.#skewMs - shownMs));
    }
    due.close();
  }

  #fail(reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.stop();
    this.#o.onFailed(reason);
  }
}

function configOf({ codec, codedWidth, codedHeight, description }: PastVideo): VideoDecoderConfig {
  return {
    codec,
    ...(codedWidth === undefined ? {} : { codedWidth }),
    ...(codedHeight === undefined ? {} : { codedHeight }),
    ...(description ? { description: Uint8Array.fromHex(description) } : {}),
    optimizeForLatency: true,
  };
}
