/**
 * Sorts the objects of a fetch's stream into the subgroups of one group. The bytes come in pieces of any size.
 *
 * @module
 */
import type { GroupSink } from "../../../relay/ports.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { FetchHeads } from "../../../wire/ietf/data/fetch_objects.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";
import { HeadWriter } from "../../convert/head_writer.ts";
import { layoutOf } from "../context.ts";
import { StreamParser } from "./object_parser.ts";

export class FetchedObjects extends StreamParser<FetchHeads> {
  /** Whether the answer leaves out objects that may exist. */
  hasHoles = false;
  readonly #profile: Profile;
  readonly #group: number;
  readonly #sink: GroupSink;
  readonly #subgroups = new Map<number, HeadWriter>();

  constructor(profile: Profile, group: number, sink: GroupSink) {
    super(new FetchHeads(profile));
    this.#profile = profile;
    this.#group = group;
    this.#sink = sink;
  }

  /** Whether any object has come. */
  get begun(): boolean {
    return this.writer !== undefined;
  }

  /** Takes the next bytes. @throws {ProtocolViolation} @throws {GroupTooLarge} */
  override push(chunk: Uint8Array): void {
    super.push(chunk);
    if (this.writer?.open === false) this.refused = true; // nobody reads the group any more
  }

  protected begin(): void {
    const { heads, window } = this.reader;
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
    if (to.writer !== this.writer) this.writer?.commit();
    this.writer = to.writer;
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
    const { datagram, subgroup, object, priority } = this.reader.heads;
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
    const heads = new HeadWriter(writer, this.#profile);
    this.#subgroups.set(id, heads);
    return heads;
  }
}
