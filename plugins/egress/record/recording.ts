/**
 * Writes one broadcast to files. A new file begins at a keyframe when the last one is long or large enough.
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

/** A longer jump in time begins a new file. */
const JUMP_US = 10_000_000;
/** This many jumps may follow each other at once, then one per interval. Frames after further jumps are left out. */
const JUMPS = 8;
const JUMP_EVERY_MS = 5_000;
/** How far audio may lag behind the video of the next file. */
const LATE_US = 3_000_000;
/** How long the first file waits for parameter sets that are in keyframes. */
const HEADERS_MS = 3000;

export interface RecordingOptions {
  readonly clock: Clock;
  readonly rotateAfterMs: number;
  readonly rotateBytes: number;
  readonly fragmentMs: number;
  readonly stats: Pick<PluginStats, "framesOut" | "bytesOut" | "skipped">;
  /** Makes a file with a name that no other file has. */
  newFile(): Promise<PieceFile>;
  /** Called when a file is finished. */
  onfinished(file: FinishedFile): void;
}

export class Recording implements FrameSink {
  readonly #renditions: readonly Rendition[];
  readonly #leader: Rendition;
  readonly #options: RecordingOptions;
  /** By rendition: the beginning of its newest keyframe, if that holds the parameter sets. */
  readonly #keyframes = new Map<string, MediaFrame>();
  readonly #waitUntilMs: number;
  #file: Mp4File | undefined;
  /** The file before: frames that lag behind still go there. */
  #before: Mp4File | undefined;
  #behind = new Set<string>();
  #lastUs = 0;
  readonly #jumps = new Burst(JUMPS, JUMP_EVERY_MS);
  /** The leader jumped to a time that no file was begun for. */
  #astray = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(renditions: readonly Rendition[], options: RecordingOptions) {
    this.#renditions = renditions;
    this.#leader = leaderOf(renditions)!;
    this.#options = options;
    this.#waitUntilMs = options.clock.now() + HEADERS_MS;
  }

  /** Takes the frames of all renditions one after another: a change of files is finished first. */
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
      // A copy: a view would keep the whole frame in memory.
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
