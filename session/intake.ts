/**
 * The streams that a peer opens. Until the session is open, a few streams with a few bytes each are kept. From then on each
 * stream is handed on as it comes.
 *
 * @module
 */
import type { BidiStream, Connection, ReceiveStream } from "../transport/connection.ts";
import { ConnectionClosed } from "../transport/errors.ts";
import type { Codes } from "./context.ts";
import type { SessionHits } from "./limits.ts";
import { StreamReader } from "./stream_reader.ts";
import type { Unfinished } from "./unfinished.ts";

/** Most streams of each kind that are kept until the session is open. Each bidirectional one carries a request. */
export const MAX_EARLY_UNI = 16;
export const MAX_EARLY_BIDI = 100;

/** Takes the streams once the session is open. */
export interface StreamHandlers {
  /** @param type The stream's type, if it was read already. */
  uni(stream: ReceiveStream, reader: StreamReader, type?: number): void;
  bidi(stream: BidiStream, reader: StreamReader): void;
}

export class Intake {
  readonly #connection: Connection;
  readonly #codes: Codes["stream"];
  readonly #unfinished: Unfinished;
  readonly #hits: SessionHits;
  readonly #first = Promise.withResolvers<StreamReader>();
  readonly #opened = Promise.withResolvers<void>();
  #handlers: StreamHandlers | undefined;
  #earlyUni = 0;
  #earlyBidi = 0;
  readonly #readType: typeof takeType;
  /** Type of the unidirectional stream that {@link Intake.first} waits for; absent once it has come. */
  #awaited: number | undefined;

  /** @param readType Reads the type of a unidirectional stream, and takes it off or not. Default: takes a varint of QUIC. */
  constructor(
    connection: Connection,
    codes: Codes,
    unfinished: Unfinished,
    hits: SessionHits,
    readType: typeof takeType = takeType,
  ) {
    this.#connection = connection;
    this.#codes = codes.stream;
    this.#unfinished = unfinished;
    this.#hits = hits;
    this.#readType = readType;
    this.#first.promise.catch(() => {}); // not every version and side waits for it
  }

  /**
   * Begins to take streams. Call it once.
   * @param awaited Type of the unidirectional stream that {@link Intake.first} waits for. Without it every stream is handed on.
   */
  start(awaited?: number): void {
    this.#awaited = awaited;
    void this.#takeUni();
    void this.#takeBidi();
  }

  /** The first stream of the awaited type, behind what was read of its type. @throws {ConnectionClosed} */
  first(): Promise<StreamReader> {
    return this.#first.promise;
  }

  /** The session is open: hands on the kept streams, then all that come. */
  open(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    this.#opened.resolve();
  }

  async #takeUni(): Promise<void> {
    for (;;) {
      const stream = await this.#connection.acceptUni();
      if (stream === undefined) {
        return this.#first.reject(new ConnectionClosed("it ended before its SETUP"));
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
      type = await this.#readType(reader);
    } catch {
      this.#earlyUni--; // cancelled before it said anything
      return stream.stop(this.#codes.cancel);
    }
    if (type === undefined) {
      this.#earlyUni--;
      return;
    }
    if (type === this.#awaited && this.#handlers === undefined) {
      this.#awaited = undefined;
      return this.#first.resolve(reader);
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
    receive.stop(this.#codes.tooMany);
    both?.send.reset(this.#codes.tooMany);
  }
}

function takeType(reader: StreamReader): Promise<number | undefined> {
  return reader.varint();
}
