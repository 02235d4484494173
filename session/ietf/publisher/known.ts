/**
 * Subscribes to a track until it is known what there is of it: for requests that bring no subscription along.
 *
 * @module
 */
import { reasonOf } from "../../../base/errors.ts";
import type { TrackEnd } from "../../../relay/reading.ts";
import type { Track } from "../../../relay/track.ts";
import type { RequestWord } from "../../../wire/ietf/codes.ts";
import { Awaited } from "./awaited.ts";
import { firstRequest } from "./served_track.ts";
import type { Place, Serving } from "./serving.ts";

/** How long to wait for the first object of a source that does not say how far its track has come. */
const FIRST_MS = 1000;

/** A track that is kept until it is released. */
export interface Known {
  readonly track: Track;
  release(): void;
}

/** A request cannot be answered. */
export class Refusal {
  constructor(readonly word: RequestWord, readonly reason: string) {}
}

/**
 * Waits until a track is known.
 * @param gone Fulfils when nobody waits for it any more.
 * @returns `undefined` when the peer has left.
 */
export async function knownTrack(
  serving: Serving,
  place: Place,
  gone: Promise<unknown>,
): Promise<Known | Refusal | undefined> {
  const broadcast = serving.find(place);
  if (broadcast === undefined) return new Refusal("doesNotExist", "nobody announces it");
  let track: Track;
  try {
    track = serving.trackOf(broadcast, place);
  } catch (error) {
    return new Refusal("overloaded", reasonOf(error));
  }
  const known = Promise.withResolvers<Refusal | undefined>();
  const came = Promise.withResolvers<void>();
  const awaited = new Awaited(
    track,
    firstRequest(track),
    serving.context.peerHop,
    () => known.resolve(undefined),
    (end) => {
      known.resolve(refusalOf(end));
      came.resolve();
    },
    came.resolve,
  );
  awaited.start();
  const left = gone.then(() => "left" as const, () => "left" as const);
  const failed = await Promise.race([known.promise, left]);
  if (failed !== undefined) {
    awaited.stop();
    return failed === "left" ? undefined : failed;
  }
  if (track.largest === undefined && !track.infoTold) {
    const cancel = serving.context.clock.after(FIRST_MS, came.resolve);
    await Promise.race([came.promise, left]);
    cancel();
  }
  return { track, release: () => awaited.stop() };
}

/** Why a track is not served. */
export function refusalOf(end: TrackEnd): Refusal {
  if (end.kind === "ended") return new Refusal("doesNotExist", "the track has ended");
  return new Refusal(end.why === "refused" ? "unauthorized" : "doesNotExist", end.reason);
}
