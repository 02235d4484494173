import { ProtocolViolation } from "../../wire/errors.ts";
import { H3Error, H3Violation } from "../../wire/h3/errors.ts";
import { encodeFrame, type Frame, frameParser, FrameType } from "../../wire/h3/frames.ts";
import { decodeHeaders, encodeHeaders, headerMap } from "../../wire/h3/qpack.ts";
import type { FlowWindow } from "../../wire/h3/settings.ts";
import type { HeaderField } from "../../wire/h3/static_table.ts";
import { parseStringList, printString } from "../../wire/h3/structured_field.ts";
import { H3Connection } from "./h3_connection.ts";
import type { QuicBidi, QuicConnection } from "../quic/quic_connection.ts";
import { WebTransportSession } from "./webtransport_session.ts";

/** The request of a client for a session. */
export interface WebTransportRequest {
  /** Path and query. */
  readonly path: string;
  /** Host and port from the client. */
  readonly authority: string;
  /** The page's origin, from browsers. */
  readonly origin: string | undefined;
  /** All fields with pseudo-headers, names in lower case, repeated ones joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** The protocol of the session; "" when the client offered none. */
  readonly protocol: string;
  /** "ip:port" of the client. */
  readonly remoteAddress: string;
}

/** 200 opens the session. Other statuses refuse it. */
export interface WebTransportAnswer {
  readonly status: number;
  /** Further header fields of a refusal, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How sessions are accepted. */
export interface WebTransportAcceptOptions {
  /** Known protocols. The first known one in the client's order is chosen. */
  readonly protocols: readonly string[];
  /** Called once per well-formed request with a known protocol. */
  decide(request: WebTransportRequest): WebTransportAnswer | Promise<WebTransportAnswer>;
  /** Announced in SETTINGS. One connection has one session in any case. Default 1. */
  readonly maxSessions?: number;
  /** The window of flow control for a client. Default: that of QUIC. */
  readonly window?: FlowWindow;
  /** A connection without a session after this time is closed. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Speaks HTTP/3 on a connection with the ALPN "h3" until a session is open. Other requests get an answer too, before and
 * after that: 404 for ordinary requests, 429 for a second session.
 *
 * @param conn The session owns it from now on, or it is closed.
 * @returns The session, or `undefined` when the connection ended before one was accepted.
 * @throws Whatever `decide` throws; the client gets a 500, and the connection ends with the time for a session.
 */
export async function acceptWebTransport(
  conn: QuicConnection,
  options: WebTransportAcceptOptions,
): Promise<WebTransportSession | undefined> {
  const first = Promise.withResolvers<WebTransportSession | undefined>();
  new Requests(conn, options, first);
  const late = setTimeout(
    () => conn.close(H3Error.none, "no session was opened in time"),
    options.timeoutMs ?? 10_000,
  );
  conn.closed.then(() => {
    clearTimeout(late);
    first.resolve(undefined);
  });
  const session = await first.promise;
  clearTimeout(late);
  return session;
}

/** A connection is closed after this many refused requests: each keeps its stream id in memory. */
const MAX_REFUSED = 100;

/** Answers the requests of one connection. */
class Requests {
  readonly #h3: H3Connection;
  readonly #options: WebTransportAcceptOptions;
  readonly #first: PromiseWithResolvers<WebTransportSession | undefined>;
  readonly remoteAddress: string;
  /** A session is open, or is being decided. */
  #taken = false;
  #refused = 0;

  constructor(
    conn: QuicConnection,
    options: WebTransportAcceptOptions,
    first: PromiseWithResolvers<WebTransportSession | undefined>,
  ) {
    this.#options = options;
    this.#first = first;
    this.remoteAddress = conn.remoteAddress;
    this.#h3 = new H3Connection(conn, {
      maxSessions: options.maxSessions ?? 1,
      side: "server",
      ...(options.window === undefined ? {} : { window: options.window }),
      onRequest: (stream) => void this.#serve(stream),
    });
  }

