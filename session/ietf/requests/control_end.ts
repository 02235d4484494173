import { ProtocolViolation } from "../../../wire/errors.ts";
import type { IetfContext } from "../context.ts";

/** How long the connection may live on when the peer has ended its control stream. */
const CLOSING_MS = 1000;

/**
 * The peer's control stream is over. A peer that leaves ends its streams first and then the connection, so what it said on
 * other streams is still heard. One that stays breaks the protocol.
 */
export async function controlOver(context: IetfContext, how: "ended" | "reset"): Promise<void> {
  const late = Promise.withResolvers<boolean>();
  const cancel = context.clock.after(CLOSING_MS, () => late.resolve(true));
  const stays = await Promise.race([late.promise, context.connection.closed.then(() => false)]);
  cancel();
  if (stays) context.violated(new ProtocolViolation("control stream", `it was ${how}`));
}
