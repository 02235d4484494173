/**
 * Waiting for something to change, or for a signal to abort.
 *
 * @module
 */

/** What every call that waits takes. */
export interface WaitOptions {
  /** Gives the wait up: the call rejects with the signal's reason, and what was waited for goes on as it was. */
  readonly signal?: AbortSignal | undefined;
}

/** Wakes those who wait for a change. They look again whether it is the one they wait for. */
export class Bell {
  #waiting = new Set<() => void>();

  ring(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Fulfils with the next ring. Rejects with the signal's reason when that comes first. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return new Promise((resolve) => this.#waiting.add(resolve));
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const wake = () => {
        signal.removeEventListener("abort", aborted);
        resolve();
      };
      const aborted = () => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", aborted, { once: true });
    });
  }
}

/** What a promise brings, unless the signal aborts first. The promise itself goes on. */
export async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  promise.catch(() => {}); // nobody may be left to hear of it
  if (signal.aborted) throw signal.reason;
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
