import type { ControlMessage, Dialect } from "../../../wire/ietf/dialect.ts";
import type { StreamReader } from "../../stream_reader.ts";

/** The next control message, or `undefined` when the stream ends in order in front of it. @throws {ProtocolViolation} */
export async function readControl(
  reader: StreamReader,
  dialect: Dialect,
): Promise<ControlMessage | undefined> {
  const head = await reader.parsed((bytes) => dialect.readHead(bytes));
  if (head === undefined) return undefined;
  return dialect.decode(head.type, await reader.bytes(head.bodyLength, head.name));
}
