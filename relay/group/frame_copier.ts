import { FrameWalk } from "./frame_layout.ts";
import type { GroupWriter } from "./group_writer.ts";

/** Copies kept frames from one group into another, as they come. */
export class FrameCopier {
  readonly #walk = new FrameWalk();
  readonly #writer: GroupWriter;
  #framesLeft: number;

  /**
   * @param writer Made with the index of the first frame that comes: it skips frames before its own start.
   * @param frames How many frames are taken. Default: all.
   */
  constructor(writer: GroupWriter, frames = Infinity) {
    this.#writer = writer;
    this.#framesLeft = frames;
  }

  /** Whether it is between two frames. */
  get atBoundary(): boolean {
    return this.#walk.left === 0;
  }

  /** Whether it has taken as many frames as it should. */
  get done(): boolean {
    return this.#framesLeft <= 0 && this.#walk.left === 0;
  }

  /**
   * Takes the next bytes. The caller commits.
   * @returns How many it took: no incomplete head, and nothing behind the last frame.
   * @throws {GroupTooLarge}
   */
  push(bytes: Uint8Array): number {
    const walk = this.#walk;
    let at = 0;
    for (;;) {
      if (walk.left > 0) {
        const taken = this.#writer.payload(at === 0 ? bytes : bytes.subarray(at));
        walk.left -= taken;
        at += taken;
        if (walk.left > 0) return at;
      }
      if (this.#framesLeft <= 0) return at;
      const behind = walk.head(bytes, at);
      if (behind === at) return at;
      at = behind;
      this.#framesLeft--;
      this.#writer.begin(walk.timestamp, walk.size);
    }
  }
}
