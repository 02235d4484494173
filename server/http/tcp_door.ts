/**
 * One TCP port for HTTP and HTTPS; the first byte of a connection tells which. Deno serves each on its own port. So both
 * listen on loopback, accept only our own connections, and the bytes of each client are forwarded to one of them.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { silent } from "../../base/logger.ts";
import { coversHost, formatAddress } from "../../config/address.ts";
import { ListenFailed } from "../../transport/quic/quic.ts";
import { helloBytes, serverNameOf } from "./server_name.ts";
import {
  type HttpApp,
  type HttpListener,
  type HttpOptions,
  type HttpPeer,
  serveHttp,
} from "./http_listener.ts";

/** Certificate chain and key, PEM. */
export type KeyPair = NonNullable<HttpOptions["tls"]>;

/** A pair for some host names. Some may be wildcards. */
export interface NamedPair extends KeyPair {
  readonly hosts: readonly string[];
}

export interface DoorOptions extends Omit<HttpOptions, "tls"> {
  readonly certificate: KeyPair;
  /** A request must be whole after this long, or the connection is closed. Default 10,000. */
  readonly handshakeMs?: () => number;
  /** A connection without a request for this long is closed. Default 15,000. */
  readonly keepAliveMs?: () => number;
  /** Called with each connection. @returns Is called with its first request; `undefined` refuses it. */
  readonly begin?: (remoteAddress: string) => (() => void) | undefined;
  /** The same. @returns Is called when the connection is over or has become a session. */
  readonly enter?: (remoteAddress: string) => (() => void) | undefined;
  /** Called when a connection was closed because its request took too long. */
  readonly onLate?: () => void;
  /** A connection without bytes in either direction for this long is closed. Default 120,000. */
  readonly idleMs?: number;
}

/** An open door. Its owner closes it. */
export interface Door extends HttpListener {
  /** New HTTPS connections get this certificate; open ones stay. */
  replaceCertificate(certificate: KeyPair): void;
  /** A client that asks for the name of one of these gets it. Open connections stay. */
  setFurther(certificates: readonly NamedPair[]): void;
}

/** The first byte of every TLS connection: a record of the handshake. */
const TLS_HANDSHAKE = 0x16;
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
const BUFFER_BYTES = 16 * 1024;
const SWEEP_MS = 1000;
/**
 * Bytes of a WebSocket that may come without a whole message. Deno buffers a message of up to 64 MB and has no limit for
 * it. Our messages have 16 KiB; the rest is room for messages that this process has not read yet.
 */
const MAX_UNHEARD_BYTES = 1 << 20;
/** Pause after a failed accept, for example when there are no file descriptors left. */
const PAUSE_MS = 100;

/** Binds the port and serves `app` by HTTP and HTTPS. @throws {ListenFailed} */
export function openDoor(
  app: HttpApp,
  at: { readonly hostname: string; readonly port: number },
  options: DoorOptions,
): Door {
  return new TcpDoor(app, at, options);
}

/** The client of a connection that came through the door. */
interface Visitor extends HttpPeer {
  /** Called with each request; `answered` fulfils when it is answered. */
  readonly asks: (answered: Promise<void>) => void;
}

/** One server on loopback, and the clients in it by the port of our inner connection. */
class Room {
  readonly visitors = new Map<number, Visitor>();
  readonly #http: HttpListener;
  #closing = false;

