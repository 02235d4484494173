/**
 * Which objects a FETCH asks for. Spec: draft-ietf-moq-transport-18, "FETCH"; -20 and later as peers use them.
 *
 * @module
 */
import type { Location } from "../../../../relay/reading.ts";
import type { Filter, RangeEnd } from "../../../../wire/ietf/filter.ts";
import type { FetchTarget } from "../../../../wire/ietf/message/fetch.ts";
import { rangeOf } from "../range.ts";

/** From the start up to and with the end. Without an object the end is the whole group. */
export interface FetchRange {
  readonly start: Location;
  readonly end: RangeEnd;
}

/**
 * The part of a filter's range that has been published.
 * @returns `undefined` when there is nothing in it.
 */
export function fetchRange(filter: Filter | undefined, largest: Location): FetchRange | undefined {
  const { start = { group: 0, object: 0 }, end } = rangeOf(filter, largest);
  const beyond = end === undefined || end.group > largest.group ||
    end.group === largest.group && (end.object ?? Infinity) > largest.object;
  const last = beyond ? largest : end;
  if (start.group > last.group) return undefined;
  if (start.group === last.group && start.object > (last.object ?? Infinity)) return undefined;
  return { start, end: last };
}

/** The range of a fetch that joins a subscription. @param largest Where the subscription began. */
export function joiningRange(
  { from, group }: FetchTarget & { readonly kind: "joining" },
  largest: Location,
): FetchRange | undefined {
  const first = from === "group" ? group : largest.group - group;
  if (first < 0 || first > largest.group) return undefined;
  return { start: { group: first, object: 0 }, end: largest };
}
