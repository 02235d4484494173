/**
 * Waits for the first object of a subgroup that somebody wants.
 *
 * @module
 */
import { sleep } from "../../../../base/sleep.ts";
import type { GroupCursor, Subgroup } from "../../../../relay/group/group.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { ObjectWalk, SLICE_OBJECTS } from "./object_walk.ts";

export class Seeker implements GroupCursor {
  slot = -1;
  readonly #walk: ObjectWalk;
  #done = false;
  #pauses = false;

  /**
   * @param first Id of the first object wanted.
   * @param onFound The walk stands on it, or on one behind it.
   * @param onDone Called once, after that or when there is none.
   */
  constructor(
    readonly subgroup: Subgroup,
    readonly first: number,
    profile: Profile,
    readonly onFound: (walk: ObjectWalk) => void,
    readonly onDone: (seeker: Seeker) => void,
  ) {
    this.#walk = new ObjectWalk(profile);
  }

  start(): void {
    const { subgroup } = this;
    if (this.first > subgroup.lastId) this.#walk.skipWhole(subgroup);
    subgroup.attach(this);
    this.pump();
  }

  pump(): void {
    if (this.#done || this.#pauses) return;
    const walk = this.#walk;
    for (let passed = 1; walk.step(this.subgroup); passed++) {
      if (walk.id < this.first) {
        if (passed % SLICE_OBJECTS === 0) return this.#pause();
        continue;
      }
      this.onFound(walk);
      return this.stop();
    }
    if (this.subgroup.state !== "open") this.stop();
  }

  #pause(): void {
    this.#pauses = true;
    void sleep(0).then(() => {
      this.#pauses = false;
      this.pump();
    });
  }

  evicted(): void {
    this.stop();
  }

  stop(): void {
    if (this.#done) return;
    this.#done = true;
    this.subgroup.detach(this);
    this.onDone(this);
  }
}