  constructor(app: HttpApp, options: HttpOptions) {
    this.#http = serveHttp(
      {
        fetch: (request, { remotePort, completed }) => {
          const visitor = this.visitors.get(remotePort!);
          // Only connections that came through the door are served.
          if (visitor === undefined) return new Response("not here\n", { status: 403 });
          visitor.asks(completed!);
          return app.fetch(request, visitor);
        },
      },
      LOOPBACK,
      options,
    );
  }
  enter(): Promise<Deno.TcpConn> {
    return Deno.connect({ ...LOOPBACK, port: this.#http.address.port });
  }
  leave(port: number): void {
    this.visitors.delete(port);
    if (this.#closing && this.visitors.size === 0) void this.#http.close();
  }
  /** Closes once there are no visitors. */
  closeWhenEmpty(): void {
    this.#closing = true;
    if (this.visitors.size === 0) void this.#http.close();
  }
  close(): Promise<void> {
    return this.#http.close();
  }
}

/** A TCP connection and its times. */
interface Passage {
  readonly conn: Deno.TcpConn;
  inner: Deno.TcpConn | undefined;
  movedAtMs: number;
  /** Since when no request is under way. */
  quietSinceMs: number;
  /** When the bytes of a next request began to come; `undefined` while none came. */
  begunAtMs: number | undefined;
  /** Requests without an answer. */
  requests: number;
  /** Whether it has become a session. */
  session: boolean;
  /** Bytes since the last whole message of a WebSocket; `undefined` while it is not a WebSocket. */
  unheard: number | undefined;
  /** Set until the first request. */
  shaken: (() => void) | undefined;
  /** Called when it is over or a session: then it does not count as HTTP any more. */
  readonly left: () => void;
}

class TcpDoor implements Door {
  readonly address: { readonly hostname: string; readonly port: number };
  readonly #app: HttpApp;
  readonly #options: DoorOptions;
  readonly #listener: Deno.TcpListener;
  readonly #plain: Room;
  #secure: Room;
  /** Rooms for further host names. */
  #further: readonly { readonly hosts: readonly string[]; readonly room: Room }[] = [];
  readonly #rooms = new Set<Room>();
  readonly #passages = new Set<Passage>();
  readonly #sweep: ReturnType<typeof setInterval>;
  #closing: Promise<void> | undefined;

  constructor(app: HttpApp, at: { hostname: string; port: number }, options: DoorOptions) {
    this.#app = app;
    this.#options = options;
    try {
      this.#listener = Deno.listen({ hostname: at.hostname, port: at.port });
    } catch (thrown) {
      throw new ListenFailed(formatAddress(at), thrown);
    }
    const { hostname, port } = this.#listener.addr;
    this.address = { hostname, port };
    try {
      this.#plain = this.#room();
      this.#secure = this.#room(options.certificate);
    } catch (thrown) {
      this.#listener.close();
      for (const room of this.#rooms) void room.close();
      throw thrown;
    }
    this.#sweep = setInterval(() => this.#closeIdle(), SWEEP_MS);
    Deno.unrefTimer(this.#sweep);
    void this.#accept();
  }

  replaceCertificate(certificate: KeyPair): void {
    const before = this.#secure;
    this.#secure = this.#room(certificate);
    before.closeWhenEmpty();
  }
  setFurther(certificates: readonly NamedPair[]): void {
    const before = this.#further;
    this.#further = certificates.map((certificate) => ({
      hosts: certificate.hosts.map((host) => host.toLowerCase()),
      room: this.#room(certificate),
    }));
    for (const { room } of before) room.closeWhenEmpty();
  }
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #room(tls?: KeyPair): Room {
    const { graceMs, log } = this.#options;
    const room = new Room(this.#app, {
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(log === undefined ? {} : { log }),
      ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    });
    this.#rooms.add(room);
    return room;
  }
  /** The room with the certificate for a TLS client. */
  #secureFor(hello: Uint8Array): Room {
    const name = this.#further.length === 0 ? undefined : serverNameOf(hello);
    if (name === undefined) return this.#secure;
    const exact = this.#further.find(({ hosts }) => hosts.includes(name));
    const { room = this.#secure } = exact ??
      this.#further.find(({ hosts }) => hosts.some((host) => coversHost(host, name))) ?? {};
    return room;
  }
  async #close(): Promise<void> {
    this.#listener.close();
    clearInterval(this.#sweep);
    await Promise.all([...this.#rooms].map((room) => room.close()));
    for (const passage of this.#passages) shut(passage);
  }
  async #accept(): Promise<void> {
    while (this.#closing === undefined) {
      try {
        const conn = await this.#listener.accept();
        const { hostname, port } = conn.remoteAddr;
        const { begin = () => () => {}, enter = () => () => {} } = this.#options;
        const remote = formatAddress({ hostname, port });
        const left = enter(remote);
        const shaken = left && begin(remote);
        if (left === undefined || shaken === undefined) {
          left?.();
          conn.close();
          continue;
        }
        const now = performance.now();
        void this.#pass({
          conn,
          inner: undefined,
          movedAtMs: now,
          quietSinceMs: now,
          begunAtMs: now,
          requests: 0,
          session: false,
          unheard: undefined,
          shaken,
          left,
        });
      } catch (thrown) {
        if (this.#closing !== undefined) return;
        (this.#options.log ?? silent).warn("cannot take a TCP connection", {
          reason: reasonOf(thrown),
        });
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
  async #pass(passage: Passage): Promise<void> {
    const { conn } = passage;
    this.#passages.add(passage);
    let left: (() => void) | undefined;
    try {
      const first = new Uint8Array(BUFFER_BYTES);
      let length = await conn.read(first);
      if (length === null || this.#closing !== undefined) return;
      const tls = first[0] === TLS_HANDSHAKE;
      // The name is in the first record, which may come in pieces. A record larger than the buffer has none.
      while (
        tls && this.#further.length > 0 &&
        length < Math.min(first.length, helloBytes(first.subarray(0, length)))
      ) {
        const more = await conn.read(first.subarray(length));
        if (more === null || this.#closing !== undefined) return;
        length += more;
      }
      const room = tls ? this.#secureFor(first.subarray(0, length)) : this.#plain;
      const inner = await room.enter();
      passage.inner = inner;
      const { port } = inner.localAddr;
      const { hostname: remote, port: remotePort } = conn.remoteAddr;
      room.visitors.set(port, {
        remote,
        remotePort,
        drop: () => shut(passage),
        heard: () => passage.unheard = 0,
        upgraded: () => {
          passage.session = true;
          passage.left();
        },
        asks: (answered) => {
          passage.shaken?.();
          passage.shaken = undefined;
          passage.requests++;
          answered.then(() => {
            passage.requests--;
            passage.quietSinceMs = performance.now();
            passage.begunAtMs = undefined;
          });
        },
      });
      left = () => room.leave(port);
      conn.setNoDelay(true);
      inner.setNoDelay(true);
      await writeAll(inner, first.subarray(0, length));
      await Promise.all([pump(passage, conn, inner, first), pump(passage, inner, conn)]);
    } catch { // When one end is gone, both are closed.
    } finally {
      shut(passage);
      passage.shaken?.();
      passage.left();
      this.#passages.delete(passage);
      left?.();
    }
  }
  #closeIdle(): void {
    const now = performance.now();
    const { handshakeMs, keepAliveMs, idleMs = 120_000, onLate } = this.#options;
    const lateMs = handshakeMs?.() ?? 10_000;
    const aliveMs = keepAliveMs?.() ?? 15_000;
    for (const passage of this.#passages) {
      const { movedAtMs, quietSinceMs, begunAtMs, requests, session } = passage;
      if (session || requests > 0) {
        if (now - movedAtMs > idleMs) shut(passage);
      } else if (begunAtMs === undefined) {
        if (now - quietSinceMs > aliveMs) shut(passage);
      } else if (now - begunAtMs > lateMs) {
        onLate?.();
        shut(passage);
      }
    }
  }
}

/** Forwards bytes until the end, then the end itself. */
async function pump(
  passage: Passage,
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  buffer: Uint8Array = new Uint8Array(BUFFER_BYTES),
): Promise<void> {
  for (let length; (length = await from.read(buffer)) !== null;) {
    passage.movedAtMs = performance.now();
    // Bytes without an open request are the beginning of one. Those of TLS and HTTP/2 themselves are rare.
    if (from === passage.conn && passage.requests === 0) passage.begunAtMs ??= passage.movedAtMs;
    if (from === passage.conn && passage.unheard !== undefined) {
      passage.unheard += length;
      if (passage.unheard > MAX_UNHEARD_BYTES) return shut(passage);
    }
    await writeAll(to, buffer.subarray(0, length));
  }
  await to.closeWrite();
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function shut({ conn, inner }: Passage): void {
  for (const end of [conn, inner]) {
    try {
      end?.close();
    } catch { // It is closed already.
    }
  }
}
