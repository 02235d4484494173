/**
 * Sorts the objects of a fetch's stream into the subgroups of one group. The bytes come in pieces of any size.
 *
 * @module
 */
import type { GroupWriter } from "../../../relay/group/group_writer.ts";
import type { GroupSink } from "../../../relay/ports.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { FetchHeads } from "../../../wire/ietf/data/fetch_objects.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";
import { HeadReader } from "../../convert/head_reader.ts";
import { HeadWriter } from "../../convert/head_writer.ts";
import { layoutOf } from "../context.ts";

export class FetchedObjects {
  /** Whether a subgroup was refused, or nobody reads the group any more: the stream is to be stopped. */
  refused = false;
  /** Whether the answer leaves out objects that may exist. */
  hasHoles = false;
  readonly #profile: Profile;
  readonly #group: number;
  readonly #sink: GroupSink;
  readonly #reader: HeadReader<FetchHeads>;
  readonly #subgroups = new Map<number, HeadWriter>();
  #current: GroupWriter | undefined;
  #begun = false;

  constructor(profile: Profile, group: number, sink: GroupSink) {
    this.#profile = profile;
    this.#group = group;
    this.#sink = sink;
    this.#reader = new HeadReader(new FetchHeads(profile));
  }

  /** Whether any object has come. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the bytes so far end at the end of an object. */
  get atBoundary(): boolean {
    return !this.#reader.inside && (this.#current?.frameLeft ?? 0) === 0;
  }

  /** Takes the next bytes. @throws {ProtocolViolation} @throws {GroupTooLarge} */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (!this.refused) {
      const writer = this.#current;
      if (writer !== undefined && writer.frameLeft > 0) {
        at += writer.payload(at === 0 ? chunk : chunk.subarray(at));
        if (writer.frameLeft > 0) break;
      }
      if (at === chunk.length) break;
      const length = this.#reader.read(chunk, at);
      if (length < 0) break;
      at += length;
      this.#begin();
    }
    this.#reader.release();
    this.#current?.commit();
    if (this.#current?.open === false) this.refused = true;
  }

  #begin(): void {
    const { heads, window } = this.#reader;
    const { missing, group, object, payloadLength, status } = heads;
    if (missing !== undefined) {
      if (missing !== "nonexistent") this.hasHoles = true;
      return;
    }
    if (group !== this.#group) {
      throw new ProtocolViolation(
        "fetched object",
        `group ${group} where ${this.#group} was asked`,
      );
    }
    const to = this.#subgroup();
    if (to === undefined) {
      this.refused = true;
      return;
    }
    if (object <= to.last) {
      throw new ProtocolViolation("fetched object", `object ${object} behind ${to.last}`);
    }
    if (to.writer !== this.#current) this.#current?.commit();
    this.#current = to.writer;
    const properties = window.subarray(heads.propertiesAt, heads.propertiesEnd);
    to.begin(object, properties, payloadLength, status);
  }

  /** What a subgroup was written with. Nothing more of it comes here. */
  take(subgroup: number): HeadWriter | undefined {
    const found = this.#subgroups.get(subgroup);
    this.#subgroups.delete(subgroup);
    return found;
  }

  /** The subgroup of the object. What was a datagram has one of its own. */
  #subgroup(): HeadWriter | undefined {
    const { datagram, subgroup, object, priority } = this.#reader.heads;
    const id = datagram ? object : subgroup;
    const known = this.#subgroups.get(id);
    if (known !== undefined) return known;
    const writer = this.#sink.open({
      id,
      layout: layoutOf(this.#profile),
      publisherPriority: 255 - priority,
      endOfGroup: false,
      properties: true,
    }, object);
    if (writer === undefined) return undefined;
    this.#begun = true;
    const heads = new HeadWriter(writer, this.#profile);
    this.#subgroups.set(id, heads);
    return heads;
  }
}
