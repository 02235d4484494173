/**
 * What groups cost in memory, and how it is taken from them.
 *
 * @module
 */
import type { Group } from "./group.ts";

/** Bytes of its slabs. */
export function heldBytes({ subgroups }: Group): number {
  let bytes = 0;
  for (const { segments } of subgroups) {
    for (const slab of segments) bytes += slab.bytes.length;
  }
  return bytes;
}

/** Bytes of its slabs and of those of its copies. */
export function costBytes(group: Group): number {
  return group.copies.reduce((sum, copy) => sum + copy.heldBytes, heldBytes(group));
}

/** Gives its memory back, with its copies. It is cut and not kept any more, and readers lose the unread rest. */
export function evict(group: Group): void {
  if (group.isEvicted) return;
  group.isEvicted = true;
  group.retain();
  group.keeper?.forget(group);
  group.settle();
  group.end("cut");
  for (const { cursors } of group.subgroups) {
    for (let i = cursors.length - 1; i >= 0; i--) cursors[i]?.evicted?.();
  }
  for (const copy of group.copies) copy.evict();
  group.release();
}
