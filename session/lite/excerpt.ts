/**
 * Some frames of a group as a group of its own, for the rare reader that asks for frame bounds (06). They are copied as they
 * come in, with new timestamp deltas. All other readers read the shared bytes and pay nothing for this.
 *
 * @module
 */
import { FrameCopier } from "../../relay/group/frame_copier.ts";
import type { FramePool } from "../../relay/group/frame_pool.ts";
import { Group, type GroupCursor, type Subgroup } from "../../relay/group/group.ts";
import { GroupWriter } from "../../relay/group/group_writer.ts";

/** Which frames of a group, by their index in it. */
export interface FrameBounds {
  readonly startFrame: number;
  /** Inclusive; to the end of the group when absent. */
  readonly endFrame: number | undefined;
}

/** Whether these bounds leave anything out. */
export function isBounded({ startFrame, endFrame }: FrameBounds): boolean {
  return startFrame > 0 || endFrame !== undefined;
}

/**
 * Copies the frames of a group within `bounds`, as they come in.
 * @returns The copy, retained for the caller, who attaches a reader and releases it. It is cut when its group is cut, and
 *   given up when its last reader leaves.
 */
export function excerpt(source: Subgroup, bounds: FrameBounds, pool: FramePool): Subgroup {
  const startFrame = Math.max(bounds.startFrame, source.startFrame);
  const { sequence, group } = source;
  const options = { startFrame, copyOf: group };
  const copy = Group.alone(pool, sequence, group.openedAtMs, options);
  new Excerpt(source, copy, bounds.endFrame ?? Infinity).start();
  return copy;
}

/** The source has the same bounds already. */
const NO_LIMIT = { maxGroupBytes: Infinity };

class Excerpt implements GroupCursor {
  slot = -1;
  #position = 0;
  #watched = false;
  #done = false;
  readonly #writer: GroupWriter;
  readonly #copier: FrameCopier;

  constructor(
    readonly source: Subgroup,
    readonly copy: Subgroup,
    endFrame: number,
  ) {
    this.#writer = new GroupWriter(copy, NO_LIMIT, [], source.startFrame);
    this.#copier = new FrameCopier(this.#writer, endFrame + 1 - source.startFrame);
  }

  start(): void {
    this.copy.retain();
    this.source.attach(this);
    this.pump();
  }

  pump(): void {
    if (this.#done) return;
    const { source, copy } = this;
    if (copy.cursors.length > 0) this.#watched = true;
    else if (this.#watched) return this.#end("cut");
    while (this.#position < source.bytes && !this.#copier.done) {
      this.#position += this.#copier.push(source.slice(this.#position));
    }
    this.#writer.commit();
    if (this.#copier.done) this.#end("complete");
    else if (source.state !== "open") this.#end(source.state);
  }

  #end(state: "complete" | "cut"): void {
    this.#done = true;
    if (state === "complete") this.#writer.finish();
    else this.#writer.cut();
    this.source.detach(this);
    this.copy.release();
  }
}
