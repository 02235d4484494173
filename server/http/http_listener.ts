/**
 * Serves an HTTP application on a TCP address.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { type Logger, silent } from "../../base/logger.ts";
import { formatAddress } from "../../config/address.ts";
import { ListenFailed } from "../../transport/quic/quic.ts";
import { AnswerEnded } from "./answers.ts";

/** What answers requests: a Hono app. */
export interface HttpApp {
  readonly fetch: (request: Request, peer: HttpPeer) => Response | Promise<Response>;
}

/** Who asks. A Hono app finds it in `c.env`. */
export interface HttpPeer {
  /** IP address of the other end of the TCP connection. */
  readonly remote?: string;
  /** Port of the other end. */
  readonly remotePort?: number;
  /** Ends the TCP connection at once, answered or not. */
  readonly drop?: () => void;
  /** To be called when it becomes a WebSocket, and with each message: one that goes on without end is cut off. */
  readonly heard?: () => void;
  /** To be called when the connection has become a session, which is counted elsewhere. */
  readonly upgraded?: () => void;
  /** Fulfils (never rejects) when the answer is out, or the connection is gone. */
  readonly completed?: Promise<void>;
}

/** "ip:port" of the peer; empty where nobody knows it. */
export function remoteOf({ remote, remotePort = 0 }: HttpPeer): string {
  return remote === undefined ? "" : formatAddress({ hostname: remote, port: remotePort });
}

export interface HttpOptions {
  /** How long answers that have begun may go on after {@link HttpListener.close}. Default 1,000. */
  readonly graceMs?: number;
  readonly log?: Logger;
  /** Certificate chain and key, PEM: HTTPS is served then. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** An address that is listened on. Its owner closes it. */
export interface HttpListener extends AsyncDisposable {
  /** Where it listens; the port that was chosen when 0 was asked for. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Refuses new requests, lets answers that have begun finish within the grace, and ends. Idempotent, never rejects. */
  close(): Promise<void>;
}

/**
 * Binds a TCP port and answers on it. `hostname` "::" takes IPv4 as well.
 * @throws {ListenFailed} With the code QUMO_ADDRESS_IN_USE when somebody else listens there.
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
      // Deno's own shutdown waits for connections that never sent a request; this one does not.
      abort.abort();
      await server.finished;
    })();
    return closing;
  };
  return { address: { hostname, port }, close, [Symbol.asyncDispose]: close };
}

const TEXT = { "content-type": "text/plain; charset=utf-8" };
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
