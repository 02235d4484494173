/**
 * One broadcast into files, a new one at a keyframe when the last is long or large enough.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import { Burst } from "../../../base/burst.ts";
import { MAX_HEADER_BYTES } from "../../../media/codec/annexb.ts";
import { isAnnexB } from "../../../media/codec/family.ts";
import type { FrameSink } from "../../../media/broadcast/read_into.ts";
import { leaderOf } from "../../../media/segment/segmenter.ts";
import type { PluginStats } from "../../plugin.ts";
import type { PieceFile } from "./files.ts";
import { type FinishedFile, Mp4File } from "./mp4_file.ts";
import type { MediaFrame, Rendition } from "../../../media/rendition.ts";

/** Times that jump further than this begin a new file. */
const JUMP_US = 10_000_000;
/** They may so often at once, and then once in a while: in between frames are left out. */
const JUMPS = 8;
const JUMP_EVERY_MS = 5_000;
/** How long sound may lag behind the picture of the next file. */
const LATE_US = 3_000_000;
/** How long is waited for headers that stand in keyframes. */
const HEADERS_MS = 3000;

export interface RecordingOptions {
  readonly clock: Clock;
  readonly rotateAfterMs: number;
  readonly rotateBytes: number;
  readonly fragmentMs: number;
  readonly stats: Pick<PluginStats, "framesOut" | "bytesOut" | "skipped">;
  /** A file with a name that no other has. */
  newFile(): Promise<PieceFile>;
  /** A file has its name. */
  onfinished(file: FinishedFile): void;
}

export class Recording implements FrameSink {
  readonly #renditions: readonly Rendition[];
  readonly #leader: Rendition;
  readonly #options: RecordingOptions;
  /** The beginnings of the newest of those that carry the header of their rendition. */
  readonly #keyframes = new Map<string, MediaFrame>();
  readonly #waitUntilMs: number;
  #file: Mp4File | undefined;
  /** The one before: what lags behind still belongs there. */
  #before: Mp4File | undefined;
  #behind = new Set<string>();
  #lastUs = 0;
  readonly #jumps = new Burst(JUMPS, JUMP_EVERY_MS);
  /** The leader's frames belong to a time that no file was begun for. */
  #astray = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(renditions: readonly Rendition[], options: RecordingOptions) {
    this.#renditions = renditions;
    this.#leader = leaderOf(renditions)!;
    this.#options = options;
    this.#waitUntilMs = options.clock.now() + HEADERS_MS;
  }

  /** One after another, whatever rendition they are of: a file that changes is finished first. */
  frame(rendition: Rendition, frame: MediaFrame): Promise<void> {
    const done = this.#turn.then(() => this.#take(rendition, frame));
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Finishes the files. */
  async end(): Promise<void> {
    await this.#turn;
    try {
      await this.#finishBefore();
    } finally {
      const file = this.#file;
      this.#file = undefined;
      this.#finished(await file?.finish());
    }
  }

  async #take(rendition: Rendition, frame: MediaFrame): Promise<void> {
    if (frame.keyframe && isAnnexB(rendition)) {
      // A copy: a part of it would hold the whole.
      const payload = frame.payload.slice(0, MAX_HEADER_BYTES);
      this.#keyframes.set(rendition.name, { ...frame, payload });
    }
    const leads = rendition === this.#leader;
    if (leads && frame.keyframe) {
      this.#astray = this.#jumped(frame) && this.#jumps.waitMs(this.#options.clock.now()) > 0;
      if (!this.#astray && this.#due(frame)) await this.#rotate(frame);
    }
    if (leads && this.#astray) {
      this.#options.stats.skipped++;
      return;
    }
    if (leads) this.#lastUs = frame.timestampUs;
    if (this.#file === undefined) return;
    const late = this.#before !== undefined && this.#behind.has(rendition.name) &&
      frame.timestampUs < this.#file.startUs;
    if (!late) this.#behind.delete(rendition.name);
    const over = this.#behind.size === 0 ||
      (leads && frame.timestampUs - this.#file.startUs > LATE_US);
    if (this.#before !== undefined && over) await this.#finishBefore();
    await ((late && this.#before) || this.#file).add(rendition, frame);
    this.#options.stats.framesOut++;
    this.#options.stats.bytesOut += frame.payload.length;
  }

  #jumped({ timestampUs }: MediaFrame): boolean {
    return this.#file !== undefined && Math.abs(timestampUs - this.#lastUs) > JUMP_US;
  }

  #due(frame: MediaFrame): boolean {
    if (this.#file === undefined) return true;
    if (this.#jumped(frame)) {
      this.#jumps.took(this.#options.clock.now());
      return true;
    }
    const { timestampUs } = frame;
    const { rotateAfterMs, rotateBytes } = this.#options;
    return timestampUs - this.#file.startUs >= rotateAfterMs * 1000 ||
      this.#file.bytes >= rotateBytes;
  }

  async #rotate({ timestampUs }: MediaFrame): Promise<void> {
    const { clock, fragmentMs, newFile } = this.#options;
    const known = this.#renditions.filter((rendition) =>
      !isAnnexB(rendition) || this.#keyframes.has(rendition.name)
    );
    if (known.length < this.#renditions.length && clock.now() < this.#waitUntilMs) return;
    await this.#finishBefore();
    this.#before = this.#file;
    const others = this.#renditions.filter((rendition) => rendition !== this.#leader);
    this.#behind = new Set(this.#before && others.map(({ name }) => name));
    this.#file = new Mp4File(await newFile(), known, {
      startUs: timestampUs,
      fragmentMs,
      keyframes: this.#keyframes,
    });
  }

  async #finishBefore(): Promise<void> {
    const before = this.#before;
    this.#before = undefined;
    this.#finished(await before?.finish());
  }

  #finished(file: FinishedFile | undefined): void {
    if (file !== undefined) this.#options.onfinished(file);
  }
}
