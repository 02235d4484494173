import type { RTCDtlsTransport } from "werift";

interface Handshake {
  readonly msg_type: number;
}

/** The parts of werift that are used here although they are private. */
interface Socket {
  onHandleHandshakes: (messages: readonly Handshake[]) => Promise<void>;
}

/** HelloVerifyRequest, the only message that may come more than once, each time with another cookie. */
const HELLO_VERIFY_REQUEST = 3;

/**
 * Takes each message of a DTLS handshake once. The other side repeats its flight after as little as 50 ms. werift takes a
 * repeated flight for a new one while it works on the first, and computes other keys than those agreed on: nothing can be
 * decrypted, or the handshake fails. Our own flight is repeated by the clock, so none is lost.
 */
export function takeHandshakesOnce(transport: RTCDtlsTransport): void {
  transport.onStateChange.subscribe((state) => {
    // The socket is made right after this event.
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
