/**
 * Finds when a broadcast gets its first viewer and when it has lost its last. It looks from time to time, so viewers that
 * come and go between two looks make one change at most.
 *
 * @module
 */
export interface ViewerChange {
  readonly event: "first_viewer" | "last_viewer";
  readonly broadcast: string;
}

export class ViewerWatch {
  readonly #lingerMs: number;
  /** Broadcasts whose first viewer was told. The value is since when they have had none, if they have none. */
  readonly #watched = new Map<string, number | undefined>();

  /** @param lingerMs How long a broadcast has to be without viewers before that is told. */
  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  /** @param viewers Broadcasts with a viewer now. @returns What has changed. */
  look(viewers: ReadonlySet<string>, nowMs: number): ViewerChange[] {
    const changes: ViewerChange[] = [];
    for (const broadcast of viewers) {
      if (!this.#watched.has(broadcast)) changes.push({ event: "first_viewer", broadcast });
      this.#watched.set(broadcast, undefined);
    }
    for (const [broadcast, sinceMs] of this.#watched) {
      if (viewers.has(broadcast)) continue;
      if (sinceMs === undefined && this.#lingerMs > 0) {
        this.#watched.set(broadcast, nowMs);
      } else if (sinceMs === undefined || nowMs - sinceMs >= this.#lingerMs) {
        this.#watched.delete(broadcast);
        changes.push({ event: "last_viewer", broadcast });
      }
    }
    return changes;
  }
}
