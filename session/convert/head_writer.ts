import type { GroupWriter } from "../../relay/group/group_writer.ts";
import { beginRecord } from "../../relay/group/record_writer.ts";
import { objectHeadSize, putObjectHead } from "../../wire/ietf/data/object_head.ts";
import type { Profile } from "../../wire/ietf/profile.ts";

/** Writes the heads of objects into a subgroup of a layout of moq-transport. */
export class HeadWriter {
  #last = -1;
  #bytes = new Uint8Array(64);
  readonly #properties: boolean;

  constructor(readonly writer: GroupWriter, readonly profile: Profile) {
    this.#properties = writer.subgroup.head.properties === true;
  }

  /** Id of the last object; -1 before the first. */
  get last(): number {
    return this.#last;
  }

  /**
   * Begins an object. Its payload follows.
   * @param id Above that of the one before.
   * @throws {GroupTooLarge}
   */
  begin(id: number, given: Uint8Array, size: number, status: number): void {
    const { varints } = this.profile;
    const delta = id - this.#last - 1;
    const properties = this.#properties ? given : undefined;
    const most = objectHeadSize(varints, delta, properties, size, status);
    if (most > this.#bytes.length) this.#bytes = new Uint8Array(2 * most);
    const end = putObjectHead(this.#bytes, 0, varints, delta, properties, size, status);
    this.#last = id;
    beginRecord(this.writer, this.#bytes.subarray(0, end), size, id);
  }
}
