/**
 * Serves an HTTP application on a TCP address.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { type Logger, silent } from "../../base/logger.ts";
import { formatAddress } from "../../config/address.ts";
import { ListenFailed } from "../../transport/quic/quic.ts";
import { AnswerEnded, TEXT } from "./answers.ts";

/** Answers requests: a Hono app. */
export interface HttpApp {
  readonly fetch: (request: Request, peer: HttpPeer) => Response | Promise<Response>;
}

/** Who asks. A Hono app finds it in `c.env`. */
export interface HttpPeer {
  /** IP address of the client. */
  readonly remote?: string;
  /** Port of the client. */
  readonly remotePort?: number;
  /** Closes the TCP connection at once. */
  readonly drop?: () => void;
  /** Call it when the connection becomes a WebSocket, and with each message: a message without end is cut off. */
  readonly heard?: () => void;
  /** Call it when the connection has become a session: it is counted as one then. */
  readonly upgraded?: () => void;
  /** Fulfils when the answer is sent or the connection is gone. Never rejects. */
  readonly completed?: Promise<void>;
}

/** "ip:port" of the peer; empty where it is not known. */
export function remoteOf({ remote, remotePort = 0 }: HttpPeer): string {
  return remote === undefined ? "" : formatAddress({ hostname: remote, port: remotePort });
}

export interface HttpOptions {
  /** How long open answers may go on after {@link HttpListener.close}. Default 1,000. */
  readonly graceMs?: number;
  readonly log?: Logger;
  /** Certificate chain and key, PEM. With them it serves HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Listens on one address. Its owner closes it. */
export interface HttpListener extends AsyncDisposable {
  /** The bound address, with the chosen port where 0 was asked for. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Refuses new requests, gives open answers the grace, and ends. Idempotent. Never rejects. */
  close(): Promise<void>;
}

/**
 * Binds a TCP port and serves `app`. `hostname` "::" accepts IPv4 as well.
 * @throws {ListenFailed} With the code QUMO_ADDRESS_IN_USE when another program listens there.
 */
export function serveHttp(
  app: HttpApp,
  at: { readonly hostname: string; readonly port: number },
  options: HttpOptions = {},
): HttpListener {
  const { graceMs = 1000, log = silent, tls = {} } = options;
  const under = new Set<Promise<void>>();
  const abort = new AbortController();
  let closing: Promise<void> | undefined;
  const handle = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => {
    if (closing !== undefined) return new Response("shutting down\n", CLOSED);
    const done: Promise<void> = info.completed.catch(() => {}).then(() => void under.delete(done));
    under.add(done);
    const { hostname, port } = info.remoteAddr;
    return app.fetch(request, {
      remote: hostname,
      remotePort: port,
      completed: done,
    });
  };
  const server = listen(at, {
    ...tls,
    signal: abort.signal,
    onListen() {},
    onError(error) {
      const level = error instanceof AnswerEnded ? "debug" : "error";
      log[level]("request failed", { reason: reasonOf(error) });
      return new Response("internal error\n", { status: 500, headers: TEXT });
    },
  }, handle);
  const { hostname, port } = server.addr;
  const close = () => {
    closing ??= (async () => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
      await Promise.race([grace, Promise.all(under)]);
      clearTimeout(timer);
      // Deno's own shutdown waits for connections without a request. Abort does not.
      abort.abort();
      await server.finished;
    })();
    return closing;
  };
  return { address: { hostname, port }, close, [Symbol.asyncDispose]: close };
}

const CLOSED = { status: 503, headers: { ...TEXT, connection: "close" } };

function listen(
  at: { readonly hostname: string; readonly port: number },
  options: Deno.ServeTcpOptions & Partial<Deno.TlsCertifiedKeyPem>,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ ...options, hostname: at.hostname, port: at.port }, handler);
  } catch (thrown) {
    throw new ListenFailed(formatAddress(at), thrown);
  }
}
