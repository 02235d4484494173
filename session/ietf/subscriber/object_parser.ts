/**
 * Writes the objects of one subgroup's stream into a group, as they lie on the stream. The bytes come in pieces of any size.
 *
 * @module
 */
import type { GroupWriter } from "../../../relay/group/group_writer.ts";
import { beginRecord } from "../../../relay/group/record_writer.ts";
import type { SubgroupHead } from "../../../relay/group/subgroup_head.ts";
import { ObjectHeads, STATUS } from "../../../wire/ietf/data/object_head.ts";
import type { SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";
import { layoutOf } from "../context.ts";

/** A head without properties always fits; with properties it is rarely cut into pieces. */
const SMALL_HEAD = 64;

/** Opens the subgroup, once its first object is known. @returns Nothing when nobody wants it. */
export type OpenSubgroup = (startObject: number, head: SubgroupHead) => GroupWriter | undefined;

export class ObjectParser {
  /** Where the objects go. Absent before the first. */
  writer: GroupWriter | undefined;
  /** Whether the subgroup was refused: its stream is to be stopped. */
  refused = false;
  /** Whether an object has said that it is the end of the track. */
  endOfTrack = false;
  readonly #profile: Profile;
  readonly #header: SubgroupHeader;
  readonly #open: OpenSubgroup;
  readonly #heads: ObjectHeads;
  /** The beginning of a head whose rest has not come. */
  #kept: Uint8Array = EMPTY;
  #keptLength = 0;

  constructor(profile: Profile, header: SubgroupHeader, open: OpenSubgroup) {
    this.#profile = profile;
    this.#header = header;
    this.#open = open;
    this.#heads = new ObjectHeads(profile, header.properties);
  }

  /** Whether the bytes so far end at the end of an object. */
  get atBoundary(): boolean {
    return this.#keptLength === 0 && (this.writer?.frameLeft ?? 0) === 0;
  }

  /** Takes the next bytes and shows their objects to the readers. @throws {ProtocolViolation} @throws {GroupTooLarge} */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (!this.refused) {
      const { writer } = this;
      if (writer !== undefined && writer.frameLeft > 0) {
        at += writer.payload(at === 0 ? chunk : chunk.subarray(at));
        if (writer.frameLeft > 0) break;
      }
      if (at === chunk.length) break;
      at = this.#readHead(chunk, at);
    }
    this.writer?.commit();
  }

  /** @returns The offset behind the head, or the chunk's length when more is needed. */
  #readHead(chunk: Uint8Array, from: number): number {
    if (this.#keptLength === 0) {
      const behind = this.#heads.next(chunk, from, chunk.length);
      if (behind >= 0) {
        this.#begin(chunk.subarray(from, behind));
        return behind;
      }
    }
    for (let at = from; at < chunk.length;) {
      const before = this.#keptLength;
      // A few bytes are enough for nearly all heads. What more is needed are properties.
      const more = chunk.subarray(at, before < SMALL_HEAD ? at + SMALL_HEAD : chunk.length);
      this.#keep(more);
      const behind = this.#heads.next(this.#kept, 0, this.#keptLength);
      if (behind >= 0) {
        this.#keptLength = 0;
        this.#begin(this.#kept.subarray(0, behind));
        return at + behind - before;
      }
      at += more.length;
    }
    return chunk.length;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#keptLength + bytes.length;
    if (length > this.#kept.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#kept.length, SMALL_HEAD));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes, this.#keptLength);
    this.#keptLength = length;
  }

  #begin(head: Uint8Array): void {
    const { id, payloadLength, status } = this.#heads;
    this.writer ??= this.#open(id, this.#head(id));
    if (this.writer === undefined) {
      this.refused = true;
      return;
    }
    beginRecord(this.writer, head, payloadLength, id);
    if (status === STATUS.endOfTrack) this.endOfTrack = true;
  }

  #head(firstId: number): SubgroupHead {
    const { subgroup = firstId, priority, properties, endOfGroup, firstObject } = this.#header;
    return {
      id: subgroup,
      layout: layoutOf(this.#profile),
      endOfGroup,
      properties,
      ...(priority !== undefined && { publisherPriority: 255 - priority }),
      ...(firstObject !== undefined && { firstObject }),
    };
  }
}

const EMPTY = new Uint8Array(0);
