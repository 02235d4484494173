/**
 * Copies the groups of a track from another thread's ring into this thread's track, as they grow.
 *
 * That is one copy per thread and chunk, for any number of viewers. In return no thread retains memory of the other, and a
 * slow viewer here does not matter there.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import { type Marks, NO_MARKS } from "../../relay/group/record_writer.ts";
import { SubgroupCopier } from "../../relay/group/subgroup_copier.ts";
import type { TrackSink } from "../../relay/ports.ts";
import type { SharedGroup, SharedRingReader } from "../../relay/group/shared_ring.ts";

/** A group that is being copied. */
interface Following {
  readonly group: SharedGroup;
  readonly copier: SubgroupCopier;
  position: number;
}

/** Bytes between the two rings. A thread does one thing at a time, so one buffer is enough. */
const scratch = new Uint8Array(64 * 1024);

export class RingFollower {
  readonly #ring: SharedRingReader;
  readonly #sink: TrackSink;
  /** Called when a group is refused: it is too large. */
  readonly #onRefused: (error: Error) => void;
  /** The generation of each slot when it was taken. */
  readonly #taken: Int32Array;
  readonly #following = new Set<Following>();
  #added: number | undefined;
  #from: number;
  #end: number;
  #over = false;

  /** @param range The first and the last group wanted. */
  constructor(
    ring: SharedRingReader,
    sink: TrackSink,
    range: { readonly from: number; readonly end: number },
    onRefused: (error: Error) => void,
  ) {
    this.#ring = ring;
    this.#sink = sink;
    this.#from = range.from;
    this.#end = range.end;
    this.#onRefused = onRefused;
    this.#taken = new Int32Array(ring.capacity).fill(-1);
  }

  /** Follows until {@link RingFollower.stop}. */
  async run(): Promise<void> {
    while (!this.#over) {
      const { changes } = this.#ring;
      this.poll();
      // If more has come meanwhile, the next turn takes it, with whatever comes until then.
      if (this.#over) return;
      if (this.#ring.changes === changes) await this.#ring.wait(changes);
      else await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  /** The last group wanted has changed. */
  extend(end: number): void {
    this.#end = end;
    this.#added = undefined;
    this.poll();
  }

  /** Copies all there is. */
  poll(): void {
    if (this.#over) return;
    const { added } = this.#ring;
    if (added !== this.#added) {
      this.#added = added;
      for (const group of this.#ring.since(this.#from)) this.#take(group);
    }
    for (const following of this.#following) this.#copy(following);
  }

  /** Ends the copying. @param leave Called for groups that are not at their end. */
  stop(leave: (writer: GroupWriter) => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#ring.wake();
    for (const { copier } of this.#following) leave(copier.writer);
    this.#following.clear();
  }

  #take(group: SharedGroup): void {
    if (group.sequence > this.#end || this.#taken[group.slot] === group.generation) return;
    this.#taken[group.slot] = group.generation;
    const head = this.#ring.head(group);
    if (head === "lagged") return;
    const writer = this.#sink.openGroup(group.sequence, group.startFrame, head);
    if (writer === undefined) return;
    this.#following.add({ group, copier: new SubgroupCopier(writer), position: 0 });
  }

  #copy(following: Following): void {
    const { group, copier } = following;
    for (;;) {
      const read = this.#ring.readInto(group, following.position, scratch);
      if (read === "no-arena") return; // its message is on the way and calls this again
      // Behind the bytes: when the group has ended, these are its last ones.
      const marks = copier.needsMarks ? this.#ring.marks(group) : NO_MARKS;
      if (read === "lagged" || marks === "lagged") {
        copier.writer.cut();
        break;
      }
      if (read.length > 0 || copier.needsMarks) {
        const taken = this.#push(following, read.length, marks);
        if (taken < 0) break;
        following.position += taken;
        if (taken < read.length) continue; // a head continues behind what was read
      }
      if (read.state !== "open") {
        copier.end(read.state);
        break;
      }
      if (read.length === 0) return;
    }
    this.#following.delete(following);
  }

  /** @returns How much was taken; -1 when the group takes no more. */
  #push({ copier }: Following, length: number, marks: Marks): number {
    try {
      const taken = copier.push(scratch.subarray(0, length), marks);
      return copier.writer.open ? taken : -1;
    } catch (error) {
      copier.writer.cut();
      this.#onRefused(error as Error);
      return -1;
    }
  }
}
