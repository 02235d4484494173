import { FragmentMuxer } from "../../../media/mp4/fragment_muxer.ts";
import type { PieceFile } from "./files.ts";
import type { MediaFrame, Rendition } from "../../../media/rendition.ts";

/** A fragment of this size is written, even if times stand still. */
const MAX_HELD_FRAMES = 1000;
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/** Frames for the next fragment of a rendition. */
interface Held {
  frames: MediaFrame[];
  bytes: number;
}

/** A finished file. */
export interface FinishedFile {
  readonly path: string;
  readonly bytes: number;
}

/** One MP4 with all renditions. Its time begins at zero. Each rendition gets a fragment about every second. */
export class Mp4File {
  /** When it began, on the time axis of the broadcast. */
  readonly startUs: number;
  /** Bytes of media so far. */
  bytes = 0;
  readonly #file: PieceFile;
  readonly #muxer: FragmentMuxer;
  readonly #fragmentUs: number;
  readonly #held = new Map<string, Held>();
  #begun = false;

  /** @param keyframes Keyframes of the renditions whose parameter sets are in their keyframes. */
  constructor(
    file: PieceFile,
    renditions: readonly Rendition[],
    options: {
      readonly startUs: number;
      readonly fragmentMs: number;
      readonly keyframes: ReadonlyMap<string, MediaFrame>;
    },
  ) {
    this.startUs = options.startUs;
    this.#fragmentUs = options.fragmentMs * 1000;
    this.#file = file;
    this.#muxer = new FragmentMuxer(renditions);
    for (const [name, frame] of options.keyframes) this.#muxer.learn(name, frame);
    for (const { name } of renditions) this.#held.set(name, { frames: [], bytes: 0 });
  }

  /**
   * Adds a frame. Frames of other renditions, and audio from before the start of the file, are left out.
   * @returns Fulfils when there is room for more; absent while there is. @throws {RecordFailed}
   */
  add({ name, kind }: Rendition, frame: MediaFrame): Promise<void> | undefined {
    const held = this.#held.get(name);
    const timestampUs = frame.timestampUs - this.startUs;
    if (held === undefined || (kind === "audio" && timestampUs < 0)) return undefined;
    const { decodeTimeUs } = frame;
    const shifted = {
      ...frame,
      timestampUs,
      ...(decodeTimeUs !== undefined && { decodeTimeUs: decodeTimeUs - this.startUs }),
    };
    const [first] = held.frames;
    const full = held.frames.length >= MAX_HELD_FRAMES || held.bytes >= MAX_HELD_BYTES;
    const due = first !== undefined && (timestampUs - first.timestampUs >= this.#fragmentUs ||
      (kind === "video" && frame.keyframe) || full);
    const written = due ? this.#flush(name, held, timestampUs) : undefined;
    held.frames.push(shifted);
    held.bytes += frame.payload.length;
    this.bytes += frame.payload.length;
    return written;
  }

  /**
   * Writes the frames that are held, and gives the file its name.
   * @returns The file; `undefined` when nothing was written. @throws {RecordFailed}
   */
  async finish(): Promise<FinishedFile | undefined> {
    try {
      for (const [name, held] of this.#held) {
        if (held.frames.length > 0 && this.#file.failure === undefined) {
          await this.#flush(name, held);
        }
      }
    } finally {
      await this.#file.finish();
    }
    const { path, length: bytes } = this.#file;
    return bytes > 0 ? { path, bytes } : undefined;
  }

  async #flush(name: string, held: Held, nextUs?: number): Promise<void> {
    const fragment = this.#muxer.fragment(name, held.frames, nextUs);
    [held.frames, held.bytes] = [[], 0];
    if (!this.#begun) {
      this.#begun = true;
      const init = this.#muxer.init();
      const head = new Uint8Array(init.length + fragment.length);
      head.set(init);
      head.set(fragment, init.length);
      return await this.#file.add(head);
    }
    await this.#file.add(fragment);
  }
}
