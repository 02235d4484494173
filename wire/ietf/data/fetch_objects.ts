/**
 * Objects on the stream that answers a fetch: of many groups and subgroups, with ranges of which nothing comes.
 * Spec: draft-ietf-moq-transport-18, "Fetch Header"; -14 … -17 for the older layouts.
 *
 * @module
 */
import { Writer } from "../../cursor.ts";
import { ProtocolViolation } from "../../errors.ts";
import { MAX_VARINT } from "../../varint.ts";
import type { GroupOrder } from "../fields.ts";
import type { Profile } from "../profile.ts";
import { HeadParser, STATUS, statusProblem } from "./object_head.ts";

const FLAG = {
  subgroup: 0x03,
  object: 0x04,
  group: 0x08,
  priority: 0x10,
  properties: 0x20,
  datagram: 0x40,
} as const;
/** How the subgroup is named. */
const SUBGROUP = { zero: 0, same: 1, next: 2, explicit: 3 } as const;
/** All flags; what is larger is a marker. */
const MAX_FLAGS = 0x7f;
const WHERE = "fetched object";

/** Why nothing comes of a range that ends here: there is no such object, nobody knows, or it took too long to find out. */
export type Missing = "nonexistent" | "unknown" | "timedOut";
const MARKERS: Readonly<Record<Missing, number>> = {
  nonexistent: 0x8c,
  unknown: 0x10c,
  timedOut: 0x20c,
};

function missingOf(marker: number): Missing {
  return marker === MARKERS.nonexistent
    ? "nonexistent"
    : marker === MARKERS.unknown
    ? "unknown"
    : "timedOut";
}

/** The heads of fetched objects, one after another. */
export class FetchHeads extends HeadParser {
  /** Of the last head: where the object stands, or the range ends. */
  group = 0;
  object = 0;
  /** Its subgroup. An object that was a datagram has none: 0, or in 14 and 15 its own id. */
  subgroup = 0;
  priority = 0;
  /** Whether it was a datagram (16+). */
  datagram = false;
  /** Set: it is no object, but ends a range of which nothing comes. */
  missing: Missing | undefined;
  readonly #descending: boolean;
  /** Whether there was any head; and any object, since a range has no subgroup and no priority. */
  #begun = false;
  #hadObject = false;

  constructor(profile: Profile, order: GroupOrder = "ascending") {
    super(profile);
    this.#descending = order === "descending";
  }

  next(bytes: Uint8Array, from: number, end: number): number {
    return this.profile.fetchLayout === "full"
      ? this.#full(bytes, from, end)
      : this.#flagged(bytes, from, end);
  }

