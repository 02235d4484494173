/**
 * The objects of a group in the order of their ids, whatever subgroups they are in.
 *
 * @module
 */
import type { Subgroup } from "../../../../relay/group/group.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { ObjectWalk } from "../objects/object_walk.ts";

/** A subgroup, and where in it the next object stands. */
export interface Standing {
  readonly subgroup: Subgroup;
  readonly walk: ObjectWalk;
}

export class MergedObjects {
  /** A heap: none has a lower id than the first. */
  readonly #heap: Standing[] = [];
  /** Whether some subgroup has lost its rest. */
  isCut = false;
  #current: Standing | undefined;

  /** @param subgroups In the layout of the draft. Only objects that are whole are taken. */
  constructor(subgroups: readonly Subgroup[], profile: Profile) {
    for (const subgroup of subgroups) this.#push({ subgroup, walk: new ObjectWalk(profile) });
  }

  /** Stands on the next object; `undefined` at the end. Valid until the next call. */
  next(): Standing | undefined {
    if (this.#current !== undefined) this.#push(this.#current);
    const heap = this.#heap;
    this.#current = heap[0];
    const last = heap.pop();
    if (heap.length > 0) {
      heap[0] = last!;
      this.#sink();
    }
    return this.#current;
  }

  #push(one: Standing): void {
    const { walk, subgroup } = one;
    if (!walk.step(subgroup) || !walk.isWhole(subgroup)) {
      this.isCut ||= subgroup.state !== "complete";
      return;
    }
    const heap = this.#heap;
    let at = heap.push(one) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]!.walk.id <= walk.id) break;
      heap[at] = heap[above]!;
      heap[above] = one;
      at = above;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    const one = heap[0]!;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) return;
      if (below + 1 < heap.length && heap[below + 1]!.walk.id < heap[below]!.walk.id) below++;
      if (heap[below]!.walk.id >= one.walk.id) return;
      heap[at] = heap[below]!;
      heap[below] = one;
      at = below;
    }
  }
}
