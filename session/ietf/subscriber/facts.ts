/**
 * What SUBSCRIBE_OK and PUBLISH say of a track: by its properties, up to draft 15 by parameters.
 * Spec: draft-ietf-moq-transport-18, "Track Properties".
 *
 * @module
 */
import { type TrackFacts, type TrackInfo, UNTOLD_TRACK_INFO } from "../../../relay/ports.ts";
import type { TrackProperties } from "../../../relay/reading.ts";
import {
  decodeProperties,
  encodeProperties,
  isMandatoryProperty,
  type Pair,
  TRACK_PROPERTY,
} from "../../../wire/ietf/pairs.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";
import { layoutOf } from "../context.ts";

/** What a message says of a track. */
interface Told {
  readonly parameters: Parameters;
  /** As they are written. */
  readonly properties: Uint8Array;
}

/** What a track is like. */
export interface Facts extends TrackFacts {
  readonly info: TrackInfo;
}

/** What the core wants to know. @throws {ProtocolViolation} The properties are broken. */
export function factsOf(told: Told, profile: Profile): Facts {
  const pairs = profile.trackProperties
    ? decodeProperties(told.properties, profile)
    : pairsOf(told.parameters);
  const priority = numberOf(pairs, TRACK_PROPERTY.publisherPriority);
  const maxAgeMs = numberOf(pairs, TRACK_PROPERTY.maxCacheMs);
  const properties = propertiesOf(told, pairs, profile);
  return {
    info: {
      ...UNTOLD_TRACK_INFO,
      ...(priority !== undefined && priority <= 255 && { priority: 255 - priority }),
      ...(maxAgeMs !== undefined && { maxAgeMs }),
      // Without any too: the bridge adds to tracks that come from elsewhere what their viewers need.
      properties,
    },
    largest: told.parameters.largest,
  };
}

/** A property that forbids to forward the track to whoever does not know it; absent when there is none. */
export function unknownMandatory(properties: Uint8Array, profile: Profile): Pair | undefined {
  if (!profile.mandatoryProperties) return undefined;
  return decodeProperties(properties, profile).find(({ type }) => isMandatoryProperty(type));
}

/** What drafts up to 15 say by parameters, as properties. What is the default is not said. */
function pairsOf(parameters: Parameters): Pair[] {
  const { deliveryTimeoutMs, maxCacheMs, publisherPriority, groupOrder, dynamicGroups } =
    parameters;
  const said: [number, number | undefined | false][] = [
    [TRACK_PROPERTY.objectTimeoutMs, deliveryTimeoutMs],
    [TRACK_PROPERTY.maxCacheMs, maxCacheMs],
    [TRACK_PROPERTY.publisherPriority, publisherPriority],
    [TRACK_PROPERTY.groupOrder, groupOrder === "descending" && 2],
    [TRACK_PROPERTY.dynamicGroups, dynamicGroups === true && 1],
  ];
  return said.flatMap(([type, value]) =>
    value === undefined || value === false ? [] : [{ type, value }]
  );
}

function propertiesOf(
  { properties }: Told,
  pairs: readonly Pair[],
  profile: Profile,
): TrackProperties {
  const bytes = profile.trackProperties ? properties : encodeProperties(pairs, profile);
  return { bytes, layout: layoutOf(profile) };
}

function numberOf(pairs: readonly Pair[], type: number): number | undefined {
  const value = pairs.find((pair) => pair.type === type)?.value;
  return typeof value === "number" ? value : undefined;
}
