/**
 * Why an offer of the peer is refused.
 *
 * @module
 */
import type { RequestWord } from "../../../wire/ietf/codes.ts";

export interface Refusal {
  readonly word: RequestWord;
  readonly reason: string;
}

export const NOT_ALLOWED: Refusal = {
  word: "unauthorized",
  reason: "it may not be published here",
};
export const TOO_MANY: Refusal = {
  word: "overloaded",
  reason: "too many namespaces and tracks are offered",
};
export const NOT_WANTED: Refusal = {
  word: "uninterested",
  reason: "too many tracks are offered",
};
export const PUBLISHED_ALREADY: Refusal = {
  word: "uninterested",
  reason: "it is published already",
};
