/**
 * Segments that wait to be stored, of all broadcasts together, within a limit.
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

/** The bucket has taken nothing for so long that no further segment can wait. */
export class UploadsFull extends QumoError {
  readonly code = "QUMO_UPLOADS_FULL";
  constructor(waitingBytes: number, reason: string | undefined) {
    super(
      `Cannot keep more segments waiting than ${formatSize(waitingBytes)}: ` +
        `${reason ?? "the bucket is too slow"}; what was stored before is kept`,
    );
  }
}

/** How often a refused request is made: a key may have been renewed in between. */
const REFUSALS = 4;

/** The segments of all broadcasts that wait. */
export class Uploads {
  readonly #ctx: PluginContext;
  readonly #lines: StatusLines;
  readonly #maxBytes: number;
  /** Bytes of each broadcast that has segments waiting. */
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
   * Adds a segment that waits to be stored. A broadcast that has less than its share waiting may always add one, so all
   * together hold at most twice the bytes.
   * @throws {UploadsFull}
   */
  reserve(owner: object, bytes: number): void {
    const own = this.#owners.get(owner) ?? 0;
    const share = this.#maxBytes / (this.#owners.size + (own === 0 ? 1 : 0));
    // A single segment may be larger: otherwise it could never be stored.
    if (own > 0 && this.#waitingBytes + bytes > this.#maxBytes && own + bytes > share) {
      throw new UploadsFull(this.#waitingBytes, this.#reason);
    }
    this.#waiting++;
    this.#waitingBytes += bytes;
    this.#owners.set(owner, own + bytes);
  }

  /** Called when a segment is stored, or given up. */
  release(owner: object, bytes: number): void {
    this.#waiting--;
    this.#waitingBytes -= bytes;
    const left = (this.#owners.get(owner) ?? 0) - bytes;
    if (left > 0) this.#owners.set(owner, left);
    else this.#owners.delete(owner);
  }

  /**
   * Repeats a request until the bucket does it.
   * @returns Whether it did before the signal aborted.
   * @throws {BucketFailed} The bucket refuses this request, and refuses it again.
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
          // The bucket works and refuses this request: the caller is told.
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

/** Key of the status line about the bucket: no broadcast has this path. */
const BUCKET = "//";
