import { sleep } from "../../../base/sleep.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { ControlMessage } from "../../../wire/ietf/dialect.ts";
import type { StreamReader } from "../../stream_reader.ts";
import type { IetfContext } from "../context.ts";
import { readControl } from "./control_reader.ts";

/** Messages that are taken in without a pause. */
const SLICE = 256;
/** How long the connection may live on when the peer has ended its control stream. */
const CLOSING_MS = 1000;

/** Takes what comes on a control stream. */
export interface ControlListener {
  /** @throws {ProtocolViolation} Which ends the session. */
  hear(message: ControlMessage): void;
  /** Whether it answers something of ours. All else counts towards the message rate. */
  isAsked(message: ControlMessage): boolean;
}

/**
 * Reads the peer's control stream until the session ends. What comes above the message rate waits in the transport.
 */
export async function followControl(
  context: IetfContext,
  reader: StreamReader,
  { hear, isAsked }: ControlListener,
): Promise<void> {
  const { dialect, quota } = context;
  try {
    for (let count = 1;; count++) {
      // Messages that came in one piece are read without a wait: other tasks need their turn.
      if (count % SLICE === 0) await sleep(0);
      const message = await readControl(reader, dialect);
      if (message === undefined) return await over(context, "ended");
      if (!isAsked(message)) await quota.message();
      hear(message);
    }
  } catch (error) {
    if (error instanceof ConnectionClosed) return;
    if (error instanceof ProtocolViolation) return context.violated(error);
    if (!(error instanceof StreamReset)) throw error;
    await over(context, "reset");
  }
}

/**
 * The peer's control stream is over. A peer that leaves ends its streams first and then the connection, so what it said on
 * other streams is still heard. One that stays breaks the protocol.
 */
async function over(context: IetfContext, how: "ended" | "reset"): Promise<void> {
  const late = Promise.withResolvers<boolean>();
  const cancel = context.clock.after(CLOSING_MS, () => late.resolve(true));
  const stays = await Promise.race([late.promise, context.connection.closed.then(() => false)]);
  cancel();
  if (stays) context.violated(new ProtocolViolation("control stream", `it was ${how}`));
}
