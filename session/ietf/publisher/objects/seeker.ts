/**
 * Waits for the first object of a subgroup that somebody wants.
 *
 * @module
 */
import type { GroupCursor, Subgroup } from "../../../../relay/group/group.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { ObjectWalk } from "./object_walk.ts";

export class Seeker implements GroupCursor {
  slot = -1;
  readonly #walk: ObjectWalk;
  #done = false;

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
    this.subgroup.attach(this);
    this.pump();
  }

  pump(): void {
    if (this.#done) return;
    const walk = this.#walk;
    while (walk.step(this.subgroup)) {
      if (walk.id < this.first) continue;
      this.onFound(walk);
      return this.stop();
    }
    if (this.subgroup.state !== "open") this.stop();
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
