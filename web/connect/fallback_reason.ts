/** Why media comes by WebSocket although WebTransport would be better, as far as it is known from here. */
import type { PinnedCertificate } from "./access.ts";

export interface FallbackFacts {
  /** Whether this browser has WebTransport. */
  readonly webTransport: boolean;
  /** Address of the page. */
  readonly url: string;
  readonly certificate: PinnedCertificate["kind"] | undefined;
}

/** One sentence on the cause, and what to do about it. Browsers do not tell why WebTransport fails. */
export function fallbackReason({ webTransport, url, certificate }: FallbackFacts): string {
  const { protocol, hostname, port } = new URL(url);
  const number = port || (protocol === "https:" ? "443" : "80");
  if (!webTransport) {
    return "This browser has no WebTransport. A current Chrome, Edge or Firefox has.";
  }
  if (certificate === "refused") {
    return "The relay's certificate is self-signed, and browsers do not accept it for WebTransport: by its hash they " +
      "take ECDSA P-256 for at most 14 days. The one that the relay makes itself will do.";
  }
  if (hostname === "localhost") {
    return `WebTransport failed. "localhost" may be another address than the one the relay listens on: open ` +
      `${protocol}//127.0.0.1:${number}/ or ${protocol}//[::1]:${number}/.`;
  }
  const trust = certificate === "signed"
    ? ", or this browser does not know who signed the certificate (an authority of your own counts for pages only)"
    : "";
  return `WebTransport failed. UDP to port ${number} may be held back on the way${trust}.`;
}
