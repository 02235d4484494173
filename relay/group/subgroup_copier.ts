import { FrameCopier } from "./frame_copier.ts";
import type { GroupState } from "./group.ts";
import type { GroupWriter } from "./group_writer.ts";
import { type Marks, RecordCopier } from "./record_writer.ts";

/**
 * Copies a subgroup of another thread, as its bytes come. Frames are read one by one: if the source is lost, another one
 * continues with the next frame. Other layouts are copied as they are.
 */
export class SubgroupCopier {
  readonly #copier: FrameCopier | RecordCopier;

  constructor(readonly writer: GroupWriter) {
    const { layout } = writer.subgroup.head;
    this.#copier = layout === "frames" ? new FrameCopier(writer) : new RecordCopier(writer);
  }

  /** Whether `push` needs marks. */
  get needsMarks(): boolean {
    return this.#copier instanceof RecordCopier;
  }

  /**
   * Takes the next bytes and commits.
   * @param marks How far the records of the other thread are whole.
   * @returns How many it took: no incomplete head of a frame.
   * @throws {GroupTooLarge}
   */
  push(bytes: Uint8Array, marks: Marks): number {
    let taken = bytes.length;
    if (this.#copier instanceof RecordCopier) this.#copier.push(bytes, marks);
    else taken = this.#copier.push(bytes);
    this.writer.commit();
    return taken;
  }

  /** Ends the copy as the other thread's subgroup has ended. Harmless while that is open. */
  end(state: GroupState): void {
    const whole = state === "complete" && this.#copier.atBoundary;
    if (whole) this.writer.finish();
    else if (state !== "open") this.writer.cut();
  }
}
