/**
 * What waits to be stored, over all broadcasts: so much and no more.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../../base/errors.ts";
import { formatSize } from "../../../base/units.ts";
import { Backoff } from "../../../client/reconnect.ts";
import { sleep } from "../../media/pace.ts";
import type { PluginContext } from "../../plugin.ts";

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

export class Uploads {
  readonly #ctx: PluginContext;
  readonly #maxBytes: number;
  #waitingBytes = 0;
  #waiting = 0;
  #reason: string | undefined;

  constructor(ctx: PluginContext, maxBytes: number) {
    this.#ctx = ctx;
    this.#maxBytes = maxBytes;
  }

  /** A segment will be stored. @throws {UploadsFull} */
  reserve(bytes: number): void {
    // One alone may be larger: it could never be stored otherwise.
    if (this.#waiting > 0 && this.#waitingBytes + bytes > this.#maxBytes) {
      throw new UploadsFull(this.#waitingBytes, this.#reason);
    }
    this.#waiting++;
    this.#waitingBytes += bytes;
  }

  /** It is stored, or given up. */
  release(bytes: number): void {
    this.#waiting--;
    this.#waitingBytes -= bytes;
  }

  /** Asks the bucket until it does it. @returns Whether it did before the signal aborted. */
  async insist(work: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { stats, status, log } = this.#ctx;
    for (const backoff = new Backoff(PAUSE); !signal.aborted;) {
      try {
        await work();
        if (this.#reason !== undefined) status(undefined);
        this.#reason = undefined;
        return true;
      } catch (error) {
        stats.errors++;
        if (this.#reason === undefined) {
          log.warn("the bucket failed; tried again", { reason: reasonOf(error) });
        }
        this.#reason = reasonOf(error);
        status(
          `${this.#reason}; ${this.#waiting} segments wait (${formatSize(this.#waitingBytes)})`,
        );
        await sleep(backoff.next(), signal);
      }
    }
    return false;
  }
}
