/**
 * What a peer says of its request while it runs.
 *
 * @module
 */
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import type { Parameters } from "../../../wire/ietf/parameters.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { Exchange } from "../exchange.ts";

/**
 * Takes the peer's updates until it leaves.
 * @throws {ProtocolViolation}
 */
export async function followUpdates(
  exchange: Exchange,
  takes: { update(changes: Parameters): void },
): Promise<void> {
  for (;;) {
    const said = await nextOf(exchange);
    if (said === undefined) return;
    if (said.kind !== "update") {
      throw new ProtocolViolation(exchange.request.kind, `${said.kind} has no place behind it`);
    }
    exchange.acceptUpdate(said.value);
    takes.update(said.value.parameters);
  }
}

/** The next message of a request; `undefined` when its peer has left in any way. @throws {ProtocolViolation} */
export async function nextOf(exchange: Exchange) {
  try {
    return await exchange.next();
  } catch (error) {
    if (error instanceof StreamReset || error instanceof ConnectionClosed) return undefined;
    throw error;
  }
}
