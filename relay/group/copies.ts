/**
 * Copies of groups in another layout. All readers of a layout share one copy. It is filled as bytes come, and given up when
 * its last reader has left. The core knows no layout but "frames": a program that speaks two protocols brings the converter.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { TrackInfo } from "../reading.ts";
import type { RelayStats } from "../stats.ts";
import { evict, heldBytes } from "./eviction.ts";
import { Group, type GroupCopy, type GroupCursor, type Subgroup } from "./group.ts";
import { GroupWriter } from "./group_writer.ts";
import type { Layout, SubgroupHead } from "./subgroup_head.ts";

/**
 * A subgroup in another layout.
 * @returns The copy, retained for the caller, who attaches a reader and releases it. "merged": the copy of the first subgroup
 *   has it. "none": nothing converts it.
 */
export type CopyOf = (
  subgroup: Subgroup,
  layout: Layout,
  track: CopiedTrack,
) => Subgroup | "merged" | "none";

/** What a copy asks of the track that its group belongs to. */
export interface CopiedTrack {
  readonly info: TrackInfo;
  /** Whether the info may still change. Who needs it takes nothing until then. */
  readonly infoComes: boolean;
  readonly context: { readonly clock: Clock; readonly stats: RelayStats };
}

/** Fills one copy. */
export interface Conversion {
  /**
   * Takes the next bytes of a subgroup. They may end anywhere, also inside a head. The caller commits.
   * @returns How many it took. The rest waits for other subgroups, or for the info of the track. It comes again when one of
   *   them has more or ends, or the info is known.
   * @throws {GroupTooLarge} @throws {Error} It cannot be converted: the copy is cut.
   */
  take(subgroup: Subgroup, bytes: Uint8Array): number;
  /** The subgroup that may go on now, of those that wait for others. Default: each is asked. */
  readonly turn?: Subgroup | undefined;
  /** Whether something is missing that one more subgroup may bring. Default: nothing is. */
  readonly lacksMore?: boolean;
  /** Whether what it has taken said that this is the end of the group. Default: no. */
  readonly sawEnd?: boolean;
  /** All of the source was taken: writes what belongs behind it. @throws {Error} */
  finish?(): void;
}

/** Converts records of one layout into those of another. */
export interface Converter {
  /** Whether all subgroups of a group become one. Otherwise each one has its own copy. */
  readonly merges: boolean;
  /** Head of the copy. */
  head(source: Subgroup): SubgroupHead;
  /** @param track The one that the group belongs to. */
  begin(writer: GroupWriter, track: CopiedTrack): Conversion;
}

/** The converter from one layout to another, if there is one. */
export type Convert = (from: Layout, to: Layout) => Converter | undefined;

/** Makes the copies of groups by these converters. */
export function copiesBy(convert: Convert): CopyOf {
  return (subgroup, layout, track) => copyOf(subgroup, layout, track, convert);
}

/** The copies by the subgroup that they are of: a group may have a thousand. A merged one is of the first. */
const copiesOf = new WeakMap<Subgroup, readonly Copy[]>();

function copyOf(
  subgroup: Subgroup,
  layout: Layout,
  track: CopiedTrack,
  convert: Convert,
): ReturnType<CopyOf> {
  const { group, head } = subgroup;
  const known = copiesOf.get(subgroup) ?? [];
  const live = known.find((one) => one.layout === layout && one.isLive);
  if (live !== undefined) {
    live.target.retain();
    return live.target;
  }
  const converter = convert(head.layout, layout);
  if (converter === undefined) return "none";
  if (converter.merges && subgroup !== group.first) return "merged";
  const copy = new Copy(subgroup, layout, converter, track);
  copiesOf.set(subgroup, [...known.filter((one) => one.isLive), copy]);
  group.copies = [...group.copies.filter((one) => !(one instanceof Copy) || one.isLive), copy];
  copy.start();
  return copy.target;
}

/** The source has the same bounds already. */
const NO_LIMIT = { maxGroupBytes: Infinity };

class Copy implements GroupCopy {
  readonly target: Subgroup;
  readonly #merges: boolean;
  readonly #writer: GroupWriter;
  readonly #conversion: Conversion;
  readonly #follows = new Map<Subgroup, Follow>();
  #watched = false;
  #done = false;
  #givenUp = false;

