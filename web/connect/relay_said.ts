/** What the page says of a relay that does not let it in, for each of its answers. */
import { needsSomebody, type RelayState } from "./access.ts";

export interface RelaySaid {
  /** A few words for the header. */
  readonly short: string;
  readonly title: string;
  /** What is the matter and what to do, in a sentence or two. */
  readonly text: string;
  /** "wait" gets better by itself, "problem" needs somebody. */
  readonly kind: "wait" | "problem";
}

/**
 * What to say of an answer; `undefined` when the relay lets us in.
 *
 * @param root Path of the page, without outer slashes.
 */
export function relaySaid(state: RelayState, root: string): RelaySaid | undefined {
  if (state === "ok") return undefined;
  const kind = needsSomebody(state) ? "problem" : "wait";
  return { ...WORDS[state](root === "" ? "this relay" : `/${root}`), kind };
}

type Words = Omit<RelaySaid, "kind">;

const WORDS: Readonly<Record<Exclude<RelayState, "ok">, (place: string) => Words>> = {
  token_needed: (place) => ({
    short: "Token needed",
    title: "A token is needed",
    text: `A token opens ${place}, and none was shown (401). Ask those who run the relay for one.`,
  }),
  token_refused: () => ({
    short: "Token refused",
    title: "The token is not accepted",
    text: "It has expired, was taken back, or is for another relay (401). Give another one.",
  }),
  forbidden: (place) => ({
    short: "Not allowed here",
    title: "The token is for another path",
    text:
      `It is a good token, but grants nothing at ${place} (403). Open this page at the path of the token, ` +
      "or give another one.",
  }),
  nothing_here: (place) => ({
    short: "Nothing at this path",
    title: "Nothing can be at this path",
    text: `The relay has nothing at ${place} (404). Look at the address of this page.`,
  }),
  too_many: () => ({
    short: "Too many sessions",
    title: "Too many sessions of this address",
    text:
      "The relay takes no more from your address (429). Close some. This page tries again by itself.",
  }),
  cannot_decide: () => ({
    short: "Tokens cannot be checked",
    title: "Tokens cannot be checked now",
    text:
      "The relay is there, but cannot reach its keys or the server that decides on tokens (502). Its log tells " +
      "the cause. This page asks again by itself.",
  }),
  unavailable: () => ({
    short: "Relay is full or stopping",
    title: "The relay takes nobody in",
    text: "It is full, or about to stop (503). This page asks again by itself.",
  }),
  failing: () => ({
    short: "Relay has a fault",
    title: "The relay answers with a fault",
    text: "It is there but cannot answer; its log tells why. This page asks again by itself.",
  }),
  silent: () => ({
    short: "Relay does not answer",
    title: "The relay does not answer",
    text: "The relay does not answer. Is it running? This page goes on by itself once it is back.",
  }),
};
