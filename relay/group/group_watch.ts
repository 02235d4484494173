import type { Group, GroupCopy, Subgroup } from "./group.ts";

/** Told of a group as it grows. Methods must not throw. */
export interface GroupWatcher {
  /** One of its subgroups: those that are here, then each new one. Attach a cursor to follow its bytes. */
  opened(subgroup: Subgroup): void;
  /**
   * No further subgroup is waited for. {@link Group.isOver} says whether those that came have ended too. It may be said more
   * than once.
   */
  settled(): void;
}

/** Follows all subgroups of a group, also those that come later. It retains the group until it is closed. */
export class GroupWatch implements GroupCopy {
  readonly heldBytes = 0;
  readonly #watcher: GroupWatcher;
  #closed = false;

  constructor(readonly group: Group, watcher: GroupWatcher) {
    this.#watcher = watcher;
    group.retain();
    group.copies = [...group.copies, this];
    for (const subgroup of group.subgroups) this.opened(subgroup);
  }

  opened(subgroup: Subgroup): void {
    if (!this.#closed) this.#watcher.opened(subgroup);
  }

  resume(): void {
    if (!this.#closed && !this.group.awaitsMore) this.#watcher.settled();
  }

  /** The cursors of its subgroups are told. */
  evict(): void {}

  /** Nothing more is told. Harmless when it is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.group.copies = this.group.copies.filter((copy) => copy !== this);
    this.group.release();
  }
}
