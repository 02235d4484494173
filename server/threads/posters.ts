/**
 * Send subgroups to another thread as they grow.
 *
 * @module
 */
import type { Group, GroupCursor, GroupState, Subgroup } from "../../relay/group/group.ts";
import { GroupWatch } from "../../relay/group/group_watch.ts";
import type { Marks } from "../../relay/group/record_writer.ts";

/** One piece of a subgroup. @param bytes The receiver may take their memory. */
export type Post = (bytes: Uint8Array<ArrayBuffer>, marks: Marks, state: GroupState) => void;

/** Sends one subgroup. The first pump sends a piece even if it is empty. */
export class Poster implements GroupCursor {
  slot = -1;
  #sent = 0;
  #begun = false;

  constructor(readonly subgroup: Subgroup, readonly send: Post) {
    subgroup.attach(this);
  }

  pump(): void {
    const { subgroup } = this;
    const { state } = subgroup;
    const before = this.#sent;
    while (this.#sent < subgroup.bytes) {
      const bytes = new Uint8Array(subgroup.slice(this.#sent));
      this.#sent += bytes.length;
      this.#post(bytes, "open");
    }
    if (state === "open" && (this.#begun || this.#sent > before)) return;
    this.#begun = true;
    if (state !== "open") this.leave();
    this.#post(new Uint8Array(0), state);
  }

  leave(): void {
    this.subgroup.detach(this);
  }

  #post(bytes: Uint8Array<ArrayBuffer>, state: GroupState): void {
    const { frames, wholeBytes, lastId } = this.subgroup;
    this.send(bytes, { frames, wholeBytes, lastId }, state);
  }
}

/** What {@link GroupPoster} sends. `key` is the number of the subgroup among those of its group. */
export interface GroupPosts {
  opened(key: number, subgroup: Subgroup): void;
  grown(key: number, ...piece: Parameters<Post>): void;
  /** Nothing more comes. */
  over(complete: boolean): void;
}

/** Sends a whole group: its subgroups, also those that open later. */
export class GroupPoster {
  readonly #watch: GroupWatch;
  readonly #posters: Poster[] = [];
  /** Nothing more is sent. */
  over = false;

  constructor(readonly group: Group, readonly posts: GroupPosts) {
    this.#watch = new GroupWatch(group, {
      opened: (subgroup) => this.#opened(subgroup),
      settled: () => this.#check(),
    });
    this.#check();
  }

  #opened(subgroup: Subgroup): void {
    const key = this.#posters.length;
    this.posts.opened(key, subgroup);
    const poster = new Poster(subgroup, (...piece) => {
      this.posts.grown(key, ...piece);
      if (subgroup.state !== "open") queueMicrotask(() => this.#check());
    });
    this.#posters.push(poster);
    poster.pump();
  }

  /** Sends nothing more. Harmless when all is sent. */
  close(): void {
    this.over = true;
    for (const poster of this.#posters) poster.leave();
    this.#watch.close();
  }

  #check(): void {
    if (this.over || !this.group.isOver) return;
    this.posts.over(this.group.state === "complete");
    this.close();
  }
}
