/** Which broadcasts have a viewer at a node. */
import type { Relay } from "./relay.ts";

/**
 * Paths of announced broadcasts that a session subscribes to, each once. A plugin is no viewer, nor is what keeps media for
 * looking back; another relay is one.
 */
export function viewedBroadcasts(relay: Relay): string[] {
  /** By the path that was asked for, which may lie below the one announced. */
  const announced = new Map<string, string | undefined>();
  for (const { session, internal } of relay.sessions()) {
    if (internal) continue;
    for (const { track: { broadcast } } of session.served()) {
      if (announced.has(broadcast)) continue;
      announced.set(broadcast, relay.origin.find(broadcast)?.path);
    }
  }
  return [...new Set([...announced.values()].filter((path) => path !== undefined))];
}
