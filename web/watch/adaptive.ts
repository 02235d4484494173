/**
 * Which quality a viewer gets: the smallest that fills the picture's place on the screen, or a smaller one when the connection
 * cannot carry it. No clock of its own: the time is passed in.
 *
 * The rate of live media says little about the capacity of the connection: never more arrives than is sent. So the player
 * leaves a quality when its frames come later and later. It tries a better one after a calm time, which grows with each failure.
 */

/** The most qualities that a menu offers. A catalog comes from a stranger and may name more. */
export const MOST_QUALITIES = 20;

/** A quality as the catalog has it. */
export interface Offered {
  readonly track: string;
  readonly config: {
    readonly codedWidth?: number | undefined;
    readonly codedHeight?: number | undefined;
    readonly bitrate?: number | undefined;
  };
}

/** What is seen of a player at one moment. */
export interface Seen {
  readonly offered: readonly Offered[];
  /** Time of the frame that is shown, in milliseconds of the broadcast's clock; `undefined` while none is. */
  readonly shownMs: number | undefined;
  /** Video bytes since the player began. */
  readonly bytes: number;
  /** Of the picture's place on the screen, in its own pixels. */
  readonly width: number;
  readonly height: number;
  /** Paused, or not fetched because nobody sees it. */
  readonly idle: boolean;
}

/** What is to be fetched. */
export interface Choice {
  readonly track: string;
  /** The connection cannot carry the present quality: it ends before the next one begins, not after. */
  readonly atOnce: boolean;
}

/** A frame is late when it is shown this much later than the best one was. */
const LATE_MS = 600;
/** The player leaves a quality after this much lateness within {@link MEMORY_MS}. */
const TOO_LATE_MS = 1000;
const MEMORY_MS = 4000;
/** Less lateness than this within {@link MEMORY_MS} is ignored. */
const HICCUP_MS = 500;
/** After a change the player fetches two qualities at once. Frames that are late then do not count. */
const SETTLE_MS = 3000;
/** How long all has to be well before a better quality is tried. */
const CALM_MS = 8000;
const MAX_CALM_MS = 120_000;
/** A better quality that is left this soon was too much. */
const TRY_MS = 20_000;
/** The best time of a frame is that of the last two of these. */
const BASE_MS = 15_000;
/** A quality has to need at most this share of what was received. */
const SAFE_SHARE = 0.8;

/** After a change at once, no video is fetched for this long. */
export const BETWEEN_MS = 50;

interface Look {
  readonly atMs: number;
  readonly bytes: number;
  readonly late: boolean;
}

export class Adaptive {
  /** The connection cannot carry qualities above this index, counted in rising order. */
  #ceiling = Infinity;
  #chosen: string | undefined;
  #changedAtMs = -Infinity;
  #raisedAtMs = -Infinity;
  #calmMs = CALM_MS;
  #calmSinceMs: number | undefined;
  #looks: Look[] = [];
  /** The smallest distance between clock and frame time, in this stretch of time and in the one before. */
  #base: { readonly sinceMs: number; readonly least: number; readonly before: number } | undefined;

  /**
   * Takes a look, several times a second.
   * @returns The track to fetch; `undefined` where there is nothing to choose from.
   */
  look(seen: Seen, nowMs: number): Choice | undefined {
    const rising = [...seen.offered].sort((a, b) => sizeOf(a) - sizeOf(b));
    if (rising.length < 2) return undefined;
    const fitting = rising.findIndex(({ config }) =>
      (config.codedWidth ?? 0) >= seen.width || (config.codedHeight ?? 0) >= seen.height
    );
    const cap = fitting === -1 ? rising.length - 1 : fitting;
    const before = this.#ceiling;
    this.#judge(seen, rising, cap, nowMs);
    const { track } = rising[Math.min(cap, this.#ceiling)]!;
    if (track !== this.#chosen) {
      this.#chosen = track;
      this.#changedAtMs = nowMs;
      this.#looks = [];
    }
    return { track, atOnce: this.#ceiling < before };
  }

  #judge(seen: Seen, rising: readonly Offered[], cap: number, nowMs: number): void {
    if (seen.idle || seen.shownMs === undefined) {
      this.#looks = [];
      this.#base = undefined;
      this.#calmSinceMs = undefined;
      return;
    }
    const late = this.#lateness(nowMs - seen.shownMs, nowMs) > LATE_MS;
    this.#calmSinceMs ??= nowMs;
    if (nowMs - this.#changedAtMs < SETTLE_MS) return;
    this.#looks.push({ atMs: nowMs, bytes: seen.bytes, late });
    while (nowMs - this.#looks[0]!.atMs > MEMORY_MS) this.#looks.shift();
    // One hiccup is no sign of a narrow connection.
    if (this.#lateMs() > HICCUP_MS) this.#calmSinceMs = nowMs;
    const current = Math.min(cap, this.#ceiling, rising.length - 1);
    if (this.#lateMs() >= TOO_LATE_MS && current > 0) this.#lower(rising, current, nowMs);
    else if (
      current < cap && this.#calmSinceMs !== undefined && nowMs - this.#calmSinceMs >= this.#calmMs
    ) {
      this.#ceiling = current + 1;
      this.#raisedAtMs = nowMs;
      this.#calmSinceMs = nowMs;
    }
  }

  #lower(rising: readonly Offered[], current: number, nowMs: number): void {
    // Bytes from before the trouble do not measure the connection.
    const first = this.#looks.find(({ late }) => late)!;
    const last = this.#looks.at(-1)!;
    // A player that restarts counts from zero again.
    const bytes = Math.max(0, last.bytes - first.bytes);
    const bitsPerSecond = bytes * 8000 / Math.max(1, last.atMs - first.atMs);
    let next = current - 1;
    while (next > 0 && (rising[next]!.config.bitrate ?? 0) > bitsPerSecond * SAFE_SHARE) next--;
    this.#ceiling = next;
    this.#calmSinceMs = nowMs;
    const failed = nowMs - this.#raisedAtMs < TRY_MS;
    this.#calmMs = failed ? Math.min(MAX_CALM_MS, this.#calmMs * 2) : CALM_MS;
  }

  /** @param distanceMs From the frame's time to ours. The two clocks run equally fast. */
  #lateness(distanceMs: number, nowMs: number): number {
    const base = this.#base;
    if (base === undefined) {
      this.#base = { sinceMs: nowMs, least: distanceMs, before: distanceMs };
    } else if (nowMs - base.sinceMs > BASE_MS) {
      this.#base = { sinceMs: nowMs, least: distanceMs, before: base.least };
    } else if (distanceMs < base.least) {
      this.#base = { ...base, least: distanceMs };
    }
    return distanceMs - Math.min(this.#base!.least, this.#base!.before);
  }

  #lateMs(): number {
    let sum = 0;
    for (let i = 1; i < this.#looks.length; i++) {
      if (this.#looks[i]!.late) sum += this.#looks[i]!.atMs - this.#looks[i - 1]!.atMs;
    }
    return sum;
  }
}

const sizeOf = ({ config }: Offered) =>
  (config.codedWidth ?? 0) * (config.codedHeight ?? 0) * 1000 + (config.bitrate ?? 0) / 1e6;
