import { STATUS } from "../../wire/ietf/data/object_head.ts";
import type { Pair } from "../../wire/ietf/pairs.ts";

/**
 * One property: a number under an even type, bytes under an odd one. Numbers above 2^53-1 are bigints. Types of one list
 * ascend.
 */
export interface Property {
  /** What it is. */
  readonly type: number | bigint;
  /** What it says. */
  readonly value: number | bigint | Uint8Array;
}

/** What an object is: "normal" with a payload, or one that only says that something ends. */
export type ObjectStatus = "normal" | "does-not-exist" | "end-of-group" | "end-of-track";

const NUMBERS: Readonly<Record<ObjectStatus, number>> = {
  normal: STATUS.normal,
  "does-not-exist": STATUS.doesNotExist,
  "end-of-group": STATUS.endOfGroup,
  "end-of-track": STATUS.endOfTrack,
};

const WORDS = Object.keys(NUMBERS) as ObjectStatus[];
const WORD_OF = new Map(WORDS.map((word) => [NUMBERS[word], word]));

/** The number of a status on the wire. @throws {RangeError} There is no such status. */
export function numberOf(status: ObjectStatus): number {
  const number = NUMBERS[status];
  if (number !== undefined) return number;
  throw new RangeError(
    `Cannot write status "${status}": known are ${WORDS.join(", ")}`,
  );
}

/** The status of a number. */
export function statusOf(number: number): ObjectStatus {
  return WORD_OF.get(number) ?? "normal";
}

/** One object of a track. */
export interface TrackObject {
  /** Number of its group. */
  readonly group: number;
  /** Number of its subgroup; that of an object in a datagram is its id. */
  readonly subgroup: number;
  /** Its number in the group. */
  readonly id: number;
  /** The publisher's priority of the subgroup, 0–255, higher goes first. Absent: that of the track. */
  readonly priority: number | undefined;
  /** What its publisher says of it. */
  readonly properties: readonly Property[];
  /** What it is. All but normal ones have no payload. */
  readonly status: ObjectStatus;
  /** A copy that belongs to the caller. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** The properties of the library are those of the wire. */
export function pairsOf(properties: readonly Property[]): readonly Pair[] {
  return [...properties].sort((a, b) => a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}
