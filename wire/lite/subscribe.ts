/**
 * SUBSCRIBE, its updates and replies. Every version decodes to the same shape. A field that a version does not have
 * gets its default. Spec: draft-lcurley-moq-lite-01 … -06, "SUBSCRIBE".
 *
 * `maxLatencyMs` 0 keeps only the newest group. Without `startGroup` it starts at the newest (06: there is no lower bound).
 * `endGroup` is inclusive; without it the track's end is the end. Frame bounds count within the first and the last group.
 *
 * @module
 */
import {
  absent,
  checked,
  type Decoded,
  type Field,
  message,
  optional,
  u8,
  varint,
} from "../message.ts";
import { floor, ignoredByte, path, rootedPath, trackName } from "./fields.ts";

const none = absent<number | undefined>(undefined);
const noByte = absent<undefined>(undefined);
const zero = absent<number>(0);

/** The last frame is counted within the last group, so there has to be one. */
function frameNeedsGroup(
  v: { readonly endGroup: number | undefined; readonly endFrame: number | undefined },
): string | undefined {
  return v.endFrame !== undefined && v.endGroup === undefined
    ? `last frame ${v.endFrame} without a last group`
    : undefined;
}

/** The track, and the id that its groups carry. */
const track = (broadcast: Field<string>) => ({ id: varint, broadcast, track: trackName });
/** Before 06 there are no frame bounds. */
const wholeGroups = { startFrame: zero, endFrame: none };
/** 01 says nothing about groups. */
const groups1 = {
  priority: u8,
  ordered: noByte,
  maxLatencyMs: zero,
  startGroup: none,
  endGroup: none,
};
const groups3 = {
  priority: u8,
  ordered: ignoredByte,
  maxLatencyMs: varint,
  startGroup: optional,
  endGroup: optional,
};
const groups6 = {
  priority: u8,
  ordered: noByte,
  maxLatencyMs: varint,
  startGroup: floor,
  endGroup: optional,
  startFrame: varint,
  endFrame: optional,
};

export const Subscribe1 = message("SUBSCRIBE", {
  ...track(rootedPath),
  ...groups1,
  ...wholeGroups,
});
export const Subscribe3 = message("SUBSCRIBE", {
  ...track(rootedPath),
  ...groups3,
  ...wholeGroups,
});
export const Subscribe5 = message("SUBSCRIBE", {
  ...track(path),
  ...groups3,
  ...wholeGroups,
});
export const Subscribe6 = checked(
  message("SUBSCRIBE", { ...track(path), ...groups6 }),
  frameNeedsGroup,
);
export type Subscribe = Decoded<typeof Subscribe6>;

/** SUBSCRIBE_UPDATE (03+): the fields of a running subscription that can change. */
export const SubscribeUpdate3 = message("SUBSCRIBE_UPDATE", {
  ...groups3,
  ...wholeGroups,
});
export const SubscribeUpdate6 = checked(
  message("SUBSCRIBE_UPDATE", groups6),
  frameNeedsGroup,
);
export type SubscribeUpdate = Decoded<typeof SubscribeUpdate6>;

/** SUBSCRIBE_OK: 01 answers with the priority alone, 02 with an empty message, 03/04 with the whole agreement. */
export const SubscribeOk1 = message("SUBSCRIBE_OK", groups1);
export const SubscribeOk2 = message("SUBSCRIBE_OK", {
  ...groups1,
  priority: zero,
});
export const SubscribeOk3 = message("SUBSCRIBE_OK", groups3);

/** The first group that will come (05+). */
export const SubscribeStart = message("SUBSCRIBE_START", {
  group: varint,
});
/** No group with this number or a higher one will come (05+). */
export const SubscribeEnd = message("SUBSCRIBE_END", {
  group: varint,
});
/** Groups that will not come, both ends inclusive (03+). */
export const SubscribeDrop = message("SUBSCRIBE_DROP", {
  startGroup: varint,
  endGroup: varint,
  error: varint,
});