  constructor(
    readonly source: Subgroup,
    readonly layout: Layout,
    converter: Converter,
    readonly track: CopiedTrack,
  ) {
    const { group, head, startFrame } = source;
    this.#merges = converter.merges;
    const comesWhole = group.fromStart || (head.id > 0 && group.awaitsMore);
    this.target = Group.alone(group.pool, group.sequence, group.openedAtMs, {
      head: { ...converter.head(source), layout },
      startFrame: this.#merges && comesWhole ? 0 : startFrame,
      copyOf: group,
    });
    this.#writer = new GroupWriter(this.target, NO_LIMIT);
    this.#conversion = converter.begin(this.#writer, track);
  }

  /** Whether a new reader can still read it from the beginning. */
  get isLive(): boolean {
    return this.target.group.isHeld && !this.#givenUp;
  }

  get heldBytes(): number {
    return heldBytes(this.target.group);
  }

  /** Follows the subgroups. The target is retained twice: until this ends, and for the caller. */
  start(): void {
    this.target.retain();
    const { subgroups } = this.source.group;
    for (const subgroup of this.#merges ? subgroups : [this.source]) this.#follow(subgroup);
    this.pump();
  }

  opened(subgroup: Subgroup): void {
    if (this.#merges && !this.#done) this.#follow(subgroup);
  }

  resume(): void {
    this.pump();
  }

  evict(): void {
    evict(this.target.group);
  }

  /** @param from Whose bytes or end have come; all of them by default. A group may have a thousand that wait. */
  pump(from?: Follow): void {
    const { target } = this;
    if (this.#done) return;
    if (target.cursors.length > 0) this.#watched = true;
    else if (this.#watched) return this.#giveUp();
    if (target.state !== "open") return this.#giveUp(); // it was evicted
    try {
      if (from === undefined || !("turn" in this.#conversion)) { while (this.#takeAll()); }
      else this.#take(from);
      while (this.#takeTurn());
    } catch {
      this.track.context.stats.groupsUnconverted++;
      return this.#giveUp();
    }
    this.#writer.commit();
    const { group } = this.source;
    if (this.#done) return; // a reader has evicted the group
    if (this.#merges ? !this.#isOver(group) : this.source.state === "open") return;
    try {
      if ([...this.#follows.values()].every((one) => one.isWhole)) this.#finish();
      else this.#writer.cut();
    } catch {
      return this.#giveUp();
    }
    this.#leave();
  }

  /** Whether no subgroup brings anything more. */
  #isOver(group: Group): boolean {
    const { lacksMore = false, sawEnd = false } = this.#conversion;
    if (lacksMore && group.awaitsMore) return false;
    return group.isOver || (sawEnd && group.state !== "open");
  }

  #finish(): void {
    this.#conversion.finish?.();
    this.#writer.finish();
  }

  /** @returns Whether anything was taken. Then it may be the turn of another subgroup. */
  #takeAll(): boolean {
    let moved = false;
    for (const follow of this.#follows.values()) if (this.#take(follow)) moved = true;
    return moved;
  }

  /** @returns Whether a subgroup that had waited went on. Then it may be the turn of another one. */
  #takeTurn(): boolean {
    const { turn } = this.#conversion;
    const follow = turn && this.#follows.get(turn);
    return follow !== undefined && this.#take(follow);
  }

  /** @returns Whether anything was taken. */
  #take(follow: Follow): boolean {
    const { subgroup, position: before } = follow;
    while (follow.position < subgroup.bytes) {
      const taken = this.#conversion.take(subgroup, subgroup.slice(follow.position));
      if (taken === 0) break;
      follow.position += taken;
    }
    return follow.position > before;
  }

  #follow(subgroup: Subgroup): void {
    const follow = new Follow(this, subgroup);
    this.#follows.set(subgroup, follow);
    subgroup.attach(follow);
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#writer.cut();
    this.#leave();
  }

  #leave(): void {
    if (this.#done) return;
    this.#done = true;
    for (const follow of this.#follows.values()) follow.subgroup.detach(follow);
    this.target.release();
  }
}

/** How far the copy has come in one subgroup. */
class Follow implements GroupCursor {
  slot = -1;
  position = 0;

  constructor(readonly copy: Copy, readonly subgroup: Subgroup) {}

  /** Whether all of it was taken. */
  get isWhole(): boolean {
    return this.subgroup.state === "complete" && this.position === this.subgroup.bytes;
  }

  pump(): void {
    this.copy.pump(this);
  }
}
