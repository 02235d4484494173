/**
 * How the streams of subgroups are ordered (moq-transport), in the 31 bits of `send_order.ts`.
 *
 * @module
 */
import type { SendOrder } from "./send_order.ts";

const SUBGROUP_BITS = 3;
const FEW_TURN_BITS = 8;
const FEW_PLACE_BITS = 4;
const LAST_SUBGROUP = 2 ** SUBGROUP_BITS - 1;
const LAST_FEW_PLACE = 2 ** FEW_PLACE_BITS - 1;

/**
 * Of subgroups: after the subscriber's priority that of the publisher, and within a group the lower subgroup first. That
 * takes 11 of the 31 bits: places and turns have fewer, so the subscriptions behind the 15th share a place.
 * Spec: draft-ietf-moq-transport-18, "Scheduling Algorithm".
 */
export const SUBGROUP_ORDER: SendOrder = {
  maxTurn: 2 ** FEW_TURN_BITS - 2, // all bits are set in the order of control streams
  of(priority, place, turn, { head }, trackPriority) {
    const published = head.publisherPriority ?? trackPriority;
    const few = LAST_FEW_PLACE - Math.min(place, LAST_FEW_PLACE);
    const subgroup = LAST_SUBGROUP - Math.min(head.id, LAST_SUBGROUP);
    const within = (few << FEW_TURN_BITS | turn) << SUBGROUP_BITS | subgroup;
    return (priority << 8 | published) << (FEW_PLACE_BITS + FEW_TURN_BITS + SUBGROUP_BITS) | within;
  },
};
