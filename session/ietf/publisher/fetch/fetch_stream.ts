/**
 * The stream that answers a FETCH, for one writer that waits as its peer does.
 *
 * @module
 */
import { concat } from "../../../../base/bytes.ts";
import type { SendStream } from "../../../../transport/connection.ts";
import { encodeFetchHeader } from "../../../../wire/ietf/data/stream_head.ts";
import { LAST_PLACE, sendOrder } from "../../../send/send_order.ts";
import type { Sending } from "../../../sweep.ts";
import type { IetfContext } from "../../context.ts";

/** Objects up to this size leave together, so many bytes in one write. */
const SMALL_BYTES = 4096;
const ONE_WRITE_BYTES = 4 * SMALL_BYTES;

export class FetchStream implements Sending {
  progressedAtMs: number;
  stuckSinceMs = Infinity;
  blockedSinceMs = -1;
  /** Since when it has kept memory that is needed elsewhere. */
  pinnedSinceMs = Infinity;
  readonly senders: readonly [FetchStream] = [this];
  readonly #context: IetfContext;
  readonly #stream: SendStream;
  /** Small objects that have not left yet. */
  #small: Uint8Array[] = [];
  #smallBytes = 0;
  #isLeft = false;
  /** Ends {@link FetchStream.ready} while it waits. */
  #wake: (() => void) | undefined;

  private constructor(context: IetfContext, stream: SendStream) {
    this.#context = context;
    this.#stream = stream;
    this.progressedAtMs = context.clock.now();
  }

  /**
   * Opens it. @param priority As of the core: higher goes first.
   * @throws {ConnectionClosed}
   */
  static async open(
    context: IetfContext,
    requestId: number,
    priority: number,
  ): Promise<FetchStream> {
    const order = sendOrder(priority, LAST_PLACE, 1);
    const stream = await context.connection.openUni({ sendOrder: order });
    stream.write(encodeFetchHeader(requestId, context.profile));
    return new FetchStream(context, stream);
  }

  /** Whether nothing can be written any more. */
  get done(): boolean {
    return this.#stream.done;
  }

  set priority(priority: number) {
    this.#stream.setSendOrder(sendOrder(priority, LAST_PLACE, 1));
  }

  /** A fetch is never too old. */
  cutStale(): void {}

  /** Writes a head and what belongs to it. The stream may end behind it. */
  write(head: Uint8Array, pieces: readonly Uint8Array[] = []): void {
    const { stats, quota } = this.#context;
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, head.length);
    stats.bytesOut += bytes;
    quota.sent(bytes);
    if (bytes > SMALL_BYTES) {
      this.flush();
      this.#stream.write(head);
      for (const piece of pieces) this.#stream.write(piece);
      return;
    }
    this.#small.push(head, ...pieces);
    this.#smallBytes += bytes;
    if (this.#smallBytes > ONE_WRITE_BYTES) this.flush();
  }

  /** Lets go what is kept back to leave with more. */
  flush(): void {
    if (this.#smallBytes === 0) return;
    this.#stream.write(concat(this.#small));
    this.#small = [];
    this.#smallBytes = 0;
  }

  /** Whether {@link FetchStream.ready} would wait. */
  get mustWait(): boolean {
    return this.#stream.blocked || !this.#context.quota.maySend;
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#isLeft = true;
    this.#wake?.();
  }

  /** Waits until the transport has taken what was written, and more may be, at the most until {@link FetchStream.leave}. */
  async ready(): Promise<void> {
    const { quota, clock } = this.#context;
    const stream = this.#stream;
    while (!this.#isLeft && !stream.done && this.mustWait) {
      if (this.blockedSinceMs < 0) this.blockedSinceMs = clock.now();
      const { promise, resolve } = Promise.withResolvers<void>();
      const paced = { resume: resolve };
      this.#wake = resolve;
      if (stream.blocked) stream.onWritable(resolve);
      else quota.wait(paced);
      await promise;
      quota.leave(paced);
      this.progressedAtMs = clock.now();
    }
    this.blockedSinceMs = -1;
  }

  /** Waits until the transport reads from no memory any more, also when the stream was given up. */
  async taken(): Promise<void> {
    const stream = this.#stream;
    while (stream.blocked) {
      if (this.blockedSinceMs < 0) this.blockedSinceMs = this.#context.clock.now();
      const { promise, resolve } = Promise.withResolvers<void>();
      stream.onWritable(resolve);
      await promise;
    }
    this.blockedSinceMs = -1;
    this.pinnedSinceMs = Infinity;
  }

  /** The memory of what is being sent is needed elsewhere: gives the stream up. */
  evict(): void {
    this.pinnedSinceMs = this.#context.clock.now();
    this.abort();
  }

  finish(): void {
    this.flush();
    this.#stream.finish();
  }

  /** Gives it up. What was written ends behind an object. */
  abort(): void {
    this.flush();
    this.#stream.reset(this.#context.codes.stream.cancel);
  }
}
