/**
 * Waits until a group has what is asked of it.
 *
 * @module
 */
import type { Clock } from "../../../../base/clock.ts";
import type { Group, GroupCursor, Subgroup } from "../../../../relay/group/group.ts";
import { GroupWatch } from "../../../../relay/group/group_watch.ts";

/** How long a group is waited for. What has come by then is sent. */
const MAX_WAIT_MS = 5000;

/**
 * Waits until a group is over, or has an object to its end.
 * @param last The id of that object; absent for all.
 * @param gone Fulfils when nobody waits any more.
 */
export async function settledGroup(
  group: Group,
  last: number | undefined,
  clock: Clock,
  gone: Promise<unknown>,
): Promise<void> {
  if (isHere(group, last)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const followed: Followed[] = [];
  const check = () => {
    if (isHere(group, last)) resolve();
  };
  const watch = new GroupWatch(group, {
    opened: (subgroup) => followed.push(new Followed(subgroup, check)),
    settled: check,
  });
  const cancel = clock.after(MAX_WAIT_MS, resolve);
  await Promise.race([promise, gone.catch(() => {})]);
  cancel();
  watch.close();
  for (const one of followed) one.leave();
}

/** Whether an object has come to its end, or nothing more comes. */
function isHere(group: Group, last: number | undefined): boolean {
  return group.isOver || last !== undefined && group.lastId >= last;
}

class Followed implements GroupCursor {
  slot = -1;

  constructor(readonly subgroup: Subgroup, readonly pump: () => void) {
    subgroup.attach(this);
  }

  leave(): void {
    this.subgroup.detach(this);
  }
}
