/**
 * The answer to our FETCH: bare frames, which go into a group as they come.
 *
 * @module
 */
import { GroupTooLarge } from "../../../relay/errors.ts";
import type { GroupWriter } from "../../../relay/group/group_writer.ts";
import type { BidiStream } from "../../../transport/connection.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import { STREAM_CODE } from "../../../wire/lite/codes.ts";
import type { LiteContext } from "../context.ts";
import { FrameParser } from "../frame_parser.ts";

export class FetchAnswer {
  readonly #parser: FrameParser;
  #ended = false;

  constructor(
    readonly context: LiteContext,
    readonly stream: BidiStream,
    readonly writer: GroupWriter,
  ) {
    const { dialect, clock } = context;
    this.#parser = new FrameParser(writer, dialect.timestamps, () => clock.wallMs());
  }

  /** Whether the bytes so far end at the end of a frame. */
  get whole(): boolean {
    return this.#parser.atBoundary;
  }

  /** Takes the next bytes. @returns false at the end, when the group is ended too. @throws {StreamReset} @throws {ConnectionClosed} */
  async next(): Promise<boolean> {
    const chunk = await this.stream.receive.read();
    if (chunk !== undefined) {
      this.context.quota.received(chunk.length);
      this.#parser.push(chunk);
      return true;
    }
    this.#ended = true;
    this.stream.send.finish();
    // A sender that cannot reset ends an aborted answer inside a frame.
    if (this.whole) this.writer.finish();
    else this.writer.cut();
    return false;
  }

  /** Takes everything up to the end. Never rejects. */
  async rest(): Promise<void> {
    try {
      while (!this.#ended && this.writer.open) await this.next();
    } catch (error) {
      if (error instanceof GroupTooLarge) this.context.log.warn(error.message);
      if (error instanceof ProtocolViolation) this.context.failed(error);
    }
    this.leave();
  }

  /** Gives the answer up, unless it has ended. */
  leave(): void {
    this.writer.cut();
    if (this.#ended) return;
    this.stream.send.finish();
    this.stream.receive.stop(STREAM_CODE.cancel);
  }
}
