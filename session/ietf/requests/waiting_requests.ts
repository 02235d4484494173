/** Most requests of ours that wait at one time until the peer allows them. Viewers cause them, and may be gone by then. */
export const MAX_WAITING_REQUESTS = 1000;

/** Counts the requests that wait. */
export class WaitingRequests {
  #count = 0;

  /** Waits for the peer. @throws {RangeError} Too many requests wait for it. */
  async until<T>(allowed: () => Promise<T>): Promise<T> {
    if (this.#count === MAX_WAITING_REQUESTS) {
      throw new RangeError(
        `Cannot ask the peer: ${MAX_WAITING_REQUESTS} requests wait until it allows more`,
      );
    }
    this.#count++;
    try {
      return await allowed();
    } finally {
      this.#count--;
    }
  }
}
