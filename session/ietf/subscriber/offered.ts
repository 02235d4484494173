/**
 * What the peer offers, from its request to its end: why it is refused, and what is said meanwhile.
 *
 * @module
 */
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { RequestWord } from "../../../wire/ietf/codes.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { Exchange } from "../exchange.ts";
import type { Granted } from "../request_rights.ts";

/** Why an offer is refused. */
export interface Refusal {
  readonly word: RequestWord;
  readonly reason: string;
}

export const NOT_ALLOWED: Refusal = {
  word: "unauthorized",
  reason: "it may not be published here",
};
export const RESERVED: Refusal = {
  word: "doesNotExist",
  reason: "a namespace that begins with a dot is not passed on",
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

/**
 * Reads what the peer says of its offer until it ends it.
 * @returns PUBLISH_DONE, if that has ended it. @throws {StreamReset} @throws {ConnectionClosed} @throws {ProtocolViolation}
 */
export async function untilOver(
  exchange: Exchange,
  by?: Granted,
): Promise<Messages["publishDone"] | undefined> {
  for (;;) {
    const message = await exchange.next();
    if (message === undefined) return undefined;
    const { kind, value } = message;
    if (kind === "publishDone" && exchange.request.kind === "publish") return value;
    if (kind === "update") {
      const problem = by && await by.update(value.parameters);
      if (problem === undefined) exchange.acceptUpdate(value);
      else exchange.refuseUpdate(value, problem.word, problem.reason);
    } else if (kind !== "publishStateNotify" && kind !== "goaway") {
      throw new ProtocolViolation(exchange.request.kind, `${kind} out of turn`);
    }
  }
}
