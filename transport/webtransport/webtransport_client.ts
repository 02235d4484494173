import { reasonOf } from "../../base/errors.ts";
import { H3Error } from "../../wire/h3/errors.ts";
import { encodeFrame, type Frame, frameParser, FrameType } from "../../wire/h3/frames.ts";
import { decodeHeaders, encodeHeaders, headerMap } from "../../wire/h3/qpack.ts";
import { type FlowWindow, offersWebTransport } from "../../wire/h3/settings.ts";
import type { HeaderField } from "../../wire/h3/static_table.ts";
import { parseString, printStringList } from "../../wire/h3/structured_field.ts";
import { ConnectFailed, RequestRefused } from "../errors.ts";
import { H3Connection, refuse } from "./h3_connection.ts";
import { connectAlpn, type ConnectOptions } from "../quic/quic.ts";
import { WebTransportSession } from "./webtransport_session.ts";

/** How to open a session. */
export interface WebTransportConnectOptions extends ConnectOptions {
  /** Further request headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The window of flow control for the server. Default: that of QUIC. */
  readonly window?: FlowWindow;
}

/**
 * Opens a WebTransport session at an `https://` URL.
 * @throws {ConnectFailed} With `status` when the server answered with another status than 200.
 */
export async function connectWebTransport(
  url: string | URL,
  options: WebTransportConnectOptions,
): Promise<WebTransportSession> {
  const target = new URL(url);
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.timeoutMs ?? 10_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  const quic = await connectAlpn(target, ["h3"], { ...options, signal });
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {});
  const onAbort = () => gone.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const h3 = new H3Connection(quic, {
      maxSessions: 1,
      side: "client",
      ...(options.window === undefined ? {} : { window: options.window }),
      onRequest: (bidi) => refuse({ bidi }), // a server sends no requests
    });
    signal.throwIfAborted();
    return await Promise.race([request(h3, target, options), gone.promise]);
  } catch (thrown) {
    quic.close(H3Error.none);
    if (thrown instanceof ConnectFailed) throw thrown;
    const timedOut = thrown instanceof DOMException && thrown.name === "TimeoutError";
    const why = timedOut ? "no answer in time" : reasonOf(thrown);
    throw new ConnectFailed(target.href, why, undefined, { cause: thrown });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function request(
  h3: H3Connection,
  url: URL,
  options: WebTransportConnectOptions,
): Promise<WebTransportSession> {
  const settings = await h3.settings;
  if (!settings || !offersWebTransport(settings)) {
    throw new ConnectFailed(url.href, "the server offers no WebTransport");
  }
  const stream = await h3.quic.openBidi();
  const path = url.pathname + url.search;
  const fields: HeaderField[] = [
    [":method", "CONNECT"],
    [":scheme", "https"],
    [":authority", url.host],
    [":path", path],
    [":protocol", "webtransport"],
    ["sec-webtransport-http3-draft02", "1"],
    ...Object.entries(options.headers ?? {}),
  ];
  if (options.protocols.length > 0) {
    fields.push(["wt-available-protocols", printStringList(options.protocols)]);
  }
  stream.send.write(encodeFrame(FrameType.headers, encodeHeaders(fields)));
  const parser = frameParser();
  for (let chunk; (chunk = await stream.receive.read());) {
    const frames = parser.push(chunk);
    for (const [i, frame] of frames.entries()) {
      const headers = readHeaders(frame);
      if (!headers) continue;
      const protocol = accepted(url, headers, options.protocols);
      const early = frames.slice(i + 1);
      const basis = { h3, settings, stream, parser, early, protocol, path };
      return new WebTransportSession({ ...basis, side: "client" });
    }
  }
  throw new ConnectFailed(url.href, "the server ended the request without an answer");
}

/** The fields of the final answer; `undefined` for other frames and for 1xx answers, which come before it. */
function readHeaders(frame: Frame): ReadonlyMap<string, string> | undefined {
  if (frame.type !== FrameType.headers) return undefined;
  const headers = headerMap(decodeHeaders(frame.payload));
  return headers.get(":status")?.startsWith("1") ? undefined : headers;
}

/** The protocol that the server chose. */
function accepted(
  url: URL,
  headers: ReadonlyMap<string, string>,
  offered: readonly string[],
): string {
  const status = Number(headers.get(":status") ?? 0);
  if (status !== 200) {
    throw new RequestRefused(url.href, status);
  }
  const field = headers.get("wt-protocol");
  if (field === undefined) return "";
  const protocol = parseString(field);
  if (!offered.includes(protocol)) {
    throw new ConnectFailed(url.href, `the server chose "${protocol}", which was not offered`, 200);
  }
  return protocol;
}
