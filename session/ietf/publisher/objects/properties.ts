/**
 * What a track's properties say, and how a peer of any draft gets them.
 * Spec: draft-ietf-moq-transport-18, "Properties".
 *
 * @module
 */
import type { TrackInfo, TrackProperties } from "../../../../relay/reading.ts";
import { decodeProperties, type Pair, TRACK_PROPERTY } from "../../../../wire/ietf/pairs.ts";
import type { Parameters } from "../../../../wire/ietf/parameters.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { profileFor } from "../../../convert/layouts.ts";
import { trackPropertiesFor } from "../../../convert/track_properties.ts";
import { layoutOf } from "../../context.ts";

const NONE: Uint8Array = new Uint8Array(0);

/**
 * A track's properties as messages of a draft carry them; empty where they have none.
 * @param wishes Of the peer, who may not want them.
 */
export function trackProperties(
  profile: Profile,
  info: TrackInfo,
  wishes: Parameters,
): Uint8Array {
  if (!profile.trackProperties || wishes.includeProperties === false) return NONE;
  try {
    return trackPropertiesFor(layoutOf(profile), info);
  } catch { // They cannot be written in this draft.
    return NONE;
  }
}

/** The same as parameters, for drafts whose messages have no properties. */
export function trackParameters(profile: Profile, { properties }: TrackInfo): Parameters {
  if (profile.trackProperties) return {};
  const pairs = pairsOf(properties);
  const deliveryTimeoutMs = numberOf(pairs, TRACK_PROPERTY.objectTimeoutMs);
  const maxCacheMs = numberOf(pairs, TRACK_PROPERTY.maxCacheMs);
  return {
    ...(deliveryTimeoutMs !== undefined && { deliveryTimeoutMs }),
    ...(maxCacheMs !== undefined && { maxCacheMs }),
  };
}

/** The shortest delivery timeout that subscriber and publisher ask for; absent when neither does. */
export function timeoutMs(wishes: Parameters, { properties }: TrackInfo): number | undefined {
  const pairs = pairsOf(properties);
  const said = [
    wishes.deliveryTimeoutMs,
    wishes.subgroupTimeoutMs,
    numberOf(pairs, TRACK_PROPERTY.objectTimeoutMs),
    numberOf(pairs, TRACK_PROPERTY.subgroupTimeoutMs),
  ].filter((one) => one !== undefined && one > 0);
  return said.length === 0 ? undefined : Math.min(...said as number[]);
}

function numberOf(pairs: readonly Pair[], type: number): number | undefined {
  const value = pairs.find((pair) => pair.type === type)?.value;
  return typeof value === "number" ? value : undefined;
}

function pairsOf(properties: TrackProperties | undefined): Pair[] {
  if (properties === undefined || properties.layout === "frames") return [];
  try {
    return decodeProperties(properties.bytes, profileFor(properties.layout));
  } catch {
    return [];
  }
}