  /** All fields, in draft 14. */
  #full(bytes: Uint8Array, from: number, end: number): number {
    let at = this.integer(bytes, from, end);
    if (at < 0) return -1;
    const group = this.value;
    at = this.integer(bytes, at, end);
    if (at < 0) return -1;
    const subgroup = this.value;
    at = this.integer(bytes, at, end);
    if (at < 0 || at >= end) return -1;
    const object = this.value;
    const priority = bytes[at]!;
    const propertiesEnd = this.skipProperties(bytes, at + 1, end);
    if (propertiesEnd < 0) return -1;
    const propertyBytes = this.value;
    at = this.#payload(bytes, propertiesEnd, end, propertyBytes);
    if (at < 0) return -1;
    this.#take(group, subgroup, object, priority, false, propertiesEnd, propertyBytes);
    return at;
  }

  #flagged(bytes: Uint8Array, from: number, end: number): number {
    let at = this.integer(bytes, from, end);
    if (at < 0) return -1;
    const flags = this.value;
    if (flags > MAX_FLAGS) return this.#marker(bytes, at, end, flags);
    const datagram = (flags & FLAG.datagram) !== 0;
    if (datagram && !this.profile.fetchDatagrams) throw wrong(`flags ${flags}`);

    const group = this.#group(bytes, at, end, flags);
    if (group < 0) return -1;
    at = this.#at;
    const subgroup = this.#subgroup(
      bytes,
      at,
      end,
      datagram ? SUBGROUP.zero : flags & FLAG.subgroup,
    );
    if (subgroup < 0) return -1;
    at = this.#at;
    const object = this.#object(bytes, at, end, flags);
    if (object < 0) return -1;
    at = this.#at;

    let priority = this.priority;
    if ((flags & FLAG.priority) !== 0) {
      if (at >= end) return -1;
      priority = bytes[at++]!;
    } else if (!this.#hadObject) throw wrong("the priority of an object before the first");

    let propertyBytes = 0;
    if ((flags & FLAG.properties) !== 0) {
      at = this.skipProperties(bytes, at, end);
      if (at < 0) return -1;
      propertyBytes = this.value;
    }
    const propertiesEnd = at;
    at = this.#payload(bytes, propertiesEnd, end, propertyBytes);
    if (at < 0) return -1;
    this.#take(group, subgroup, object, priority, datagram, propertiesEnd, propertyBytes);
    return at;
  }

  /** Where the field that was read last has ended. */
  #at = 0;

  #group(bytes: Uint8Array, at: number, end: number, flags: number): number {
    this.#at = at;
    if ((flags & FLAG.group) === 0) {
      if (!this.#begun) throw wrong("the group of an object before the first");
      return this.group;
    }
    this.#at = this.integer(bytes, at, end);
    if (this.#at < 0) return -1;
    if (!this.#begun || this.profile.fetchLayout === "absolute") return this.value;
    const group = this.#descending ? this.group - this.value - 1 : this.group + this.value + 1;
    if (group < 0 || group > MAX_VARINT) throw wrong(`group ${group}`);
    return group;
  }

  #subgroup(bytes: Uint8Array, at: number, end: number, mode: number): number {
    this.#at = at;
    if (mode === SUBGROUP.zero) return 0;
    if (mode === SUBGROUP.explicit) {
      this.#at = this.integer(bytes, at, end);
      return this.#at < 0 ? -1 : this.value;
    }
    if (!this.#hadObject) throw wrong("the subgroup of an object before the first");
    const subgroup = mode === SUBGROUP.next ? this.subgroup + 1 : this.subgroup;
    if (subgroup > MAX_VARINT) throw wrong("subgroup above 2^53-1");
    return subgroup;
  }

  #object(bytes: Uint8Array, at: number, end: number, flags: number): number {
    this.#at = at;
    let object = this.object + 1;
    if ((flags & FLAG.object) === 0) {
      if (!this.#begun) throw wrong("the id of an object before the first");
    } else {
      this.#at = this.integer(bytes, at, end);
      if (this.#at < 0) return -1;
      const counts = this.profile.fetchLayout === "delta" && (flags & FLAG.group) === 0;
      object = counts ? this.object + this.value : this.value;
    }
    if (object > MAX_VARINT) throw wrong("object id above 2^53-1");
    return object;
  }

  /** Reads the payload's length, and the status where there is one. */
  #payload(bytes: Uint8Array, from: number, end: number, propertyBytes: number): number {
    const at = this.integer(bytes, from, end);
    if (at < 0) return -1;
    const length = this.value;
    let behind = at;
    let status: number = STATUS.normal;
    if (length === 0 && this.profile.fetchStatus) {
      behind = this.integer(bytes, at, end);
      if (behind < 0) return -1;
      status = this.value;
      this.checkStatus(status, propertyBytes);
    }
    this.payloadLength = length;
    this.status = status;
    return behind;
  }

  /** The end of a range. Its numbers are absolute, in all drafts. */
  #marker(bytes: Uint8Array, from: number, end: number, flags: number): number {
    if (!this.profile.rangeMarkers.includes(flags)) throw wrong(`flags ${flags}`);
    let at = this.integer(bytes, from, end);
    if (at < 0) return -1;
    const group = this.value;
    at = this.integer(bytes, at, end);
    if (at < 0) return -1;
    this.group = group;
    this.object = this.value;
    this.#begun = true;
    this.missing = missingOf(flags);
    this.payloadLength = this.status = 0;
    this.propertiesAt = this.propertiesEnd = at;
    return at;
  }

  #take(
    group: number,
    subgroup: number,
    object: number,
    priority: number,
    datagram: boolean,
    propertiesEnd: number,
    propertyBytes: number,
  ): void {
    this.group = group;
    this.subgroup = subgroup;
    this.object = object;
    this.priority = priority;
    this.datagram = datagram;
    this.propertiesAt = propertiesEnd - propertyBytes;
    this.propertiesEnd = propertiesEnd;
    this.missing = undefined;
    this.#begun = this.#hadObject = true;
  }
}

function wrong(detail: string): ProtocolViolation {
  return new ProtocolViolation(WHERE, detail);
}

