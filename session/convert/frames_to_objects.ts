import { FrameWalk } from "../../relay/group/frame_layout.ts";
import type { Conversion, Converter, CopiedTrack } from "../../relay/group/copies.ts";
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import { HeadWriter } from "./head_writer.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { TimestampWriter } from "./timestamps.ts";

/**
 * Frames as objects of subgroup 0. The index of a frame is the id of its object. The head says that the subgroup has the end
 * of the group if it is known already. Otherwise an object with that status stands there.
 */
export function framesToObjects(to: ObjectLayout): Converter {
  return {
    merges: false,
    // What the track's timestamps are may not be known yet. Without any, the properties are empty.
    head: ({ head, startFrame, state }) => ({
      ...head,
      endOfGroup: state === "complete",
      properties: true,
      firstObject: startFrame === 0,
    }),
    begin: (writer, track) => new FramesToObjects(writer, track, to),
  };
}

class FramesToObjects implements Conversion {
  readonly #walk = new FrameWalk();
  readonly #heads: HeadWriter;
  readonly #timestamps: TimestampWriter;
  #id: number;

  constructor(readonly writer: GroupWriter, readonly track: CopiedTrack, to: ObjectLayout) {
    this.#heads = new HeadWriter(writer, profileFor(to));
    this.#timestamps = new TimestampWriter(to);
    this.#id = writer.subgroup.startFrame;
  }

  finish(): void {
    if (this.writer.subgroup.head.endOfGroup) return;
    this.#heads.begin(this.#id, NONE, 0, STATUS.endOfGroup);
  }

  take(_: Subgroup, bytes: Uint8Array): number {
    const { writer, track } = this;
    const walk = this.#walk;
    if (track.infoComes) return 0;
    let at = 0;
    for (;;) {
      if (walk.left > 0) {
        const taken = writer.payload(at === 0 ? bytes : bytes.subarray(at));
        walk.left -= taken;
        at += taken;
        if (walk.left > 0) return at;
      }
      const behind = walk.head(bytes, at);
      if (behind === at) return at;
      at = behind;
      const properties = this.#timestamps.properties(walk.timestamp, track.info);
      this.#heads.begin(this.#id++, properties, walk.size, STATUS.normal);
    }
  }
}

const NONE = new Uint8Array();
