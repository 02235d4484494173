import { FrameCopier } from "./frame_copier.ts";
import type { GroupState } from "./group.ts";
import type { GroupWriter, Marks } from "./group_writer.ts";

/**
 * Copies a subgroup of another thread, as its bytes come. Frames are read one by one: if the source is lost, another one
 * continues with the next frame. Other layouts are copied as they are.
 */
export class SubgroupCopier {
  readonly #writer: GroupWriter;
  readonly #frames: FrameCopier | undefined;

  constructor(writer: GroupWriter) {
    this.#writer = writer;
    const { layout } = writer.subgroup.head;
    this.#frames = layout === "frames" ? new FrameCopier(writer) : undefined;
  }

  /** Whether `push` needs marks. */
  get needsMarks(): boolean {
    return this.#frames === undefined;
  }

  /**
   * Takes the next bytes and commits.
   * @param marks How far the records of the other thread are whole.
   * @returns How many it took: no incomplete head of a frame.
   * @throws {GroupTooLarge}
   */
  push(bytes: Uint8Array, marks: Marks): number {
    if (this.#frames === undefined) this.#writer.copied(bytes, marks);
    const taken = this.#frames?.push(bytes) ?? bytes.length;
    this.#writer.commit();
    return taken;
  }

  /** Ends the copy as the other thread's subgroup has ended. Harmless while that is open. */
  end(state: GroupState): void {
    const whole = state === "complete" && (this.#frames?.atBoundary ?? true);
    if (whole) this.#writer.finish();
    else if (state !== "open") this.#writer.cut();
  }
}
