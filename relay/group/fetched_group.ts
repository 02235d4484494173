/**
 * A group that is fetched by its number: what its source writes of it, and where it is kept meanwhile.
 *
 * @module
 */
import type { FramePool } from "./frame_pool.ts";
import { Group } from "./group.ts";
import { type GroupLimits, GroupWriter, type IngressCounter } from "./group_writer.ts";
import type { SubgroupHead } from "./subgroup_head.ts";

/** Takes the subgroups of a fetched group. */
export interface GroupSink {
  /**
   * Objects of one more subgroup come.
   * @param head Which one it is. Default: the whole group, in frames.
   * @param startFrame Index of the first frame, or id of the first object. Default 0.
   * @returns Its writer, which stays open until {@link GroupSink.ended}; `undefined` when it is not wanted.
   */
  open(head?: SubgroupHead, startFrame?: number): GroupWriter | undefined;
  /**
   * Nothing more comes. Ends all writers. Only the first call counts.
   * @param complete Whether all objects of the group came. Otherwise its open subgroups are cut.
   */
  ended(complete: boolean): void;
}

/** The options are those of {@link Group} and {@link GroupWriter}. */
export interface FetchedGroupOptions {
  readonly pool: FramePool;
  readonly sequence: number;
  readonly now: number;
  readonly limits: GroupLimits;
  readonly counters: readonly IngressCounter[];
}

export class FetchedGroup implements GroupSink {
  readonly #o: FetchedGroupOptions;
  /** Retained once, for who takes it. If nobody reads it any more, its writers are not open any more. */
  #group: Group | undefined;
  #over = false;

  constructor(options: FetchedGroupOptions) {
    this.#o = options;
  }

  /** What has come, retained for the caller; `undefined` when nothing has. Call it once, or {@link FetchedGroup.drop}. */
  take(): Group | undefined {
    return this.#group;
  }

  /** Nobody takes it. */
  drop(): void {
    this.ended(false);
    this.#group?.release();
  }

  open(head?: SubgroupHead, startFrame = 0): GroupWriter | undefined {
    if (this.#over || this.#group?.isHeld === false) return undefined;
    const { pool, sequence, now, limits, counters } = this.#o;
    let subgroup;
    if (this.#group === undefined) {
      this.#group = new Group(pool, sequence, now, head, startFrame);
      subgroup = this.#group.first;
    } else subgroup = this.#group.open(head, startFrame);
    return subgroup && new GroupWriter(subgroup, limits, counters);
  }

  ended(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    const group = this.#group;
    if (group === undefined) return;
    group.settle();
    for (const subgroup of group.subgroups) {
      const whole = complete && subgroup.wholeBytes === subgroup.written;
      subgroup.end(whole ? "complete" : "cut");
    }
  }
}
