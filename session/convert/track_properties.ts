import type { TrackInfo } from "../../relay/reading.ts";
import { encodeProperties, TRACK_PROPERTY } from "../../wire/ietf/pairs.ts";
import { type ObjectLayout, profileFor } from "./layouts.ts";
import { PropertyConverter } from "./properties.ts";
import { BRIDGE_TIMESCALE } from "./timestamps.ts";

/**
 * The properties of a track for a peer that reads this layout: what its publisher wrote. For a source of moq-lite they say
 * from draft 17 on what the timestamps are counted in that the bridge writes.
 *
 * @throws {ProtocolViolation} They are broken.
 */
export function trackPropertiesFor(to: ObjectLayout, info: TrackInfo): Uint8Array {
  const { properties, untimed } = info;
  const profile = profileFor(to);
  if (properties === undefined || properties.layout === "frames") {
    // Peers of the drafts before that look for no units, and old ones of them refuse properties.
    if (untimed === true || to !== "objects18") return NONE;
    return encodeProperties([{ type: TRACK_PROPERTY.timescale, value: BRIDGE_TIMESCALE }], profile);
  }
  if (properties.layout === to) return properties.bytes;
  return new PropertyConverter(profileFor(properties.layout), profile).convert(properties.bytes);
}

const NONE = new Uint8Array();
