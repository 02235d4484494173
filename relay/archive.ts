import type { GroupWriter } from "./group/group_writer.ts";

/** Keeps groups for longer than the cache does. */
export interface Archive {
  /**
   * Writes a whole group, and finishes it.
   * @returns Whether it is kept; where it is not, nothing was written. Does not throw: what cannot be read is not kept.
   */
  fetch(broadcast: string, track: string, group: number, writer: GroupWriter): Promise<boolean>;
}
