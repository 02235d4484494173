import { ProtocolViolation } from "../../../wire/errors.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { Exchange } from "../exchange.ts";

/**
 * Reads what the peer says of its offer until it ends it.
 * @returns PUBLISH_DONE, if that has ended it. @throws {StreamReset} @throws {ConnectionClosed} @throws {ProtocolViolation}
 */
export async function untilOver(exchange: Exchange): Promise<Messages["publishDone"] | undefined> {
  for (;;) {
    const message = await exchange.next();
    if (message === undefined) return undefined;
    const { kind, value } = message;
    if (kind === "publishDone" && exchange.request.kind === "publish") return value;
    if (kind === "update") exchange.acceptUpdate(value);
    else if (kind !== "publishStateNotify" && kind !== "goaway") {
      throw new ProtocolViolation(exchange.request.kind, `${kind} out of turn`);
    }
  }
}
