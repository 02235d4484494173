/**
 * Reads the objects of a subgroup as they come in.
 *
 * @module
 */
import { Bell, type WaitOptions } from "../../base/bell.ts";
import type { GroupCursor, Subgroup } from "../../relay/group/group.ts";
import { HeadReader } from "../../session/convert/head_reader.ts";
import { profileFor } from "../../session/convert/layouts.ts";
import { ObjectHeads } from "../../wire/ietf/data/object_head.ts";
import { decodeProperties } from "../../wire/ietf/pairs.ts";
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
  readonly #source: Subgroup;
  readonly #reader: HeadReader<ObjectHeads>;
  readonly #bell = new Bell();
  readonly #cursor: GroupCursor = {
    slot: -1,
    pump: () => this.#bell.ring(),
    evicted: () => this.#evicted(),
  };
  #position = 0;
  /** The object that is being read, and how much of its payload is here. */
  #partial: { readonly object: TrackObject; at: number } | undefined;
  #closed = false;
  #lost = false;

  /** @internal */
  constructor(source: Subgroup) {
    const { id, publisherPriority, properties = false } = source.head;
    this.group = source.sequence;
    this.subgroup = id;
    this.priority = publisherPriority;
    this.#source = source;
    this.#reader = new HeadReader(new ObjectHeads(profileFor(READ_AS), properties));
    source.attach(this.#cursor);
  }

  /** The next object, or `undefined` behind the last one. @throws {GroupCut} @throws The signal's reason. */
  async object(options: WaitOptions = {}): Promise<TrackObject | undefined> {
    const { signal } = options;
    while (this.#partial === undefined) {
      if (this.#closed || !await this.#available(signal)) return this.#end();
      this.#head();
    }
    const { payload } = this.#partial.object;
    while (this.#partial.at < payload.length) {
      if (!await this.#available(signal)) {
        this.close();
        throw new GroupCut(this.group);
      }
      const slice = this.#source.slice(this.#position);
      const piece = slice.subarray(0, payload.length - this.#partial.at);
      payload.set(piece, this.#partial.at);
      this.#partial.at += piece.length;
      this.#position += piece.length;
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
    if (this.#closed) return;
    this.#closed = true;
    this.#lost = false;
    this.#partial = undefined;
    this.#source.detach(this.#cursor);
    this.#bell.ring();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #end(): undefined {
    const cut = this.#lost || !this.#closed && this.#source.state === "cut";
    this.close();
    if (cut) throw new GroupCut(this.group);
    return undefined;
  }

  /** The memory is needed elsewhere: the unread rest is lost. */
  #evicted(): void {
    const { state, bytes } = this.#source;
    if (this.#closed || state === "complete" && this.#position === bytes) return;
    this.close();
    this.#lost = true;
  }

  /** Reads the bytes that are here up to the end of a head. */
  #head(): void {
    const slice = this.#source.slice(this.#position);
    const length = this.#reader.read(slice, 0);
    this.#position += length < 0 ? slice.length : length;
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

  /** Waits for more bytes. @returns false when none will come. */
  async #available(signal: AbortSignal | undefined): Promise<boolean> {
    const source = this.#source;
    while (source.bytes <= this.#position) {
      if (source.state !== "open" || this.#closed) return false;
      await this.#bell.wait(signal);
    }
    return !this.#lost;
  }
}
