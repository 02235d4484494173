/**
 * What a track's properties say, and how a peer of another draft gets them.
 * Spec: draft-ietf-moq-transport-18, "Properties".
 *
 * @module
 */
import type { TrackInfo, TrackProperties } from "../../../../relay/reading.ts";
import type { Layout } from "../../../../relay/group/subgroup_head.ts";
import {
  decodeProperties,
  isMandatoryProperty,
  type Pair,
  TRACK_PROPERTY,
} from "../../../../wire/ietf/pairs.ts";
import type { Parameters } from "../../../../wire/ietf/parameters.ts";
import { type Profile, profileOf } from "../../../../wire/ietf/profile.ts";
import { trackPropertiesFor } from "../../../convert/track_properties.ts";
import { layoutOf } from "../../context.ts";

const NONE: Uint8Array = new Uint8Array(0);
/** A draft that writes properties as a layout has them. Lite has none. */
const WRITTEN: Readonly<Record<Layout, Profile>> = {
  frames: profileOf(18),
  objects14: profileOf(14),
  objects16: profileOf(16),
  objects18: profileOf(18),
};

/** A track's properties as messages of a draft carry them. */
export function trackProperties(profile: Profile, info: TrackInfo): Uint8Array {
  if (!profile.trackProperties) return NONE;
  try {
    return trackPropertiesFor(layoutOf(profile), info);
  } catch {
    return NONE;
  }
}

/** The same as parameters, for drafts whose messages have no properties. */
export function trackParameters(profile: Profile, { properties }: TrackInfo): Parameters {
  if (profile.trackProperties || properties === undefined) return {};
  const found = new Map(pairsOf(properties).map(({ type, value }) => [type, value]));
  const number = (type: number) => {
    const value = found.get(type);
    return typeof value === "number" ? value : undefined;
  };
  const { objectTimeoutMs, maxCacheMs } = TRACK_PROPERTY;
  const said: Record<string, unknown> = {
    deliveryTimeoutMs: number(objectTimeoutMs),
    maxCacheMs: number(maxCacheMs),
  };
  for (const key of Object.keys(said)) if (said[key] === undefined) delete said[key];
  return said;
}

/** The shortest delivery timeout that subscriber and publisher ask for; absent when neither does. */
export function timeoutMs(wishes: Parameters, { properties }: TrackInfo): number | undefined {
  const { objectTimeoutMs, subgroupTimeoutMs } = TRACK_PROPERTY;
  const all: unknown[] = [wishes.deliveryTimeoutMs, wishes.subgroupTimeoutMs];
  for (const { type, value } of pairsOf(properties)) {
    if (type === objectTimeoutMs || type === subgroupTimeoutMs) all.push(value);
  }
  const said = all.filter((one): one is number => typeof one === "number" && one > 0);
  return said.length === 0 ? undefined : Math.min(...said);
}

/** Whether a track has a property that a relay must not pass on without knowing it. */
export function isMandatory({ properties }: TrackInfo): boolean {
  return pairsOf(properties).some(({ type }) => isMandatoryProperty(type));
}

function pairsOf(properties: TrackProperties | undefined): Pair[] {
  if (properties === undefined || properties.bytes.length === 0) return [];
  try {
    return decodeProperties(properties.bytes, WRITTEN[properties.layout]);
  } catch {
    return [];
  }
}
