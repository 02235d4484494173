/**
 * How the objects of each layout are written. Drafts that share a layout write them alike.
 *
 * @module
 */
import type { Layout } from "../../relay/group/subgroup_head.ts";
import { type Profile, profileOf } from "../../wire/ietf/profile.ts";

/** A layout of moq-transport. */
export type ObjectLayout = Exclude<Layout, "frames">;

const PROFILES: Readonly<Record<ObjectLayout, Profile>> = {
  objects14: profileOf(14),
  objects16: profileOf(16),
  objects18: profileOf(18),
};

/** A draft that writes objects in this layout. */
export function profileFor(layout: ObjectLayout): Profile {
  return PROFILES[layout];
}
