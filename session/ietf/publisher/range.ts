/**
 * Which objects of a track a subscriber gets: its filter, once it is known how far the track has come.
 * Spec: draft-ietf-moq-transport-18, "Subscription Filters"; -20 and later as peers use them.
 *
 * @module
 */
import type { Location } from "../../../relay/reading.ts";
import type { Filter, RangeEnd } from "../../../wire/ietf/filter.ts";

/** From the start up to and with the end. */
export interface Range {
  /** Absent: the newest group, from its beginning. */
  readonly start: Location | undefined;
  /** Absent: no end. Without an object it is the whole group. */
  readonly end: RangeEnd | undefined;
}

/** All that comes. */
export const EVERYTHING: Range = { start: undefined, end: undefined };

/**
 * What a filter lets through.
 * @param largest The largest location of the track; absent when there is none.
 */
export function rangeOf(filter: Filter | undefined, largest: Location | undefined): Range {
  if (filter === undefined || filter.kind === "all") return EVERYTHING;
  if (filter.kind === "range") return { start: filter.start, end: filter.end };
  // Nothing has come: the first group is the next one, whatever its number.
  if (largest === undefined) return EVERYTHING;
  const { group, object } = largest;
  const start = filter.kind === "next-object"
    ? { group, object: object + 1 }
    : { group: Math.max(0, group + 1 - filter.groups), object: 0 };
  return { start, end: undefined };
}

/** Whether no object of a range can come any more: it ends before it starts, or before the largest location. */
export function isPast({ start, end }: Range, largest: Location | undefined): boolean {
  if (end === undefined) return false;
  const last = end.object ?? Infinity;
  if (start !== undefined && isBefore(end.group, last, start)) return true;
  return largest !== undefined && isBefore(end.group, last, largest);
}

/** Whether a track has come to the end of a range, or further. */
export function isReached({ end }: Range, largest: Location | undefined): boolean {
  if (end === undefined || largest === undefined) return false;
  if (largest.group !== end.group) return largest.group > end.group;
  return end.object !== undefined && largest.object >= end.object;
}

/** Whether a range has an object. */
export function includes({ start, end }: Range, group: number, object: number): boolean {
  if (start !== undefined && isBefore(group, object, start)) return false;
  return end === undefined || group < end.group ||
    group === end.group && object <= (end.object ?? Infinity);
}

function isBefore(group: number, object: number, location: Location): boolean {
  return group < location.group || group === location.group && object < location.object;
}
