import { CONTROL_ORDER } from "../session/context.ts";
import { agree, sendSetup } from "../session/lite/handshake.ts";
import type { BidiStream, Connection, ReceiveStream } from "../transport/connection.ts";
import { BIDI, type Dialect } from "../wire/lite/dialect.ts";
import { framed } from "../wire/message.ts";
import type { Version } from "../wire/versions.ts";
import { GroupScan } from "./group_scan.ts";
import type { LightSession, LightStream, LightSubscription, OnFrame, StreamScan } from "./light.ts";

/** A viewer that speaks moq-lite by itself, without `Session`. */
export class LightLite implements LightSession {
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

  /** @param path Path and query, for transports without a URL. @throws {NoCommonVersion} */
  static async over(
    connection: Connection,
    versions: readonly Version[],
    path: string | undefined,
  ): Promise<LightLite> {
    const { dialect, sessionStream } = await agree(connection, versions);
    if (dialect.setup === "uni") {
      await sendSetup(connection, { ...(path === undefined ? {} : { path }), role: 2 });
    }
    return new LightLite(connection, dialect, sessionStream);
  }

  /** Subscribes to a track. Its groups come by {@link acceptGroup}; `id` tells whose they are. @throws {ConnectionClosed} */
  async subscribe(
    id: number,
    broadcast: string,
    track: string,
    maxLatencyMs = 0,
  ): Promise<LightSubscription> {
    const stream = await this.#connection.openBidi({ sendOrder: CONTROL_ORDER });
    const body = this.dialect.subscribe.encode({
      id,
      broadcast,
      track,
      priority: 128,
      ordered: undefined,
      maxLatencyMs,
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

  scan(_: LightStream, onFrame: OnFrame): StreamScan {
    return new GroupScan(this.dialect, onFrame);
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
