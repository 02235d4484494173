/**
 * The bridge between protocols: which layouts are converted into which. Everything else reads its own layout as it is kept.
 *
 * @module
 */
import { type Convert, type Converter, copiesBy } from "../../relay/group/copies.ts";
import { framesToObjects } from "./frames_to_objects.ts";
import { objectsToFrames } from "./objects_to_frames.ts";
import { objectsToObjects } from "./objects_to_objects.ts";

/** Every layout into every other one. */
export const convert: Convert = (from, to): Converter | undefined => {
  if (from === to) return undefined;
  if (to === "frames") return from === "frames" ? undefined : objectsToFrames(from);
  return from === "frames" ? framesToObjects(to) : objectsToObjects(from, to);
};

/** Makes the copies for readers of another layout. */
export const copyOf = copiesBy(convert);
