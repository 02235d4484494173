/**
 * The objects of a group in the order of their ids, whatever subgroups they are in.
 *
 * @module
 */
import { Heap } from "../../../convert/heap.ts";
import type { Subgroup } from "../../../../relay/group/group.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { ObjectWalk } from "../objects/object_walk.ts";

/** A subgroup, and where in it the next object stands. */
export interface Standing {
  readonly subgroup: Subgroup;
  readonly walk: ObjectWalk;
}

export class MergedObjects {
  /** Where each subgroup stands. */
  readonly #standing = new Heap<Standing>((a, b) => a.walk.id < b.walk.id);
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
    const first = this.#standing.first;
    if (first !== undefined) this.#standing.delete(first);
    return this.#current = first;
  }

  #push(one: Standing): void {
    const { walk, subgroup } = one;
    if (!walk.step(subgroup) || !walk.isWhole(subgroup)) {
      this.isCut ||= subgroup.state !== "complete";
      return;
    }
    this.#standing.add(one);
  }
}
