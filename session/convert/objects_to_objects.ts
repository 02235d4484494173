import type { Conversion, Converter } from "../../relay/group/copies.ts";
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import { ObjectHeads } from "../../wire/ietf/data/object_head.ts";
import { HeadReader } from "./head_reader.ts";
import { HeadWriter } from "./head_writer.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { PropertyConverter } from "./properties.ts";

/** Objects of one layout as those of another. Each subgroup stays one. */
export function objectsToObjects(from: ObjectLayout, to: ObjectLayout): Converter {
  return {
    merges: false,
    head: ({ head }) => head,
    begin: (writer) => new ObjectsToObjects(writer, from, to),
  };
}

class ObjectsToObjects implements Conversion {
  readonly #reader: HeadReader<ObjectHeads>;
  readonly #heads: HeadWriter;
  readonly #properties: PropertyConverter;

  constructor(readonly writer: GroupWriter, from: ObjectLayout, to: ObjectLayout) {
    const { properties = false } = writer.subgroup.head;
    this.#reader = new HeadReader(new ObjectHeads(profileFor(from), properties));
    this.#heads = new HeadWriter(writer, profileFor(to));
    this.#properties = new PropertyConverter(profileFor(from), profileFor(to));
  }

  take(_: Subgroup, bytes: Uint8Array): number {
    const { writer } = this;
    let at = 0;
    while (at < bytes.length) {
      if (writer.frameLeft > 0) at += writer.payload(at === 0 ? bytes : bytes.subarray(at));
      else {
        const head = this.#reader.read(bytes, at);
        if (head < 0) return bytes.length;
        at += head;
        this.#begin();
      }
    }
    return at;
  }

  #begin(): void {
    const { heads, window } = this.#reader;
    const { id, payloadLength, status, propertiesAt, propertiesEnd } = heads;
    const properties = this.#properties.ofObject(status, window, propertiesAt, propertiesEnd);
    // "Does not exist" is said by a gap where there is no such status.
    if (properties !== undefined) this.#heads.begin(id, properties, payloadLength, status);
  }
}
