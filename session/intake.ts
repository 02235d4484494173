/**
 * The streams that a peer opens. Before the session stands they are gathered: few, and with few bytes. Afterwards each is
 * handed on as it comes.
 *
 * @module
 */
import type { BidiStream, Connection, ReceiveStream } from "../transport/connection.ts";
import { ConnectionClosed } from "../transport/errors.ts";
import { ProtocolViolation } from "../wire/errors.ts";
import { STREAM_CODE } from "../wire/lite/codes.ts";
import { type Dialect, UNI } from "../wire/lite/dialect.ts";
import { decodeSetup, MAX_SETUP_BYTES, type Setup } from "../wire/lite/setup.ts";
import type { LimitHits } from "./limits.ts";
import { StreamReader } from "./stream_reader.ts";
import type { Unfinished } from "./unfinished.ts";

/** Most streams in one direction that are kept before the session stands; a bidirectional one carries a request. */
export const MAX_EARLY_UNI = 16;
export const MAX_EARLY_BIDI = 100;

/** Who takes the streams once the session stands. */
export interface StreamHandlers {
  /** @param type What was read of it already. */
  uni(stream: ReceiveStream, reader: StreamReader, type?: number): void;
  bidi(stream: BidiStream, reader: StreamReader): void;
}

export class Intake {
  readonly #connection: Connection;
  readonly #dialect: Dialect;
  readonly #unfinished: Unfinished;
  readonly #hits: LimitHits;
  readonly #setup = Promise.withResolvers<Setup>();
  readonly #opened = Promise.withResolvers<void>();
  #handlers: StreamHandlers | undefined;
  #earlyUni = 0;
  #earlyBidi = 0;
  /** Whether a SETUP that comes now is not the one that is waited for. */
  #setupSeen = true;

  constructor(
    connection: Connection,
    dialect: Dialect,
    unfinished: Unfinished,
    hits: LimitHits,
  ) {
    this.#connection = connection;
    this.#dialect = dialect;
    this.#unfinished = unfinished;
    this.#hits = hits;
    this.#setup.promise.catch(() => {}); // not every version and side waits for it
  }

  /**
   * Begins to take streams. Call it once.
   * @param awaitsSetup Whether {@link Intake.setup} is waited for; else SETUP is handed on like every stream.
   */
  start(awaitsSetup: boolean): void {
    this.#setupSeen = !awaitsSetup;
    void this.#takeUni();
    void this.#takeBidi();
  }

  /**
   * The peer's SETUP (05+), if it comes before {@link open}.
   * @throws {ProtocolViolation} @throws {ConnectionClosed}
   */
  setup(): Promise<Setup> {
    return this.#setup.promise;
  }

  /** The session stands: what was gathered is handed on, then all that comes. */
  open(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    this.#opened.resolve();
  }

  async #takeUni(): Promise<void> {
    for (;;) {
      const stream = await this.#connection.acceptUni();
      if (stream === undefined) {
        return this.#setup.reject(new ConnectionClosed("it ended before its SETUP"));
      }
      const reader = new StreamReader(stream, "stream type", this.#unfinished);
      if (this.#handlers !== undefined) this.#handlers.uni(stream, reader);
      else if (this.#earlyUni >= MAX_EARLY_UNI) this.#refuse(stream);
      else {
        this.#earlyUni++;
        void this.#keepUni(stream, reader).catch(() => {
          this.#earlyUni--;
          this.#refuse(stream);
        });
      }
    }
  }

  async #keepUni(stream: ReceiveStream, reader: StreamReader): Promise<void> {
    let type: number | undefined;
    try {
      type = await reader.varint();
    } catch {
      this.#earlyUni--; // cancelled before it said anything
      return stream.stop(STREAM_CODE.cancel);
    }
    if (type === undefined) {
      this.#earlyUni--;
      return;
    }
    const first = type === UNI.setup && this.#dialect.setup === "uni" && !this.#setupSeen;
    if (first && this.#handlers === undefined) {
      this.#setupSeen = true;
      this.#setup.resolve(readSetup(reader));
      return;
    }
    await reader.prefetch(this.#opened.promise);
    this.#handlers!.uni(stream, reader, type);
  }

  async #takeBidi(): Promise<void> {
    for (;;) {
      const stream = await this.#connection.acceptBidi();
      if (stream === undefined) return;
      const reader = new StreamReader(stream.receive, "stream type", this.#unfinished);
      if (this.#handlers !== undefined) this.#handlers.bidi(stream, reader);
      else if (this.#earlyBidi >= MAX_EARLY_BIDI) this.#refuse(stream.receive, stream);
      else {
        this.#earlyBidi++;
        void this.#keepBidi(stream, reader).catch(() => {
          this.#earlyBidi--;
          this.#refuse(stream.receive, stream);
        });
      }
    }
  }

  async #keepBidi(stream: BidiStream, reader: StreamReader): Promise<void> {
    await reader.prefetch(this.#opened.promise);
    this.#handlers!.bidi(stream, reader);
  }

  #refuse(receive: ReceiveStream, both?: BidiStream): void {
    this.#hits.earlyStreams++;
    receive.stop(STREAM_CODE.tooMany);
    both?.send.reset(STREAM_CODE.tooMany);
  }
}

/** The body of SETUP, behind its stream type. @throws {ProtocolViolation} */
export async function readSetup(reader: StreamReader): Promise<Setup> {
  const body = await reader.body("SETUP", MAX_SETUP_BYTES);
  if (body === undefined) throw new ProtocolViolation("SETUP", "the stream ended before it");
  return decodeSetup(body);
}
