/**
 * Which objects a subscription or a fetch takes, by location, in all the ways the drafts write it.
 * Spec: draft-ietf-moq-transport-14, "Filter Types", -18, "Subscription Filters"; as peers write 20 and 22.
 *
 * @module
 */
import type { Reader, Writer } from "../cursor.ts";
import { absent, type Field } from "../message.ts";
import { MAX_VARINT } from "../varint.ts";
import { type Location, sized } from "./fields.ts";
import type { FilterForm } from "./profile.ts";
import { capped } from "./integers.ts";

/** Where a range ends: with that object, or with the whole group. */
export interface RangeEnd {
  readonly group: number;
  readonly object?: number;
}

/** Which objects are taken. "Largest" is the largest location that the publisher has of the track. */
export type Filter =
  /** All. */
  | { readonly kind: "all" }
  /** From the one behind the largest on. */
  | { readonly kind: "next-object" }
  /** From the beginning of a group on: so many before the one that follows the largest; 0 is that one itself. */
  | { readonly kind: "groups-back"; readonly groups: number }
  /** From here on, up to and with the end if there is one. */
  | { readonly kind: "range"; readonly start: Location; readonly end?: RangeEnd };

const NEXT_GROUP = 1;
const LARGEST_OBJECT = 2;
const ABSOLUTE_START = 3;
const ABSOLUTE_RANGE = 4;
const ORIGIN: Location = { group: 0, object: 0 };
/** Four integers and a type. */
const MAX_FILTER_BYTES = 5 * 9;

const cappedLocation = (r: Reader): Location => ({ group: capped.read(r), object: capped.read(r) });

function writeLocation(w: Writer, v: Location): void {
  w.varint(v.group);
  w.varint(v.object);
}

function refuse(what: string): never {
  throw new RangeError(`Cannot encode a filter ${what} in this draft`);
}

function groupDelta(start: Location, end: RangeEnd): number {
  if (end.group < start.group) refuse("that ends before it starts");
  return end.group - start.group;
}

/** Up to draft 19. No filter has a number of its own for "all": that is everything from the origin. */
const typedUpTo19 = (delta: boolean): Field<Filter> => ({
  write(w, v) {
    if (v.kind === "next-object") return w.varint(LARGEST_OBJECT);
    if (v.kind === "groups-back") {
      return v.groups === 0 ? w.varint(NEXT_GROUP) : refuse("that goes back");
    }
    const { start, end } = v.kind === "range" ? v : { start: ORIGIN, end: undefined };
    if (end?.object !== undefined) refuse("that ends within a group");
    w.varint(end === undefined ? ABSOLUTE_START : ABSOLUTE_RANGE);
    writeLocation(w, start);
    if (end !== undefined) w.varint(delta ? groupDelta(start, end) : checkedEnd(start, end));
  },
  read(r) {
    const type = r.roundedVarint();
    if (type === LARGEST_OBJECT) return { kind: "next-object" };
    if (type === NEXT_GROUP) return { kind: "groups-back", groups: 0 };
    if (type !== ABSOLUTE_START && type !== ABSOLUTE_RANGE) throw r.fail(`filter of type ${type}`);
    const start = cappedLocation(r);
    if (type === ABSOLUTE_START) return { kind: "range", start };
    const end = capped.read(r);
    if (!delta && end < start.group) throw r.fail(`end group ${end} before ${start.group}`);
    return { kind: "range", start, end: { group: delta ? sum(start.group, end) : end } };
  },
});

function checkedEnd(start: Location, end: RangeEnd): number {
  return groupDelta(start, end) + start.group;
}

function sum(start: number, delta: number): number {
  return Math.min(start + delta, MAX_VARINT);
}

/** What the fields of a range hold. */
function rangeFields(v: Filter & { readonly kind: "range" }): number[] {
  const fields = [v.start.group, v.start.object];
  if (v.end !== undefined) fields.push(groupDelta(v.start, v.end));
  if (v.end?.object !== undefined) fields.push(v.end.object);
  return fields;
}

function rangeOf(fields: readonly number[]): Filter {
  const [group, object, delta, endObject] = fields as [number, number, number?, number?];
  const start = { group, object };
  if (delta === undefined) return { kind: "range", start };
  const end = { group: sum(group, delta) };
  return {
    kind: "range",
    start,
    end: endObject === undefined ? end : { ...end, object: endObject },
  };
}

