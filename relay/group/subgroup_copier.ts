import { FrameCopier } from "./frame_copier.ts";
import type { GroupState } from "./group.ts";
import type { GroupWriter, Marks } from "./group_writer.ts";

/**
 * Puts the kept bytes of another thread's subgroup into this thread's, as they come: frames one by one, as a source that is
 * lost in between is gone on with by frames; other layouts as they are.
 */
export class SubgroupCopier {
  readonly #writer: GroupWriter;
  readonly #frames: FrameCopier | undefined;

  constructor(writer: GroupWriter) {
    this.#writer = writer;
    const { layout } = writer.subgroup.head;
    this.#frames = layout === "frames" ? new FrameCopier(writer) : undefined;
  }

  /** Whether it has to be told where records end. */
  get needsMarks(): boolean {
    return this.#frames === undefined;
  }

  /**
   * Takes the bytes that come next and shows them.
   * @param marks How many records are whole, and where the last of them ends: not behind these bytes, or it is told again.
   * @returns How many were taken: not half of a frame's head.
   * @throws {GroupTooLarge}
   */
  push(bytes: Uint8Array, marks: Marks): number {
    if (this.#frames === undefined) this.#writer.copied(bytes, marks);
    const taken = this.#frames?.push(bytes) ?? bytes.length;
    this.#writer.commit();
    return taken;
  }

  /** The other thread's has ended, and all its bytes were taken. Harmless while it is open. */
  end(state: GroupState): void {
    const whole = state === "complete" && (this.#frames?.atBoundary ?? true);
    if (whole) this.#writer.finish();
    else if (state !== "open") this.#writer.cut();
  }
}
