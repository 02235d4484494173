/**
 * Who serves a track: at once, or as soon as somebody comes with it.
 *
 * @module
 */
import type { Broadcast } from "../../../relay/broadcast.ts";
import type { Place, Serving } from "./serving.ts";

/**
 * Finds the broadcast of a track.
 * @param waitMs How long the peer wants to wait for it. Absent or 0: not at all.
 * @param gone Fulfils when the peer has left.
 */
export function routeTo(
  serving: Serving,
  place: Place,
  waitMs: number | undefined,
  gone: Promise<void>,
): Broadcast | "doesNotExist" | Promise<Broadcast | "timeout" | "left"> {
  const found = serving.find(place);
  const { serve } = place.by ?? serving.context;
  if (found !== undefined) return found;
  if (serve === undefined || waitMs === undefined || waitMs === 0) return "doesNotExist";
  const { promise, cancel } = serve.awaitRoute(
    place.path,
    place.name,
    waitMs,
    serving.context.peerHop,
    serving,
  );
  const left = gone.then(() => "left" as const, () => "left" as const);
  void left.then(cancel);
  return Promise.race([left, promise.then((broadcast) => broadcast ?? "timeout" as const)]);
}
