/**
 * One TCP port for HTTP and HTTPS, told apart by the first byte. Deno serves either on a port of its own alone; so both
 * listen on loopback, where nobody else is let in, and the bytes of each connection are passed on to one of them.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { silent } from "../base/logger.ts";
import { formatAddress } from "../config/address.ts";
import { ListenFailed } from "../transport/quic.ts";
import {
  type HttpApp,
  type HttpListener,
  type HttpOptions,
  type HttpPeer,
  serveHttp,
} from "./http_listener.ts";

/** Certificate chain and key, PEM. */
export type KeyPair = NonNullable<HttpOptions["tls"]>;

export interface DoorOptions extends Omit<HttpOptions, "tls"> {
  readonly certificate: KeyPair;
  /** A connection that has not asked for anything after this long is closed. Default 10,000. */
  readonly handshakeMs?: () => number;
  /** A connection comes in. @returns Called when it has asked for something; `undefined` turns it away. */
  readonly begin?: (remoteAddress: string) => (() => void) | undefined;
  /** A connection was closed because it took too long to ask. */
  readonly onLate?: () => void;
  /** A connection on which nothing moves in either direction is closed after this long. Default 120,000. */
  readonly idleMs?: number;
}

/** An open door. Its owner closes it. */
export interface Door extends HttpListener {
  /** New connections by HTTPS get this certificate; those that are up stay. */
  replaceCertificate(certificate: KeyPair): void;
}

/** The first byte of every TLS connection: a record of the handshake. */
const TLS_HANDSHAKE = 0x16;
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
const BUFFER_BYTES = 16 * 1024;
const SWEEP_MS = 1000;
/** Pause after a connection that could not be taken, as when the process is out of file descriptors. */
const PAUSE_MS = 100;

/** Binds the port and serves `app` on it, by HTTP and by HTTPS. @throws {ListenFailed} */
export function openDoor(
  app: HttpApp,
  at: { readonly hostname: string; readonly port: number },
  options: DoorOptions,
): Door {
  return new TcpDoor(app, at, options);
}

/** Who has come in by the door. */
interface Visitor extends HttpPeer {
  /** Called with each request. */
  readonly asks: () => void;
}

/** Who serves what comes in, and who that is, by the port at this end. */
class Room {
  readonly visitors = new Map<number, Visitor>();
  readonly #http: HttpListener;
  #closing = false;

  constructor(app: HttpApp, options: HttpOptions) {
    this.#http = serveHttp(
      {
        fetch: (request, { remotePort }) => {
          const visitor = this.visitors.get(remotePort!);
          // Only what came through the door is served: the port on loopback is nobody's business.
          if (visitor === undefined) return new Response("not here\n", { status: 403 });
          visitor.asks();
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
  /** Closes when the last visitor has left. */
  closeWhenEmpty(): void {
    this.#closing = true;
    if (this.visitors.size === 0) void this.#http.close();
  }
  close(): Promise<void> {
    return this.#http.close();
  }
}

/** A TCP connection, and when something last moved on it. */
interface Passage {
  readonly conn: Deno.TcpConn;
  inner: Deno.TcpConn | undefined;
  movedAtMs: number;
  readonly openedAtMs: number;
  /** Set until it has asked for something. */
  shaken: (() => void) | undefined;
}

class TcpDoor implements Door {
  readonly address: { readonly hostname: string; readonly port: number };
  readonly #app: HttpApp;
  readonly #options: DoorOptions;
  readonly #listener: Deno.TcpListener;
  readonly #plain: Room;
  #secure: Room;
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
        const { begin = () => () => {} } = this.#options;
        const shaken = begin(formatAddress({ hostname, port }));
        const now = performance.now();
        if (shaken === undefined) conn.close();
        else void this.#pass({ conn, inner: undefined, movedAtMs: now, openedAtMs: now, shaken });
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
      const length = await conn.read(first);
      if (length === null || this.#closing !== undefined) return;
      const room = first[0] === TLS_HANDSHAKE ? this.#secure : this.#plain;
      const inner = await room.enter();
      passage.inner = inner;
      const { port } = inner.localAddr;
      const { hostname: remote, port: remotePort } = conn.remoteAddr;
      room.visitors.set(port, {
        remote,
        remotePort,
        drop: () => shut(passage),
        asks: () => {
          passage.shaken?.();
          passage.shaken = undefined;
        },
      });
      left = () => room.leave(port);
      conn.setNoDelay(true);
      inner.setNoDelay(true);
      await writeAll(inner, first.subarray(0, length));
      await Promise.all([pump(passage, conn, inner, first), pump(passage, inner, conn)]);
    } catch { // One end is gone: so is the other.
    } finally {
      shut(passage);
      passage.shaken?.();
      this.#passages.delete(passage);
      left?.();
    }
  }
  #closeIdle(): void {
    const now = performance.now();
    const { handshakeMs = () => 10_000, idleMs = 120_000, onLate } = this.#options;
    const lateMs = handshakeMs();
    for (const passage of this.#passages) {
      if (passage.shaken !== undefined && now - passage.openedAtMs > lateMs) {
        onLate?.();
        shut(passage);
      } else if (now - passage.movedAtMs > idleMs) shut(passage);
    }
  }
}

/** Passes on what comes until it ends, then the end. */
async function pump(
  passage: Passage,
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  buffer: Uint8Array = new Uint8Array(BUFFER_BYTES),
): Promise<void> {
  for (let length; (length = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, length));
    passage.movedAtMs = performance.now();
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