  async #serve(stream: QuicBidi): Promise<void> {
    const parser = frameParser();
    try {
      for (let chunk; (chunk = await stream.receive.read());) {
        const frames = parser.push(chunk);
        const at = frames.findIndex((frame) => frame.type === FrameType.headers);
        if (at < 0) continue;
        const headers = headerMap(decodeHeaders(frames[at]!.payload));
        return await this.#answer(stream, parser, frames.slice(at + 1), headers);
      }
      this.#refuse(stream, 400);
    } catch (thrown) {
      if (thrown instanceof ProtocolViolation) this.#refuse(stream, 400);
      // Other errors are the end of the stream or the connection: nobody waits for an answer.
    }
  }
  async #answer(
    stream: QuicBidi,
    parser: ReturnType<typeof frameParser>,
    early: readonly Frame[],
    headers: ReadonlyMap<string, string>,
  ): Promise<void> {
    const protocol = headers.get(":protocol");
    if (headers.get(":method") !== "CONNECT") return this.#refuse(stream, 404);
    if (protocol !== "webtransport" && protocol !== "webtransport-h3") {
      return this.#refuse(stream, 501);
    }
    if (this.#taken) return this.#refuse(stream, 429);
    const path = headers.get(":path") ?? "";
    const authority = headers.get(":authority") ?? "";
    const chosen = choose(headers.get("wt-available-protocols"), this.#options.protocols);
    if (!path.startsWith("/") || authority === "" || chosen === undefined) {
      return this.#refuse(stream, 400);
    }
    this.#taken = true;
    // Wait for the SETTINGS of the client first (draft-ietf-webtrans-http3 §3.1).
    const settings = await this.#h3.settings;
    if (settings === undefined) return;
    const origin = headers.get("origin");
    const { remoteAddress } = this;
    const request = { path, authority, origin, headers, protocol: chosen, remoteAddress };
    let status: number;
    let more: WebTransportAnswer["headers"];
    try {
      ({ status, headers: more } = await this.#options.decide(request));
    } catch (thrown) {
      this.#refuse(stream, 500);
      return this.#first.reject(thrown);
    }
    if (status !== 200) {
      this.#taken = false;
      return this.#refuse(stream, status, more);
    }
    stream.send.write(answer(200, { "wt-protocol": chosen && printString(chosen) }));
    const basis = { stream, settings, parser, early, path, protocol: chosen, h3: this.#h3 };
    this.#first.resolve(new WebTransportSession({ ...basis, side: "server" }));
  }
  #refuse(stream: QuicBidi, status: number, headers?: WebTransportAnswer["headers"]): void {
    if (++this.#refused > MAX_REFUSED) {
      const detail = `${this.#refused} requests that lead nowhere`;
      return this.#h3.violated(new H3Violation(H3Error.excessiveLoad, "HTTP/3 connection", detail));
    }
    this.#h3.detach(stream.send.id);
    stream.send.write(answer(status, headers));
    stream.send.finish();
    stream.receive.stop(0);
  }
}

/** The client's first known protocol; "" when it offers none, `undefined` when none is known. */
function choose(offer: string | undefined, known: readonly string[]): string | undefined {
  let offered: string[] = [];
  try {
    offered = parseStringList(offer ?? "");
  } catch { // By the draft a malformed field is ignored.
  }
  return offered.length === 0 ? "" : offered.find((protocol) => known.includes(protocol));
}

/** Fields without a value are left out. */
function answer(status: number, headers: WebTransportAnswer["headers"] = {}): Uint8Array {
  const fields: HeaderField[] = [[":status", String(status)]];
  // Old clients need the draft field; new ones ignore it.
  if (status === 200) fields.push(["sec-webtransport-http3-draft", "draft02"]);
  fields.push(...Object.entries(headers).filter(([, value]) => value !== ""));
  return encodeFrame(FrameType.headers, encodeHeaders(fields));
}
