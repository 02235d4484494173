/**
 * How a track or a request ends, as its publisher says it, in the terms of the core.
 *
 * @module
 */
import type { TrackEnd, TrackFailure } from "../../../relay/ports.ts";
import { doneWord, type RequestWord, requestWord } from "../../../wire/ietf/codes.ts";
import type { Request } from "../../../wire/ietf/dialect.ts";
import type { RequestError } from "../../../wire/ietf/message/answers.ts";
import type { PublishDone } from "../../../wire/ietf/message/publish.ts";
import type { Profile } from "../../../wire/ietf/profile.ts";

/** The session is over. */
export const GONE: TrackEnd = {
  kind: "failed",
  why: "lost",
  reason: "the session with the publisher ended",
};

/** The peer has ended its side without PUBLISH_DONE. */
export const LEFT: TrackEnd = {
  kind: "failed",
  why: "lost",
  reason: "the publisher left without saying why",
};

/** PUBLISH_DONE. */
export function endOf({ code, reason }: PublishDone, profile: Profile): TrackEnd {
  const word = doneWord(profile, code);
  if (word === "trackEnded" || word === "subscriptionEnded") return { kind: "ended" };
  if (word === "goingAway") return { kind: "ended", leaving: true };
  const why = word === "unauthorized" ? "refused" : "lost";
  return { kind: "failed", why, reason: `the publisher ended it (${word}): ${reason}` };
}

const REFUSED: ReadonlySet<RequestWord> = new Set<RequestWord>([
  ...["unauthorized", "malformedToken", "expiredToken", "unsupportedExtension"] as const,
]);
const LOST: ReadonlySet<RequestWord> = new Set<RequestWord>(["goingAway", "overloaded"]);

/** REQUEST_ERROR. Codes that nobody defined say mostly that there is no such track. */
export function refusalOf(
  { code, reason }: RequestError,
  request: Request,
  profile: Profile,
): TrackEnd & { readonly kind: "failed" } {
  const word = requestWord(profile, request, code);
  const why: TrackFailure = REFUSED.has(word) ? "refused" : LOST.has(word) ? "lost" : "not-found";
  return { kind: "failed", why, reason: `the publisher refused (${word}): ${reason}` };
}
