/**
 * What is known about a subgroup when its stream opens.
 *
 * @module
 */

/**
 * The layout of kept records. "frames" is that of moq-lite (`frame_layout.ts`). The others are the bytes of moq-transport
 * streams since the draft of that number. The core stores them and does not read them.
 */
export type Layout = "frames" | "objects14" | "objects16" | "objects18";

/** All layouts. Threads tell each other the index in this list. */
export const LAYOUTS: readonly Layout[] = ["frames", "objects14", "objects16", "objects18"];

export interface SubgroupHead {
  /** Its number in the group. */
  readonly id: number;
  readonly layout: Layout;
  /** The priority that its publisher gives it, 0–255, if any. */
  readonly publisherPriority?: number;
  /** Whether it has the last record of the group. */
  readonly endOfGroup: boolean;
  /** Whether each record has properties, if only empty ones. Not with "frames". */
  readonly properties?: boolean;
  /** Whether its first record is the first that was ever published in it. Absent: its publisher does not say. */
  readonly firstObject?: boolean;
}

/** The head of every group of moq-lite: one stream has all of it. */
export const WHOLE_GROUP: SubgroupHead = { id: 0, layout: "frames", endOfGroup: true };
