/**
 * The objects of a group as frames: all its subgroups become one, in the order of the ids. What frames cannot carry is
 * dropped: ids, properties but the timestamp, and objects that only have a status.
 *
 * An object waits while one with a lower id may still come. That is so while another subgroup is open and has shown no higher
 * id. Streams overtake each other. So the first object of a subgroup, and any in the only one that is known, also wait for
 * subgroups that nothing has come of: until a newer group comes, or for {@link UNSEEN_MS}. No object waits for ids that are
 * said not to exist. What comes too late for its place is dropped.
 *
 * @module
 */
import { Heap } from "./heap.ts";
import type { Conversion, Converter, CopiedTrack } from "../../relay/group/copies.ts";
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import type { Group, Subgroup } from "../../relay/group/group.ts";
import { WHOLE_GROUP } from "../../relay/group/subgroup_head.ts";
import { ObjectHeads, STATUS } from "../../wire/ietf/data/object_head.ts";
import type { Profile } from "../../wire/ietf/profile.ts";
import { HeadReader } from "./head_reader.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { arrivalTime, ObjectTimes, timescaleOf } from "./timestamps.ts";

/** Objects as frames, with timestamps in microseconds. */
export function objectsToFrames(from: ObjectLayout): Converter {
  return {
    merges: true,
    head: () => WHOLE_GROUP,
    begin: (writer, track) => new ObjectsToFrames(writer, track, profileFor(from)),
  };
}

/** How long an object waits for a subgroup that nothing has come of, in milliseconds. */
export const UNSEEN_MS = 250;

/** How far one subgroup has been read. */
class Part {
  readonly reader: HeadReader<ObjectHeads>;
  /** Bytes that were taken of it. */
  taken = 0;
  /** Whether the next object's head has been read, and how many bytes of it are left to take. */
  isReady = false;
  headLeft = 0;
  id = -1;
  size = 0;
  timestamp = 0;
  /** Ids right below that do not exist. */
  priorGap = 0;
  /** Whether one of its objects was written. */
  hasWritten = false;
  /** Payload bytes of a dropped object that are still to come. */
  skip = 0;

  constructor(readonly subgroup: Subgroup, profile: Profile) {
    this.reader = new HeadReader(new ObjectHeads(profile, subgroup.head.properties === true));
  }

  /** Whether nothing more comes of it. */
  get isOver(): boolean {
    return this.subgroup.state !== "open" && this.taken === this.subgroup.bytes;
  }
}

class ObjectsToFrames implements Conversion {
  readonly #parts = new Map<Subgroup, Part>();
  /** Those whose next object is not known. Some may be over. */
  readonly #unread = new Set<Part>();
  /** Those whose next object waits. */
  readonly #ready = new Heap<Part>((a, b) => a.id < b.id);
  readonly #times: ObjectTimes;
  readonly #profile: Profile;
  #timescale = 0;
  /** The id of the last object that was written. */
  #last = -1;
  /** Whether an id below it was skipped. */
  #hasGaps = false;
  /** Whether a status said that the group, or the track, is over. */
  #sawEnd = false;
  /** Whose object is being written. */
  #current: Part | undefined;
  /** When a subgroup that nothing has come of was waited for first. Nothing has come of any by the end of that time. */
  #unseenSinceMs = Infinity;

  constructor(readonly writer: GroupWriter, readonly track: CopiedTrack, profile: Profile) {
    this.#profile = profile;
    this.#times = new ObjectTimes(profile);
  }

  get sawEnd(): boolean {
    return this.#sawEnd;
  }

  get lacksMore(): boolean {
    return this.#ready.first !== undefined || this.#hasGaps && this.#parts.size > 1;
  }

