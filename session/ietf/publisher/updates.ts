/**
 * What a peer says of its request while it runs.
 *
 * @module
 */
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { ControlMessage } from "../../../wire/ietf/dialect.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import type { Exchange } from "../exchange.ts";
import type { Granted } from "../request_rights.ts";

/** Who takes the updates of a request. */
export interface Updated {
  /** Nothing of it is left: nobody takes updates any more. */
  readonly isOver: boolean;
  /** The rights that it is served by; absent where those of the session are enough. */
  readonly by?: Granted | undefined;
  /** What is said when one is accepted. */
  readonly state: Parameters;
  update(changes: Parameters): void;
  /** An update could not be accepted: by the draft the request ends with it. */
  updateFailed(reason: string): void;
}

/** Why conditions on single objects and tracks are refused: SETUP says that there may be none. */
export const NO_CONDITIONS = "this server takes no range filters";

/** Whether a request has conditions that are not served here (19+). */
export function hasConditions({ rangeFilters, fill }: Parameters): boolean {
  return (rangeFilters ?? []).length > 0 || fill !== undefined && hasConditions(fill);
}

/** Takes the peer's updates until it leaves, or the request is over. Never rejects for what a peer does. */
export async function followUpdates(exchange: Exchange, taker: Updated): Promise<void> {
  while (!taker.isOver) {
    const said = await nextOf(exchange);
    if (said === undefined) return;
    if (said.kind !== "update" || taker.isOver) continue;
    if (hasConditions(said.value.parameters)) {
      exchange.refuseUpdate(said.value, "invalidFilter", NO_CONDITIONS);
      taker.updateFailed(NO_CONDITIONS);
      continue;
    }
    const { by } = taker;
    const problem = by && await by.update(said.value.parameters);
    if (problem !== undefined) {
      exchange.refuseUpdate(said.value, problem.word, problem.reason);
      taker.updateFailed(problem.reason);
      continue;
    }
    exchange.acceptUpdate(said.value, taker.state);
    taker.update(said.value.parameters);
  }
}

/** The next message of a request; `undefined` when its peer has left in any way, or broken the protocol. */
export async function nextOf(exchange: Exchange): Promise<ControlMessage | undefined> {
  try {
    return await exchange.next();
  } catch (error) {
    const gone = error instanceof StreamReset || error instanceof ConnectionClosed ||
      error instanceof ProtocolViolation;
    if (gone) return undefined;
    throw error;
  }
}
