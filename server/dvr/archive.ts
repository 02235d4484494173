import type { MediaStore } from "../../storage/store.ts";
import type { Archive } from "../../relay/archive.ts";
import type { GroupWriter } from "../../relay/group/group_writer.ts";

/** Gives the relay groups from a media store. */
export class StoreArchive implements Archive {
  readonly #store: MediaStore;
  constructor(store: MediaStore) {
    this.#store = store;
  }

  async fetch(
    broadcast: string,
    track: string,
    group: number,
    writer: GroupWriter,
  ): Promise<boolean> {
    try {
      const frames = await this.#store.group({ broadcast, track }, group);
      // A part of a group must not look like the whole group.
      if (frames.at(-1)?.endsGroup !== true) return false;
      for (const { timestamp, payload } of frames) writer.frame(timestamp, payload);
      writer.finish();
      return true;
    } catch {
      return false;
    }
  }
}
