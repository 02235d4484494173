/**
 * A layout of objects for tests of the core, built as those of moq-transport are: an id as the distance to the one before,
 * properties, a payload. It stands here under the name "objects16"; what really bears it belongs to its protocol.
 *
 * @module
 */
import { getVarint, putVarint, varintSize, varintWidth } from "../wire/varint.ts";
import type { Conversion, Convert, Converter } from "./group/copies.ts";
import type { Subgroup } from "./group/group.ts";
import type { GroupWriter } from "./group/group_writer.ts";
import { beginRecord } from "./group/record_writer.ts";
import type { SubgroupHead } from "./group/subgroup_head.ts";

export interface TestObject {
  readonly id: number;
  readonly payload: Uint8Array;
  readonly properties?: Uint8Array;
}

/** Head of one subgroup of objects. */
export function objects(id: number, more: Partial<SubgroupHead> = {}): SubgroupHead {
  return { id, layout: "objects16", endOfGroup: false, ...more };
}

function varints(...values: number[]): number[] {
  return values.flatMap((value) => {
    const bytes = new Uint8Array(varintSize(value));
    putVarint(bytes, 0, value);
    return [...bytes];
  });
}

/** Bytes of an object in front of its payload. @param last Id of the object before it, -1 for the first. */
export function objectHead(
  { id, payload, properties = NONE }: TestObject,
  last: number,
): Uint8Array {
  return Uint8Array.of(
    ...varints(id - last - 1, properties.length),
    ...properties,
    ...varints(payload.length),
  );
}

const NONE = new Uint8Array(0);

/** All bytes of the objects of one subgroup. */
export function objectBytes(list: readonly TestObject[]): number[] {
  let last = -1;
  return list.flatMap((object) => {
    const head = objectHead(object, last);
    last = object.id;
    return [...head, ...object.payload];
  });
}

/** Writes a subgroup object by object, as a session does that reads them from a stream. */
export class ObjectWriter {
  #last = -1;
  constructor(readonly writer: GroupWriter) {}

  /** @param most Payload bytes that come now. */
  object(object: TestObject, most = Infinity): void {
    beginRecord(this.writer, objectHead(object, this.#last), object.payload.length);
    this.#last = object.id;
    this.writer.payload(object.payload.subarray(0, most));
    this.writer.commit();
  }
}

/** The head at the start of `bytes`, or `undefined` where it is not whole. */
function readHead(bytes: Uint8Array) {
  let at = 0;
  const varint = () => {
    const start = at;
    at += start < bytes.length ? varintWidth(bytes[start]!) : 1;
    return at <= bytes.length ? getVarint(bytes, start) : 0;
  };
  const skipped = varint();
  const properties = varint();
  at += properties;
  const size = varint();
  return at <= bytes.length ? { skipped, size, length: at } : undefined;
}

/** What has been read of one subgroup. */
class Part {
  taken = 0;
  last = -1;
  /** Bytes of a head that is not whole. */
  begun: Uint8Array = NONE;
  /** Id of an object that waits for those before it. */
  waiting: number | undefined;
}

/** Objects of all subgroups as one run of frames, by their ids; an id is its frame's timestamp. */
class Merge implements Conversion {
  readonly #parts = new Map<Subgroup, Part>();
  #last = -1;
  #current: Part | undefined;

  constructor(readonly writer: GroupWriter) {}

  take(subgroup: Subgroup, bytes: Uint8Array): number {
    const part = this.#part(subgroup);
    const taken = this.#current === part
      ? this.writer.payload(bytes)
      : this.#head(part, subgroup, bytes);
    part.taken += taken;
    if (this.writer.frameLeft === 0) this.#current = undefined;
    return taken;
  }

  #head(part: Part, subgroup: Subgroup, bytes: Uint8Array): number {
    const all = Uint8Array.of(...part.begun, ...bytes);
    const head = readHead(all);
    if (head === undefined) {
      part.begun = all;
      return bytes.length;
    }
    const id = part.last + 1 + head.skipped;
    if (id === 666) throw new Error("no such object");
    part.waiting = id;
    if (this.#current !== undefined || !this.#isNext(part, subgroup)) return 0;
    const taken = head.length - part.begun.length;
    part.begun = NONE;
    part.waiting = undefined;
    part.last = this.#last = id;
    this.#current = part;
    this.writer.begin(id, head.size);
    return taken;
  }

  #isNext(part: Part, { group }: Subgroup): boolean {
    const id = part.waiting!;
    if (id === this.#last + 1) return true;
    return group.subgroups.every((subgroup) => {
      const other = this.#part(subgroup);
      const over = subgroup.state !== "open" && other.taken === subgroup.bytes;
      return other === part || over || other.waiting !== undefined && other.waiting > id;
    });
  }

  #part(subgroup: Subgroup): Part {
    const part = this.#parts.get(subgroup) ?? new Part();
    this.#parts.set(subgroup, part);
    return part;
  }
}

/** The same bytes, each turned round. */
class Inverted implements Conversion {
  constructor(readonly writer: GroupWriter) {}
  take(_subgroup: Subgroup, bytes: Uint8Array): number {
    beginRecord(this.writer, bytes.map((byte) => byte ^ 0xff), 0);
    return bytes.length;
  }
}

const MERGE: Converter = { merges: true, begin: (writer) => new Merge(writer) };
const INVERT: Converter = { merges: false, begin: (writer) => new Inverted(writer) };

/** objects16 → frames, merged; objects16 → objects18, each subgroup by itself. */
export const convert: Convert = (from, to) =>
  from !== "objects16"
    ? undefined
    : to === "frames"
    ? MERGE
    : to === "objects18"
    ? INVERT
    : undefined;
