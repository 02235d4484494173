/**
 * A session that only subscribes and keeps no groups: it has no origin, no rings and no pool. It is for programs that play
 * thousands of viewers, and speaks moq-lite itself, without `Session`. Everybody else wants {@link connect} of the library.
 *
 * @module
 */
import { CONTROL_ORDER } from "../session/context.ts";
import { agree, sendSetup } from "../session/lite/handshake.ts";
import { fetchHash, parseHash } from "../transport/certificate_hash.ts";
import type { BidiStream, Connection, ReceiveStream } from "../transport/connection.ts";
import { dial } from "../transport/dial.ts";
import type { TransportSettings } from "../transport/quic/quic_settings.ts";
import { BIDI, type Dialect } from "../wire/lite/dialect.ts";
import { framed } from "../wire/message.ts";
import { alpnsOf, LITE_VERSIONS, versionsOf } from "../wire/versions.ts";

/** Where to dial, computed once for many sessions. Plain data: it can be sent to another process. */
export interface LightTarget {
  /** `https:` or `moqt:`. */
  readonly url: string;
  /** SHA-256 of the one certificate to accept, in hexadecimal. */
  readonly hash?: string;
  readonly caCerts?: readonly string[];
  /** Names of the versions to offer; all if absent. */
  readonly versions?: readonly string[];
}

/**
 * Makes a target of a user's input. For an `http:` URL it fetches the certificate's hash, once for all sessions.
 * @param transport Overrules the scheme: the same host and port by raw QUIC or by WebTransport.
 * @throws {ConnectFailed}
 */
export async function lightTarget(
  target: LightTarget,
  transport?: "quic" | "webtransport",
): Promise<LightTarget> {
  let url = new URL(target.url);
  let { hash } = target;
  const asked = url.protocol === "http:" || url.protocol === "https:" ? "webtransport" : "quic";
  if (url.protocol === "http:") {
    const pinned = await fetchHash(url, AbortSignal.timeout(10_000));
    url = pinned.url;
    hash ??= pinned.hash.toHex();
  }
  const scheme = (transport ?? asked) === "quic" ? "moqt" : "https";
  const port = url.port || "443";
  return {
    ...target,
    url: `${scheme}://${url.hostname}:${port}${url.pathname || "/"}${url.search}`,
    ...(hash === undefined ? {} : { hash }),
  };
}

/** How one session dials. */
export interface LightOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  readonly transport?: TransportSettings;
  readonly signal?: AbortSignal;
}

/** A subscription of a light session. */
export interface LightSubscription {
  /** Fulfils (never rejects) when the relay has ended or refused it, or the session is over. */
  readonly ended: Promise<void>;
  /** Ends the subscription. */
  cancel(): void;
}

/** One viewer. The owner closes it. */
export class LightSession {
  readonly dialect: Dialect;
  /** Fulfils when the session is over, whichever end closed it. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #connection: Connection;
  /** Holds the streams: the transport finishes a stream that is garbage-collected. */
  readonly #held = new Set<object>();

  private constructor(connection: Connection, dialect: Dialect, held?: object) {
    this.#connection = connection;
    this.dialect = dialect;
    this.closed = connection.closed;
    if (held !== undefined) this.#held.add(held);
    this.#holdBidis();
  }

  /** Dials and negotiates the version. @throws {ConnectFailed} @throws {NoCommonVersion} */
  static async dial(target: LightTarget, options: LightOptions = {}): Promise<LightSession> {
    const { url, hash, caCerts } = target;
    const versions = versionsOf(target.versions ?? LITE_VERSIONS);
    const pinned = hash === undefined ? undefined : parseHash(hash);
    const connection = await dial(url, {
      ...options,
      protocols: alpnsOf(versions),
      ...(pinned === undefined ? {} : { hash: pinned }),
      ...(caCerts === undefined ? {} : { caCerts }),
    });
    try {
      const { dialect, sessionStream } = await agree(connection, versions);
      if (dialect.setup === "uni") {
        const { pathname, search } = new URL(url);
        const path = connection.kind === "quic" ? { path: pathname + search } : {};
        await sendSetup(connection, { ...path, role: 2 });
      }
      return new LightSession(connection, dialect, sessionStream);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Subscribes to a track. Its groups come by {@link acceptGroup}; `id` tells whose they are. @throws {ConnectionClosed} */
  async subscribe(id: number, broadcast: string, track: string): Promise<LightSubscription> {
    const stream = await this.#connection.openBidi({ sendOrder: CONTROL_ORDER });
    const body = this.dialect.subscribe.encode({
      id,
      broadcast,
      track,
      priority: 128,
      ordered: undefined,
      maxLatencyMs: 0,
      startGroup: undefined,
      endGroup: undefined,
      startFrame: 0,
      endFrame: undefined,
    });
    stream.send.write(framed(body, BIDI.subscribe));
    this.#held.add(stream);
    return {
      ended: this.#readReplies(stream),
      cancel: () => {
        this.#held.delete(stream);
        stream.send.finish();
        stream.receive.stop(0);
      },
    };
  }

  /** The next stream of the relay, or `undefined` when the session is over. Not every stream is a group. */
  acceptGroup(): Promise<ReceiveStream | undefined> {
    return this.#connection.acceptUni();
  }

  /** Idempotent. */
  close(): void {
    this.#held.clear();
    this.#connection.close();
  }

  /** Reads the replies to their end and ignores them. */
  async #readReplies(stream: BidiStream): Promise<void> {
    try {
      while (await stream.receive.read() !== undefined);
    } catch { // Refused, or the session is over: an end too.
    }
    this.#held.delete(stream);
  }

  /** A relay requests our announcements. There are none, so it gets no answer. */
  async #holdBidis(): Promise<void> {
    for (let stream; (stream = await this.#connection.acceptBidi());) this.#held.add(stream);
  }
}
