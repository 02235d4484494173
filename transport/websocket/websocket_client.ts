/**
 * Dials by WebSocket, from Deno and from browsers.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { Connection } from "../connection.ts";
import { CertificateRefused, ConnectFailed, HandshakeFailed, RequestRefused } from "../errors.ts";
import { overWebSocket, subprotocolsOf } from "./websocket.ts";
import type { WebTransportConnectOptions } from "../webtransport/webtransport_client.ts";

/** The WebSocket of Deno has more options than that of browsers. */
type SocketConstructor = new (
  url: string,
  options: string[] | {
    protocols: string[];
    headers?: Readonly<Record<string, string>>;
    client?: { close(): void };
  },
) => WebSocket;

/** The part of Deno that is used, if we run in it. */
interface Runtime {
  readonly Deno?: {
    createHttpClient(options: { caCerts: string[] }): { close(): void };
    readonly QuicEndpoint?: unknown;
  };
}

/**
 * Connects by WebSocket: `wss:` and `https:` with TLS, `ws:` and `http:` without.
 * @throws {CertificateRefused} In Deno only, like {@link RequestRefused} with its status.
 * @throws {HandshakeFailed} The socket did not open. Browsers do not tell why.
 * @throws {ConnectFailed} An option that this runtime does not have, no answer in time, or given up.
 */
export async function connectWebSocket(
  url: string | URL,
  options: WebTransportConnectOptions,
): Promise<Connection> {
  const asked = new URL(url);
  const target = new URL(asked);
  target.protocol = asked.protocol === "https:" || asked.protocol === "wss:" ? "wss:" : "ws:";
  target.hash = "";
  if (options.hash !== undefined && target.protocol === "wss:") {
    throw new ConnectFailed(
      asked.href,
      "a WebSocket cannot be pinned to a certificate (hash): have it signed, name its authority " +
        "(caCerts, Deno only), or use ws:// for a relay under development",
    );
  }
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.timeoutMs ?? 10_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {});
  const onAbort = () => gone.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let socket: WebSocket | undefined;
  try {
    signal.throwIfAborted();
    const opened = openSocket(target, options);
    socket = opened.socket;
    const connection = overWebSocket(socket, {
      side: "client",
      path: asked.pathname + asked.search,
      remoteAddress: asked.host,
      ...(options.transport === undefined ? {} : { transport: options.transport }),
    });
    const up = await Promise.race([connection, gone.promise]);
    void up.closed.then(opened.release);
    return up;
  } catch (cause) {
    socket?.close();
    if (cause instanceof ConnectFailed) throw cause;
    const timedOut = cause instanceof DOMException && cause.name === "TimeoutError";
    if (timedOut) throw new ConnectFailed(asked.href, "no answer in time", undefined, { cause });
    if (signal.aborted) throw new ConnectFailed(asked.href, reasonOf(cause), undefined, { cause });
    // Deno has the status in its message. Browsers do not tell it.
    const status = /Invalid status code: (\d{3})/.exec(reasonOf(cause))?.[1];
    if (status !== undefined) throw new RequestRefused(asked.href, Number(status), { cause });
    throw socketFailure(asked.href, reasonOf(cause), options, cause);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** @throws {ConnectFailed} An option that this runtime does not have. */
function openSocket(
  url: URL,
  { protocols, headers, caCerts }: WebTransportConnectOptions,
): { socket: WebSocket; release(): void } {
  const names = subprotocolsOf(protocols);
  const Socket = WebSocket as unknown as SocketConstructor;
  const { Deno } = globalThis as Runtime;
  if (headers === undefined && caCerts === undefined) {
    return { socket: new Socket(url.href, names), release() {} };
  }
  if (Deno === undefined) {
    throw new ConnectFailed(url.href, "a browser's WebSocket takes no headers and no caCerts");
  }
  const client = caCerts && Deno.createHttpClient({ caCerts: [...caCerts] });
  const socket = new Socket(url.href, {
    protocols: names,
    ...(headers === undefined ? {} : { headers }),
    ...(client === undefined ? {} : { client }),
  });
  return { socket, release: () => client?.close() };
}

/** The reason of a failed socket. Deno has it in its message; a browser has none. */
function socketFailure(
  url: string,
  reason: string,
  options: WebTransportConnectOptions,
  cause: unknown,
): ConnectFailed {
  if (/certificate/i.test(reason)) {
    const detail = reason.split(": ").slice(-2).join(": ");
    return new CertificateRefused(url, detail, false, { cause });
  }
  const why = /tcp connect error/i.test(reason)
    ? "nothing listens there for TCP"
    : /dns error/i.test(reason)
    ? "the name of its host is not known"
    : undefined;
  return why === undefined
    ? new HandshakeFailed(url, reason, adviceFor(options) + withoutQuic(url), { cause })
    : new ConnectFailed(url, why + withoutQuic(url), undefined, { cause });
}

function adviceFor({ protocols }: WebTransportConnectOptions): string {
  return "a WebSocket does not say more: no server there, its certificate is not trusted, or the server refuses the " +
    `path, the token or the versions (${protocols.join(", ")})`;
}

/** Warns that only WebSocket works in this Deno, although the URL did not ask for it. */
function withoutQuic(url: string): string {
  const { Deno } = globalThis as Runtime;
  return url.startsWith("http") && Deno !== undefined && !("QuicEndpoint" in Deno)
    ? "; QUIC was not tried, since this Deno has it switched off: run with --unstable-net"
    : "";
}
