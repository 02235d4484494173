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

/** Who takes the updates of a request. */
export interface Updated {
  /** Nothing of it is left: nobody takes updates any more. */
  readonly isOver: boolean;
  /** What is said when one is accepted. */
  readonly state: Parameters;
  update(changes: Parameters): void;
}

/** Takes the peer's updates until it leaves, or the request is over. Never rejects for what a peer does. */
export async function followUpdates(exchange: Exchange, taker: Updated): Promise<void> {
  while (!taker.isOver) {
    const said = await nextOf(exchange);
    if (said === undefined) return;
    if (said.kind !== "update" || taker.isOver) continue;
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
