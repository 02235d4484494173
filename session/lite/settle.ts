import type { Connection } from "../../transport/connection.ts";
import { BIDI, type Dialect } from "../../wire/lite/dialect.ts";

/** Below every group: its bytes leave when nothing else waits. */
const LAST_ORDER = -1;

/**
 * Waits until the peer has received what was written. Transports do not tell what has arrived, so we send PROBE on a stream
 * behind all others. The first answer shows that everything has left. The second leaves time for lost packets to be sent
 * again. Never rejects.
 *
 * @param timeoutMs Longest wait, for a peer that does not answer PROBE or cannot (01 and 02).
 */
export async function settled(
  connection: Connection,
  dialect: Dialect,
  timeoutMs: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, timeoutMs));
  const asked = async () => {
    await ask(connection);
    await ask(connection);
  };
  const answered = dialect.probe === undefined ? late : asked().catch(() => {});
  await Promise.race([late, answered, connection.closed]);
  clearTimeout(timer);
}

async function ask(connection: Connection): Promise<void> {
  const { send, receive } = await connection.openBidi({ sendOrder: LAST_ORDER });
  send.write(Uint8Array.of(BIDI.probe));
  await receive.read();
  receive.stop(0);
  send.finish();
}