/** An object to be written. */
export interface FetchedObject {
  readonly group: number;
  /** Means nothing for what was a datagram. */
  readonly subgroup: number;
  readonly object: number;
  readonly priority: number;
  readonly datagram: boolean;
  /** As they are written; empty where there are none. */
  readonly properties: Uint8Array;
  /** Only 14 and 15 have another one than normal. */
  readonly status: number;
}

/** Writes heads of fetched objects, one after another: each leaves out what the one before has said. */
export class FetchWriter {
  #last: { readonly group: number; readonly object: number } | undefined;
  #lastObject: FetchedObject | undefined;
  readonly #profile: Profile;
  readonly #descending: boolean;

  constructor(profile: Profile, order: GroupOrder = "ascending") {
    this.#profile = profile;
    this.#descending = order === "descending";
  }

  /** The head of an object; `payloadLength` bytes follow it. @throws {RangeError} */
  object(object: FetchedObject, payloadLength: number): Uint8Array {
    const profile = this.#profile;
    const problem = object.status === STATUS.normal
      ? undefined
      : !profile.fetchStatus || payloadLength > 0
      ? `status ${object.status}`
      : statusProblem(object.status, object.properties.length, profile);
    if (problem !== undefined) throw new RangeError(`Cannot encode a fetched object: ${problem}`);
    const w = new Writer(profile.varints);
    if (profile.fetchLayout === "full") this.#full(w, object);
    else this.#flagged(w, object);
    w.varint(payloadLength);
    if (payloadLength === 0 && profile.fetchStatus) w.varint(object.status);
    this.#last = this.#lastObject = object;
    return w.done();
  }

  /** Says that nothing comes of the objects from the last one up to and with this. @throws {RangeError} */
  missing(why: Missing, group: number, object: number): Uint8Array {
    const marker = MARKERS[why];
    if (!this.#profile.rangeMarkers.includes(marker)) {
      throw new RangeError(`Cannot encode a range that is ${why} in ${this.#profile.name}`);
    }
    const w = new Writer(this.#profile.varints);
    w.varint(marker);
    w.varint(group);
    w.varint(object);
    this.#last = { group, object };
    return w.done();
  }

  #full(w: Writer, o: FetchedObject): void {
    w.varint(o.group);
    w.varint(subgroupOf(o, this.#profile));
    w.varint(o.object);
    w.u8(o.priority);
    w.sized(o.properties);
  }

  #flagged(w: Writer, o: FetchedObject): void {
    const last = this.#last;
    const before = this.#lastObject;
    const datagram = o.datagram && this.#profile.fetchDatagrams;
    const sameGroup = last?.group === o.group;
    const named = subgroupOf(o, this.#profile);
    const prior = before === undefined || before.datagram ? undefined : before.subgroup;
    const subgroup = datagram ? SUBGROUP.zero : subgroupMode(named, prior);
    let flags: number = subgroup;
    if (datagram) flags |= FLAG.datagram;
    if (!sameGroup) flags |= FLAG.group | FLAG.object;
    else if (o.object !== last.object + 1) flags |= FLAG.object;
    if (before?.priority !== o.priority) flags |= FLAG.priority;
    if (o.properties.length > 0) flags |= FLAG.properties;

    w.varint(flags);
    if (!sameGroup) w.varint(this.#groupField(o.group));
    if (subgroup === SUBGROUP.explicit) w.varint(named);
    if ((flags & FLAG.object) !== 0) {
      const counts = this.#profile.fetchLayout === "delta" && sameGroup;
      w.varint(counts ? o.object - last.object : o.object);
    }
    if ((flags & FLAG.priority) !== 0) w.u8(o.priority);
    if (o.properties.length > 0) w.sized(o.properties);
  }

  #groupField(group: number): number {
    if (this.#last === undefined || this.#profile.fetchLayout === "absolute") return group;
    const step = group - this.#last.group;
    return (this.#descending ? -step : step) - 1;
  }
}

/** Up to 15 an object that was a datagram has its own id for a subgroup. */
function subgroupOf(o: FetchedObject, profile: Profile): number {
  return o.datagram && !profile.fetchDatagrams ? o.object : o.subgroup;
}

function subgroupMode(subgroup: number, before: number | undefined): number {
  if (subgroup === 0) return SUBGROUP.zero;
  if (subgroup === before) return SUBGROUP.same;
  return before !== undefined && subgroup === before + 1 ? SUBGROUP.next : SUBGROUP.explicit;
}
