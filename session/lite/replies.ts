/**
 * The replies of a subscribe stream, in the form of each version.
 *
 * @module
 */
import { ProtocolViolation } from "../../wire/errors.ts";
import type { Dialect, SubscribeReply } from "../../wire/lite/dialect.ts";
import {
  type Subscribe,
  SubscribeDrop,
  SubscribeEnd,
  SubscribeOk1,
  SubscribeStart,
} from "../../wire/lite/subscribe.ts";
import { framed } from "../../wire/message.ts";
import type { StreamReader } from "../stream_reader.ts";

/** SUBSCRIBE_OK (01–04): agrees to the request as it is. */
export function encodeOk(dialect: Dialect, asked: Subscribe): Uint8Array {
  const message = dialect.subscribeOk ?? SubscribeOk1;
  const body = message.encode({
    priority: asked.priority,
    ordered: undefined,
    maxLatencyMs: asked.maxLatencyMs,
    startGroup: asked.startGroup,
    endGroup: asked.endGroup,
  });
  return dialect.replies === "untyped" ? framed(body) : framed(body, 0);
}

/** SUBSCRIBE_START (05+): the first group that will come. */
export function encodeStart(group: number): Uint8Array {
  return framed(SubscribeStart.encode({ group }), 0);
}

/** SUBSCRIBE_END (05+): no group at or above this one will come. */
export function encodeEnd(group: number): Uint8Array {
  return framed(SubscribeEnd.encode({ group }), 1);
}

/** The next reply, or `undefined` at the end of the stream. @throws {ProtocolViolation} */
export async function readReply(
  reader: StreamReader,
  dialect: Dialect,
): Promise<SubscribeReply | undefined> {
  if (dialect.replies === "untyped") {
    return await reader.message(dialect.subscribeOk!) && { kind: "ok" };
  }
  const type = await reader.varint();
  if (type === undefined) return undefined;
  const body = await reader.body("SUBSCRIBE reply");
  if (body === undefined) throw new ProtocolViolation("SUBSCRIBE reply", "a type without a body");
  if (dialect.replies === "ok") {
    if (type === 0) {
      dialect.subscribeOk!.decode(body);
      return { kind: "ok" };
    }
    if (type === 1) return { kind: "drop", ...SubscribeDrop.decode(body) };
  } else {
    if (type === 0) return { kind: "start", ...SubscribeStart.decode(body) };
    if (type === 1) return { kind: "end", ...SubscribeEnd.decode(body) };
    if (type === 2) return { kind: "drop", ...SubscribeDrop.decode(body) };
  }
  throw new ProtocolViolation("SUBSCRIBE reply", `unknown type ${type}`);
}
