/**
 * Objects in datagrams, for peers of another layout. They are small and come one by one, so each is converted where it is
 * sent.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { DatagramObject, TrackInfo } from "../../relay/reading.ts";
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { PropertyConverter } from "./properties.ts";
import { arrivalTime, ObjectTimes, timescaleOf, TimestampWriter } from "./timestamps.ts";

/**
 * The timestamp of an object in a datagram, in microseconds: that of its properties, else the time now.
 * @param info Of its track.
 */
export function datagramTime(
  { properties, layout }: Pick<DatagramObject, "properties" | "layout">,
  info: TrackInfo,
  clock: Clock,
): number {
  const time = layout === "frames" || properties.length === 0
    ? -1
    : new ObjectTimes(profileFor(layout)).read(properties, 0, properties.length, timescaleOf(info));
  return time >= 0 ? time : arrivalTime(clock);
}

/**
 * The object of a datagram, for a peer that reads this layout.
 * @param timestamp Of a datagram of moq-lite, in the units of `info`.
 * @param object Absent for a datagram of moq-lite, which is object 0 of its group.
 * @returns `undefined` when the draft has no such object, or its properties are broken.
 */
export function datagramFor(
  to: ObjectLayout,
  timestamp: number,
  info: TrackInfo,
  object: DatagramObject | undefined,
): DatagramObject | undefined {
  if (object === undefined) return fromLite(to, timestamp, info);
  if (object.layout === to || object.layout === "frames") return object;
  try {
    const converter = new PropertyConverter(profileFor(object.layout), profileFor(to));
    const properties = converter.ofObject(object.status, object.properties);
    return properties && { ...object, properties, layout: to };
  } catch {
    return undefined;
  }
}

/** Whether a peer of moq-lite can be shown this datagram as a group of one frame. */
export function isFrame(object: DatagramObject | undefined): boolean {
  return object === undefined || (object.object === 0 && object.status === STATUS.normal);
}

function fromLite(to: ObjectLayout, timestamp: number, info: TrackInfo): DatagramObject {
  return {
    object: 0,
    properties: new TimestampWriter(to).properties(timestamp, info),
    layout: to,
    priority: undefined,
    status: STATUS.normal,
    endOfGroup: false,
  };
}
