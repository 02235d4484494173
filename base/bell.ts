/**
 * Waiting for something to change, or for a signal to abort.
 *
 * @module
 */

/** Options of every call that waits. */
export interface WaitOptions {
  /** Ends the wait: the call rejects with the signal's reason. Nothing else is cancelled. */
  readonly signal?: AbortSignal | undefined;
}

/** Wakes everybody who waits for a change. Each of them checks whether it is the change it needs. */
export class Bell {
  #waiting = new Set<() => void>();

  ring(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves with the next ring. Rejects with the signal's reason if the signal aborts first. */
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

/** Resolves as `promise` does, unless the signal aborts first. Aborting does not cancel the promise. */
export async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  promise.catch(() => {}); // it may reject after nobody listens any more
  if (signal.aborted) throw signal.reason;
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
