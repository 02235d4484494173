import type { GroupWriter } from "./group/group_writer.ts";

/** Keeps groups for longer than the cache. */
export interface Archive {
  /**
   * Writes a whole group, and finishes it.
   * @returns Whether it has the group; if not, nothing was written. Does not throw: a group that cannot be read is not there.
   */
  fetch(broadcast: string, track: string, group: number, writer: GroupWriter): Promise<boolean>;
}
