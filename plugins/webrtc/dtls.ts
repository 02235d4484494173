import type { RTCDtlsTransport } from "werift";

/** What is reached into: werift keeps it private. */
interface Handshake {
  readonly dtls?: { readonly cipher: { masterSecret?: Uint8Array } };
}

/**
 * Keeps the secret of a DTLS handshake as it was first agreed on. werift computes it again for a ClientKeyExchange that is
 * sent again (the other side does so after 50 ms), over what has been said since: the handshake still ends well, and both
 * sides encrypt media with different keys.
 */
export function keepFirstSecret(transport: RTCDtlsTransport): void {
  transport.onStateChange.subscribe((state) => {
    // The handshake is made right after this is told.
    if (state === "connecting") queueMicrotask(() => freeze(transport as unknown as Handshake));
  });
}

function freeze({ dtls }: Handshake): void {
  if (dtls === undefined) return;
  let first = dtls.cipher.masterSecret;
  Object.defineProperty(dtls.cipher, "masterSecret", {
    configurable: true,
    enumerable: true,
    get: () => first,
    set: (secret: Uint8Array | undefined) => void (first ??= secret),
  });
}
