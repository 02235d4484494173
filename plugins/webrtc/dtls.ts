import type { RTCDtlsTransport } from "werift";

interface Handshake {
  readonly msg_type: number;
}

/** What is reached into: werift keeps it private. */
interface Socket {
  onHandleHandshakes: (messages: readonly Handshake[]) => Promise<void>;
}

/** It asks for a cookie: the only message that may come more than once, with another each time. */
const HELLO_VERIFY_REQUEST = 3;

/**
 * Takes each message of a DTLS handshake once. The other side sends its flight again after as little as 50 ms; werift takes
 * a flight that it is still busy with for a new one, and computes other keys than those that were agreed on: nothing that
 * is sent can be decrypted, or the handshake fails. Our own flight is sent again by the clock, so none is missed.
 */
export function takeHandshakesOnce(transport: RTCDtlsTransport): void {
  transport.onStateChange.subscribe((state) => {
    // The socket is made right after this is told.
    if (state === "connecting") queueMicrotask(() => once(transport.dtls as unknown as Socket));
  });
}

function once(socket: Socket | undefined): void {
  if (socket === undefined) return;
  const seen = new Set<number>();
  const take = socket.onHandleHandshakes;
  socket.onHandleHandshakes = async (messages) => {
    const fresh = messages.filter(({ msg_type }) => !seen.has(msg_type));
    for (const { msg_type } of fresh) if (msg_type !== HELLO_VERIFY_REQUEST) seen.add(msg_type);
    if (fresh.length > 0) await take(fresh);
  };
}