  get turn(): Subgroup | undefined {
    // If its subgroup was cut, who comes next finds that out.
    if (this.#current !== undefined && !this.#current.isOver) return undefined;
    return this.#ready.first?.subgroup;
  }

  take(subgroup: Subgroup, bytes: Uint8Array): number {
    if (this.track.infoComes) return 0;
    const part = this.#partOf(subgroup);
    let at = 0;
    while (at < bytes.length) {
      const taken = this.#step(part, bytes, at);
      if (taken === 0) break;
      at += taken;
      part.taken += taken;
    }
    return at;
  }

  /** @returns How many bytes it took from `at` on; 0 when the object has to wait. */
  #step(part: Part, bytes: Uint8Array, at: number): number {
    if (part.skip > 0) {
      const skipped = Math.min(part.skip, bytes.length - at);
      part.skip -= skipped;
      return skipped;
    }
    if (this.#current === part) {
      const taken = this.writer.payload(at === 0 ? bytes : bytes.subarray(at));
      if (this.writer.frameLeft === 0) this.#current = undefined;
      return taken;
    }
    if (!part.isReady && !this.#read(part, bytes, at)) return bytes.length - at;
    const isLate = part.id <= this.#last;
    if (!isLate && part.reader.heads.status === STATUS.normal) {
      if (this.#current !== undefined) return this.#waitFor(this.#current);
      if (this.#mayComeBefore(part)) return 0;
      this.#write(part);
    } else {
      part.skip = part.size;
      if (part.id === this.#last + 1) this.#last++; // what only has a status has its place too
    }
    const { status } = part.reader.heads;
    if (status === STATUS.endOfGroup || status === STATUS.endOfTrack) this.#sawEnd = true;
    part.isReady = false;
    this.#ready.delete(part);
    this.#unread.add(part);
    return part.headLeft;
  }

  /** Reads the next head. @returns Whether it is whole. */
  #read(part: Part, bytes: Uint8Array, at: number): boolean {
    part.headLeft = part.reader.read(bytes, at);
    if (part.headLeft < 0) return false;
    const { heads, window } = part.reader;
    if (this.#timescale === 0) this.#timescale = timescaleOf(this.track.info);
    const time = this.#times.read(
      window,
      heads.propertiesAt,
      heads.propertiesEnd,
      this.#timescale,
    );
    part.isReady = true;
    part.id = heads.id;
    this.#unread.delete(part);
    this.#ready.add(part);
    part.size = heads.payloadLength;
    part.priorGap = this.#times.priorGap;
    part.timestamp = time >= 0 ? time : arrivalTime(this.track.context.clock);
    return true;
  }

  #write(part: Part): void {
    if (this.#last >= 0 && part.id - part.priorGap > this.#last + 1) this.#hasGaps = true;
    this.#last = part.id;
    part.hasWritten = true;
    this.writer.begin(part.timestamp, part.size);
    if (part.size > 0) this.#current = part;
  }

  /** Objects are written one after another. @throws {Error} The one before never ends. */
  #waitFor(current: Part): 0 {
    if (current.isOver) throw new Error(`object ${current.id} was cut`);
    return 0;
  }

  /** Whether an object with a lower id may still come. */
  #mayComeBefore(part: Part): boolean {
    const { id, priorGap, subgroup } = part;
    if (id - priorGap <= this.#last + 1) return false;
    const { group } = subgroup;
    if (group.others.length > 0) {
      if (this.#ready.first!.id < id) return true;
      this.#knowAll(group);
      for (const other of this.#unread) {
        if (!other.isOver) return true;
        this.#unread.delete(other);
      }
    }
    const isFirst = this.#last < 0 && subgroup.head.id === 0; // whoever joins in the middle has no more
    const isAlone = group.others.length === 0;
    return (isAlone || !part.hasWritten) && !isFirst && group.awaitsMore &&
      this.#awaitsUnseen(group);
  }

  /** Whether a subgroup that is not known may still come. Asks again when that is over. */
  #awaitsUnseen(group: Group): boolean {
    const { clock } = this.track.context;
    const now = clock.now();
    if (this.#unseenSinceMs === Infinity) {
      this.#unseenSinceMs = now;
      clock.after(UNSEEN_MS, () => group.resumeCopies());
    }
    return now - this.#unseenSinceMs < UNSEEN_MS;
  }

  #knowAll({ subgroups, others }: Group): void {
    if (this.#parts.size > others.length) return;
    for (const subgroup of subgroups) this.#partOf(subgroup);
  }

  #partOf(subgroup: Subgroup): Part {
    let part = this.#parts.get(subgroup);
    if (part === undefined) {
      part = new Part(subgroup, this.#profile);
      this.#parts.set(subgroup, part);
      this.#unread.add(part);
      this.#unseenSinceMs = Infinity;
    }
    return part;
  }
}
