/**
 * What is known of a subgroup when its stream opens.
 *
 * @module
 */

/**
 * Names of the layouts in which records are kept. "frames" is moq-lite's (`frame_layout.ts`). The others are what a stream of
 * moq-transport carries since the draft of that number; who speaks it reads and writes them. Other threads know a layout by
 * its place in this list.
 */
export const LAYOUTS = ["frames", "objects14", "objects16", "objects18"] as const;

export type Layout = typeof LAYOUTS[number];

export interface SubgroupHead {
  /** Its number in the group. */
  readonly id: number;
  readonly layout: Layout;
  /** 0–255, as the publisher ranks it; absent where it says nothing of its own. */
  readonly publisherPriority?: number;
  /** The last record of the group is in it. */
  readonly endOfGroup: boolean;
}

/** A group of moq-lite: all of it is one stream. */
export const WHOLE_GROUP: SubgroupHead = { id: 0, layout: "frames", endOfGroup: true };
