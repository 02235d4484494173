/**
 * When a broadcast gets its first viewer, and has lost its last, told from what is counted now and then. However often
 * somebody comes and goes between two looks, it is one change at most.
 *
 * @module
 */
export interface ViewerChange {
  readonly event: "first_viewer" | "last_viewer";
  readonly broadcast: string;
}

export class ViewerWatch {
  readonly #lingerMs: number;
  /** Broadcasts that were told to have a viewer; since when they have none, where that is so. */
  readonly #watched = new Map<string, number | undefined>();

  /** @param lingerMs How long a broadcast has no viewer before that is told. */
  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  /** @param viewers Broadcasts with a viewer now. */
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
