/** Which broadcasts have a viewer at a node. */
import type { Relay } from "./relay.ts";

/**
 * Paths of announced broadcasts that a session subscribes to, each once. Another relay counts as a viewer. A plugin and the
 * recorder do not.
 */
export function viewedBroadcasts(relay: Relay): string[] {
  /** By the subscribed path, which may be below the announced one. */
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
