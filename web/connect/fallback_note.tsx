/// <reference lib="dom" />
import type { PinnedCertificate } from "./access.ts";
import { fallbackReason } from "./fallback_reason.ts";

interface NoteProps {
  readonly id: string;
  readonly certificate: PinnedCertificate["kind"] | undefined;
}

/** Says that media comes by WebSocket, and why. */
export function FallbackNote({ id, certificate }: NoteProps) {
  const webTransport = typeof WebTransport === "function";
  const reason = fallbackReason({ webTransport, url: location.href, certificate });
  return (
    <p id={id} class="soft" role="status">
      Over WebSocket instead of WebTransport: one lost packet holds up all that follows. {reason}
    </p>
  );
}
