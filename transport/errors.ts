import { QumoError } from "../base/errors.ts";

/** The peer abandoned one stream. The number is the peer's own, 0 where the transport hides it. */
export class StreamReset extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_STREAM_RESET";
  /**
   * Made by transports.
   *
   * @param peerCode What the peer gave as its reason.
   */
  constructor(readonly peerCode: number, options?: ErrorOptions) {
    super(`Peer reset the stream with code ${peerCode}`, options);
  }
}

/** Something was asked of a stream whose sending side is over. */
export class StreamClosed extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_STREAM_CLOSED";
  /**
   * Made by transports.
   *
   * @param why As the end of a sentence: "it was stopped".
   */
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot write to the stream: ${why}`, options);
  }
}

/** Something was asked of a connection that has ended. */
export class ConnectionClosed extends QumoError {
  /** Stable, for logs and programs. */
  readonly code = "QUMO_CONNECTION_CLOSED";
  /**
   * Made by transports.
   *
   * @param why As the end of a sentence: "it was closed with code 0".
   */
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot use the connection: ${why}`, options);
  }
}

/** No connection came about. The subclasses say why where the transport tells. */
export class ConnectFailed extends QumoError {
  /** Stable, for logs and programs. */
  readonly code: string = "QUMO_CONNECT_FAILED";
  /** What was dialed, without its query, which may hold a token. */
  readonly url: string;
  /**
   * Made by transports.
   *
   * @param url What was dialed.
   * @param why As the end of a sentence: "no answer in time".
   * @param status The HTTP status of a server that answered.
   */
  constructor(url: string, why: string, readonly status?: number, options?: ErrorOptions) {
    const shown = url.replace(/\?.*$/s, "");
    super(`Cannot connect to ${shown}: ${why}`, options);
    this.url = shown;
  }
}

/** The server's certificate is not one to accept. */
export class CertificateRefused extends ConnectFailed {
  /** Stable, for logs and programs. */
  override readonly code = "QUMO_CERTIFICATE_REFUSED";
  /**
   * Made by transports.
   *
   * @param detail What the handshake says.
   * @param pinned Whether one certificate alone would have been accepted.
   */
  constructor(url: string, detail: string, pinned: boolean, options?: ErrorOptions) {
    const advice = pinned
      ? "it is not the pinned one, which a relay that made its own renews every two weeks; take the hash anew"
      : "pin its SHA-256 (hash), name its authority (caCerts), or use http:// for a relay under development";
    super(url, `its certificate is refused (${detail}): ${advice}`, undefined, options);
  }
}

/** Server and client have no application protocol in common. */
export class ProtocolRefused extends ConnectFailed {
  /** Stable, for logs and programs. */
  override readonly code = "QUMO_PROTOCOL_REFUSED";
  /**
   * Made by transports.
   *
   * @param offered What was asked for.
   */
  constructor(url: string, readonly offered: readonly string[], options?: ErrorOptions) {
    super(url, `the server speaks none of ${offered.join(", ")}`, undefined, options);
  }
}

/** The server answered the WebTransport request, but not with 200. */
export class RequestRefused extends ConnectFailed {
  /** Stable, for logs and programs. */
  override readonly code = "QUMO_REQUEST_REFUSED";
  /**
   * Made by transports.
   *
   * @param status The HTTP status it answered with.
   */
  constructor(url: string, override readonly status: number, options?: ErrorOptions) {
    super(
      url,
      `the server answered with status ${status}${STATUS_ADVICE[status] ?? ""}`,
      status,
      options,
    );
  }
}

const STATUS_ADVICE: Readonly<Record<number, string>> = {
  400: ": it speaks none of the versions offered, or does not understand the request",
  401: ": it wants a token (?jwt=… in the URL)",
  403: ": the token does not allow this path, or the page's origin is not allowed",
  404: ": it has nothing at this path",
  429: ": it has too many sessions of this address; wait, or close some",
  503: ": it is leaving or full; try again, or another relay",
};

/** This browser or runtime has no WebTransport. */
export class NoWebTransport extends ConnectFailed {
  /** Stable, for logs and programs. */
  override readonly code = "QUMO_NO_WEBTRANSPORT";
  /**
   * Made by transports.
   *
   * @param detail What is missing, and what to do.
   */
  constructor(url: string, detail: string) {
    super(url, detail);
  }
}

/**
 * The browser could not open the session and does not say why: no such server, UDP held back on the way, a certificate it
 * does not accept, or a refusal by the server (path, token, versions).
 */
export class HandshakeFailed extends ConnectFailed {
  /** Stable, for logs and programs. */
  override readonly code = "QUMO_HANDSHAKE_FAILED";
  /**
   * Made by transports.
   *
   * @param detail What the browser says.
   * @param advice What is known, and what to look at.
   */
  constructor(url: string, detail: string, advice: string, options?: ErrorOptions) {
    super(url, `${detail}; ${advice}`, undefined, options);
  }
}
