/**
 * Reads the objects of a subgroup as they come in.
 *
 * @module
 */
import type { WaitOptions } from "../../base/bell.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import { HeadReader } from "../../session/convert/head_reader.ts";
import { profileFor } from "../../session/convert/layouts.ts";
import { ObjectHeads } from "../../wire/ietf/data/object_head.ts";
import { decodeProperties } from "../../wire/ietf/pairs.ts";
import { Following } from "../following.ts";
import { GroupCut } from "../frames.ts";
import { statusOf, type TrackObject } from "./object.ts";

/** The layout that objects are read in. Groups in another one are converted. */
export const READ_AS = "objects18";

/** A subgroup that comes in. Read it to its end or close it: it keeps memory until then. */
export class SubgroupReader implements Disposable {
  /** Number of its group. */
  readonly group: number;
  /** Its own number in the group. */
  readonly subgroup: number;
  /** The publisher's priority, 0–255, higher goes first. Absent: that of the track. */
  readonly priority: number | undefined;
  readonly #place: Following;
  readonly #reader: HeadReader<ObjectHeads>;
  /** The object that is being read, and how much of its payload is here. */
  #partial: { readonly object: TrackObject; at: number } | undefined;

  /** @internal */
  constructor(source: Subgroup) {
    const { id, publisherPriority, properties = false } = source.head;
    this.group = source.sequence;
    this.subgroup = id;
    this.priority = publisherPriority;
    this.#reader = new HeadReader(new ObjectHeads(profileFor(READ_AS), properties));
    this.#place = new Following(source);
  }

  /** The next object, or `undefined` behind the last one. @throws {GroupCut} @throws The signal's reason. */
  async object(options: WaitOptions = {}): Promise<TrackObject | undefined> {
    const { signal } = options;
    const place = this.#place;
    while (this.#partial === undefined) {
      if (place.closed || !await place.available(signal)) return this.#end();
      this.#head();
    }
    const { payload } = this.#partial.object;
    while (this.#partial.at < payload.length) {
      if (!await place.available(signal)) {
        this.close();
        throw new GroupCut(this.group);
      }
      this.#partial.at += place.read(payload, this.#partial.at);
    }
    const { object } = this.#partial;
    this.#partial = undefined;
    return object;
  }

  /** Every object, to the end. @throws {GroupCut} */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<TrackObject> {
    try {
      for (let next; (next = await this.object()) !== undefined;) yield next;
    } finally {
      this.close();
    }
  }

  /** Releases the subgroup. */
  close(): void {
    if (this.#place.close()) this.#partial = undefined;
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #end(): undefined {
    const cut = this.#place.wasCut;
    this.close();
    if (cut) throw new GroupCut(this.group);
    return undefined;
  }

  /** Reads the bytes that are here up to the end of a head. */
  #head(): void {
    const { slice } = this.#place;
    const length = this.#reader.read(slice, 0);
    this.#place.position += length < 0 ? slice.length : length;
    if (length < 0) return;
    const { heads, window } = this.#reader;
    const { group, subgroup, priority } = this;
    const raw = window.slice(heads.propertiesAt, heads.propertiesEnd);
    const object: TrackObject = {
      ...{ group, subgroup, priority, id: heads.id, status: statusOf(heads.status) },
      properties: raw.length === 0 ? [] : decodeProperties(raw, profileFor(READ_AS)),
      payload: new Uint8Array(heads.payloadLength),
    };
    this.#reader.release();
    this.#partial = { object, at: 0 };
  }
}
