/**
 * Writes the objects of one subgroup's stream into a group, as they lie on the stream. The bytes come in pieces of any size.
 *
 * @module
 */
import type { GroupWriter } from "../../../relay/group/group_writer.ts";
import { beginRecord } from "../../../relay/group/record_writer.ts";
import type { SubgroupHead } from "../../../relay/group/subgroup_head.ts";
import { type HeadParser, ObjectHeads, STATUS } from "../../../wire/ietf/data/object_head.ts";
import type { SubgroupHeader } from "../../../wire/ietf/data/stream_head.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";
import { HeadReader } from "../../convert/head_reader.ts";
import type { HeadWriter } from "../../convert/head_writer.ts";
import { layoutOf } from "../context.ts";

/** Opens the subgroup, once its first object is known. @returns Nothing when nobody wants it. */
export type OpenSubgroup = (startObject: number, head: SubgroupHead) => GroupWriter | undefined;

/** Takes the objects of one stream, whatever their heads look like. */
export abstract class StreamParser<H extends HeadParser> {
  /** Where the objects go now. Absent before the first. */
  writer: GroupWriter | undefined;
  /** Whether a subgroup was refused: the stream is to be stopped. */
  refused = false;
  protected readonly reader: HeadReader<H>;
  /** Bytes of an object that is here already. */
  protected skip = 0;

  constructor(heads: H) {
    this.reader = new HeadReader(heads);
  }

  /** Whether the bytes so far end at the end of an object. */
  get atBoundary(): boolean {
    return !this.reader.inside && this.skip === 0 && (this.writer?.frameLeft ?? 0) === 0;
  }

  /** Bytes of an object's head that is not whole: its properties may be large. */
  get heldBytes(): number {
    return this.reader.heldBytes;
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
      const skipped = Math.min(this.skip, chunk.length - at);
      this.skip -= skipped;
      at += skipped;
      if (at === chunk.length) break;
      const length = this.reader.read(chunk, at);
      if (length < 0) break;
      at += length;
      this.begin();
    }
    this.reader.release();
    this.writer?.commit();
  }

  /** Begins the object whose head was read. */
  protected abstract begin(): void;
}

export class ObjectParser extends StreamParser<ObjectHeads> {
  /** Whether an object has said that it is the end of the track. */
  endOfTrack = false;
  readonly #profile: Profile;
  readonly #header: SubgroupHeader;
  readonly #open: OpenSubgroup;
  /** What has written the objects before. Then heads are written anew, as those before them were. */
  readonly #before: HeadWriter | undefined;

  /** @param before What has written the beginning of the subgroup, if that came another way. */
  constructor(
    profile: Profile,
    header: SubgroupHeader,
    open: OpenSubgroup,
    before?: HeadWriter,
  ) {
    super(new ObjectHeads(profile, header.properties));
    this.#before = before;
    this.writer = before?.writer;
    this.#profile = profile;
    this.#header = header;
    this.#open = open;
  }

  protected begin(): void {
    const { heads, window, from, behind } = this.reader;
    const { id, payloadLength, status, propertiesAt, propertiesEnd } = heads;
    if (status === STATUS.endOfTrack) this.endOfTrack = true;
    if (this.#before !== undefined) {
      if (id <= this.#before.last) this.skip = payloadLength;
      else {
        const properties = window.subarray(propertiesAt, propertiesEnd);
        this.#before.begin(id, properties, payloadLength, status);
      }
      return;
    }
    this.writer ??= this.#open(id, this.#head(id));
    if (this.writer === undefined) {
      this.refused = true;
      return;
    }
    beginRecord(this.writer, window.subarray(from, behind), payloadLength, id);
    const isLast = status === STATUS.endOfGroup || status === STATUS.endOfTrack;
    if (isLast) this.writer.subgroup.group.endsHere();
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
