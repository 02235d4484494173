/**
 * Timestamps in the properties of objects. Spec: draft-ietf-moq-loc-04, "Timestamp", "Timescale".
 *
 * The units per second come from the object, else from the track, else they are microseconds. An older draft had another
 * type. Peers of the drafts up to 16 know no other, so those get it.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { OBJECT_PROPERTY, TRACK_PROPERTY } from "../../wire/ietf/pairs.ts";
import type { Profile } from "../../wire/ietf/profile.ts";
import type { TrackInfo } from "../../relay/reading.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { PropertyWalk } from "./property_walk.ts";

/** Units per second of what the bridge writes, either way. */
export const BRIDGE_TIMESCALE = 1_000_000;
/** Type and value, each of at most nine bytes. */
const MAX_PROPERTY_BYTES = 18;

/** The same time in other units per second. Rounded to the nearest; exact as long as it is below 2^53. */
export function rescaled(time: number, from: number, to: number): number {
  if (from === to) return time;
  const seconds = Math.floor(time / from);
  return seconds * to + Math.round((time - seconds * from) * to / from);
}

/** The time now, for what has no timestamp of its own: in units of {@link BRIDGE_TIMESCALE} since 1970. */
export function arrivalTime(clock: Clock): number {
  return Math.round(clock.wallMs() * (BRIDGE_TIMESCALE / 1000));
}

/** The units per second that a track's properties name for its objects. */
export function timescaleOf(info: TrackInfo): number {
  const { properties } = info;
  if (properties === undefined || properties.layout === "frames") return BRIDGE_TIMESCALE;
  const walk = new PropertyWalk(profileFor(properties.layout));
  walk.begin(properties.bytes, 0, properties.bytes.length);
  try {
    while (walk.next()) {
      if (walk.type === TRACK_PROPERTY.timescale && walk.value > 0) return walk.value;
    }
  } catch { // They are passed on as they are, whatever they are.
  }
  return BRIDGE_TIMESCALE;
}

/** Reads what the bridge has to know of an object's properties. */
export class ObjectTimes {
  /** Of the last object that was read: ids right below its own that do not exist. */
  priorGap = 0;
  #time = -1;
  #timescale = 0;
  readonly #walk: PropertyWalk;
  readonly #nested: PropertyWalk;

  constructor(profile: Profile) {
    this.#walk = new PropertyWalk(profile);
    this.#nested = new PropertyWalk(profile);
  }

  /**
   * The timestamp in properties, in units of {@link BRIDGE_TIMESCALE}. Never throws.
   * @param timescale That of the track.
   * @returns -1 when there is none.
   */
  read(bytes: Uint8Array, from: number, end: number, timescale: number): number {
    this.priorGap = 0;
    this.#time = -1;
    this.#timescale = timescale;
    if (from === end) return -1;
    this.#read(this.#walk, bytes, from, end);
    if (this.#time < 0) return -1;
    const time = rescaled(this.#time, this.#timescale, BRIDGE_TIMESCALE);
    return time <= Number.MAX_SAFE_INTEGER ? time : -1;
  }

  #read(walk: PropertyWalk, bytes: Uint8Array, from: number, end: number): void {
    walk.begin(bytes, from, end);
    try {
      while (walk.next()) {
        const { type, value } = walk;
        if (type === OBJECT_PROPERTY.timestamp) this.#time = value;
        else if (type === OBJECT_PROPERTY.oldTimestamp && this.#time < 0) this.#time = value;
        else if (type === OBJECT_PROPERTY.timescale && value > 0) this.#timescale = value;
        else if (type === OBJECT_PROPERTY.priorObjectGap) this.priorGap = value;
        else if (type === OBJECT_PROPERTY.immutable && walk !== this.#nested) {
          this.#read(this.#nested, bytes, walk.from, walk.at);
        }
      }
    } catch { // What stands before it counts.
    }
  }
}

/** Writes the timestamp of an object. */
export class TimestampWriter {
  readonly #bytes = new Uint8Array(MAX_PROPERTY_BYTES);
  readonly #profile: Profile;
  readonly #type: number;

  constructor(layout: ObjectLayout) {
    this.#profile = profileFor(layout);
    this.#type = layout === "objects18" ? OBJECT_PROPERTY.timestamp : OBJECT_PROPERTY.oldTimestamp;
  }

  /**
   * Properties of an object: its timestamp.
   * @param timestamp In units of `info.timescale`.
   * @returns A view, valid until the next call; empty when the track has no timestamps, or there is no way to write it.
   */
  properties(timestamp: number, info: TrackInfo): Uint8Array {
    const time = info.untimed === true
      ? Infinity
      : rescaled(timestamp, info.timescale, BRIDGE_TIMESCALE);
    if (!(time <= Number.MAX_SAFE_INTEGER)) return NONE;
    const { varints } = this.#profile;
    const at = varints.put(this.#bytes, 0, this.#type);
    return this.#bytes.subarray(0, varints.put(this.#bytes, at, time));
  }
}

const NONE = new Uint8Array();