/** Drafts 20 and 21: the number of fields says what they mean. Two zeros are the next object. */
const counted: Field<Filter> = {
  write(w, v) {
    if (v.kind === "groups-back") w.varint(v.groups);
    else if (v.kind === "next-object") writeLocation(w, ORIGIN);
    else if (v.kind === "range") {
      const fields = rangeFields(v);
      if (fields.length === 2 && fields[0] === 0 && fields[1] === 0) return;
      for (const field of fields) w.varint(field);
    }
  },
  read(r) {
    const fields: number[] = [];
    while (r.left > 0) {
      if (fields.length === 4) throw r.fail("a filter of more than four fields");
      fields.push(capped.read(r));
    }
    if (fields.length === 0) return { kind: "all" };
    if (fields.length === 1) return { kind: "groups-back", groups: fields[0]! };
    if (fields.length === 2 && fields[0] === 0 && fields[1] === 0) return { kind: "next-object" };
    return rangeOf(fields);
  },
};

/** Fields by type, draft 22. */
const FIELDS_22 = [0, 1, 2, 3, 4, 0];

/** Draft 22. */
const typed22: Field<Filter> = {
  write(w, v) {
    if (v.kind === "all") return w.varint(0);
    if (v.kind === "next-object") return w.varint(5);
    const fields = v.kind === "range" ? rangeFields(v) : [v.groups];
    w.varint(fields.length);
    for (const field of fields) w.varint(field);
  },
  read(r) {
    const type = r.roundedVarint();
    const count = FIELDS_22[type];
    if (count === undefined) throw r.fail(`filter of type ${type}`);
    const fields = Array.from({ length: count }, () => capped.read(r));
    if (type === 0) return { kind: "all" };
    if (type === 5) return { kind: "next-object" };
    return type === 1 ? { kind: "groups-back", groups: fields[0]! } : rangeOf(fields);
  },
};

/** The filter as it stands between the fields of draft 14. */
export const inlineFilter: Field<Filter> = typedUpTo19(false);

/** The filter as a parameter's value. */
export const FILTER_PARAMETER: Readonly<Record<FilterForm, Field<Filter>>> = {
  absolute: sized(inlineFilter, MAX_FILTER_BYTES),
  delta: sized(typedUpTo19(true), MAX_FILTER_BYTES),
  counted: sized(counted, MAX_FILTER_BYTES),
  typed: typed22,
};

/** One condition on the objects or tracks that are sent (19+). It says nothing, that is: it is taken back, without a set. */
export interface RangeFilter {
  readonly on: typeof RANGE_FILTERS[number];
  /** Conditions of one set hold together, sets stand beside each other. */
  readonly set?: number;
  /** The property's type, where it is about a property. */
  readonly property?: number;
  /** Both ends are taken; without an end it goes on forever. */
  readonly ranges: readonly { readonly start: number; readonly end?: number }[];
}

/** What conditions are about, by the type of their parameter from 0x25 on. */
export const RANGE_FILTERS = [
  "subgroup",
  "object",
  "priority",
  "object-property",
  "track-property",
] as const;
/** Most bytes of one condition. */
const MAX_RANGE_FILTER_BYTES = 1_024;

/** A condition behind its length. */
export function rangeFilter(on: RangeFilter["on"]): Field<RangeFilter> {
  const onProperty = on === "object-property" || on === "track-property";
  const property = onProperty ? capped : absent<number | undefined>(undefined);
  const field: Field<RangeFilter> = {
    write(w, v) {
      if (v.set === undefined) return;
      w.u8(v.set);
      property.write(w, v.property!);
      let before = 0;
      for (const { start, end } of v.ranges) {
        w.varint(start - before);
        if (end !== undefined) w.varint(end - start);
        before = end ?? Infinity;
      }
    },
    read(r) {
      if (r.left === 0) return { on, ranges: [] };
      const set = r.u8();
      const type = property.read(r);
      const ranges: { start: number; end?: number }[] = [];
      for (let before = 0; r.left > 0;) {
        const start = sum(before, capped.read(r));
        if (r.left === 0) ranges.push({ start });
        else ranges.push({ start, end: before = sum(start, capped.read(r)) });
      }
      return type === undefined ? { on, set, ranges } : { on, set, property: type, ranges };
    },
  };
  return sized(field, MAX_RANGE_FILTER_BYTES);
}
