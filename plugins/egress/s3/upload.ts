/**
 * What waits to be stored, over all broadcasts: so much and no more.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../../base/errors.ts";
import { formatSize } from "../../../base/units.ts";
import { shortened } from "../../../base/visible_text.ts";
import { Backoff } from "../../../base/backoff.ts";
import { sleep } from "../../../base/sleep.ts";
import type { PluginContext } from "../../plugin.ts";
import type { StatusLines } from "../../status_lines.ts";
import { BucketFailed } from "./bucket.ts";

const PAUSE = { minMs: 500, maxMs: 30_000 } as const;

/** The bucket has not taken anything for so long that nothing more can wait. */
export class UploadsFull extends QumoError {
  readonly code = "QUMO_UPLOADS_FULL";
  constructor(waitingBytes: number, reason: string | undefined) {
    super(
      `Cannot keep more segments waiting than ${formatSize(waitingBytes)}: ` +
        `${reason ?? "the bucket is too slow"}; what was stored before is kept`,
    );
  }
}

/** How often a request is made that the bucket refuses: it may have been asked for while a key was renewed. */
const REFUSALS = 4;

/** What all broadcasts together have waiting. */
export class Uploads {
  readonly #ctx: PluginContext;
  readonly #lines: StatusLines;
  readonly #maxBytes: number;
  /** Of each broadcast that has something waiting. */
  readonly #owners = new Map<object, number>();
  #waitingBytes = 0;
  #waiting = 0;
  #reason: string | undefined;

  constructor(ctx: PluginContext, lines: StatusLines, maxBytes: number) {
    this.#ctx = ctx;
    this.#lines = lines;
    this.#maxBytes = maxBytes;
  }

  /**
   * A segment of a broadcast will be stored. Who has less waiting than its share may always add to it, so that all together
   * never hold more than twice the bytes.
   * @throws {UploadsFull}
   */
  reserve(owner: object, bytes: number): void {
    const own = this.#owners.get(owner) ?? 0;
    const share = this.#maxBytes / (this.#owners.size + (own === 0 ? 1 : 0));
    // One alone may be larger: it could never be stored otherwise.
    if (own > 0 && this.#waitingBytes + bytes > this.#maxBytes && own + bytes > share) {
      throw new UploadsFull(this.#waitingBytes, this.#reason);
    }
    this.#waiting++;
    this.#waitingBytes += bytes;
    this.#owners.set(owner, own + bytes);
  }

  /** It is stored, or given up. */
  release(owner: object, bytes: number): void {
    this.#waiting--;
    this.#waitingBytes -= bytes;
    const left = (this.#owners.get(owner) ?? 0) - bytes;
    if (left > 0) this.#owners.set(owner, left);
    else this.#owners.delete(owner);
  }

  /**
   * Asks the bucket until it does it.
   * @returns Whether it did before the signal aborted.
   * @throws {BucketFailed} It refuses this request, and says so again.
   */
  async insist(work: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { stats, log } = this.#ctx;
    let refusals = 0;
    for (const backoff = new Backoff(PAUSE); !signal.aborted;) {
      try {
        await work();
        if (this.#reason !== undefined) this.#lines.set(BUCKET, undefined);
        this.#reason = undefined;
        return true;
      } catch (error) {
        stats.errors++;
        if (error instanceof BucketFailed && error.refused && ++refusals >= REFUSALS) {
          // It is not the bucket that fails: whoever asked for this is told.
          this.#reason = undefined;
          this.#lines.set(BUCKET, undefined);
          throw error;
        }
        if (this.#reason === undefined) {
          log.warn("the bucket failed; tried again", { reason: reasonOf(error) });
        }
        this.#reason = reasonOf(error);
        const waiting = `${this.#waiting} segments wait (${formatSize(this.#waitingBytes)})`;
        this.#lines.set(BUCKET, `${shortened(this.#reason, 200)}; ${waiting}`);
        await sleep(backoff.next(), signal);
      }
    }
    return false;
  }
}

/** Under which the status speaks of the bucket: no broadcast has that path. */
const BUCKET = "//";
