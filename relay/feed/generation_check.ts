/**
 * Tells whether a source that is to continue a track has begun anew: an encoder has restarted under its old hop id, and counts
 * its groups from 0 again. It is asked from the group after our newest one, and would not send anything for hours.
 *
 * The source is in doubt as long as nothing newer than our newest group has come since it was asked. Then it is asked for its
 * own newest group. One that is far below ours, twice, proves it. A source that is only behind catches up; a stale or
 * reordered group comes while newer ones come too. `docs/adr/0019` has the rule.
 *
 * @module
 */
import type { TrackSink, UpstreamSubscription } from "../ports.ts";
import type { Route } from "../route.ts";
import type { Track } from "../track.ts";

/** When a silent source is asked for its newest group; then after twice the time, and so on. */
const ASK_MS = 500;
const TIMES = 6;
/** How long a group that is certainly old has to stay the source's newest one. One that is followed by another is enough. */
const CONFIRM_MS = 1000;
/** How long a source may be behind with groups that it may still reach us with. */
const BEHIND_MS = 3000;

export interface CheckedSource {
  readonly track: Track;
  readonly route: Route;
  /** Whether it tells its newest group by itself when it accepts a subscription. A second one would be refused. */
  readonly tellsLargest: () => boolean;
  /** Whether its route is as good as it was: it has not lost its own source, and does not leave. */
  readonly isSound: () => boolean;
  /** It has begun anew. Called once at most. */
  readonly onAnew: () => void;
}

export class GenerationCheck {
  readonly #o: CheckedSource;
  /** Our newest group when the source was asked. */
  readonly #newest: number;
  /** The source's newest group when it was first seen, and when that was. */
  #seen: number | undefined;
  #sinceMs = 0;
  #asked = 0;
  #question: UpstreamSubscription | undefined;
  #cancel: () => void = () => {};
  /** Nothing is in doubt any more. */
  over = false;

  constructor(newest: number, options: CheckedSource) {
    this.#o = options;
    this.#newest = newest;
    this.#later();
  }

  /** The source has this group now. */
  see(group: number): void {
    if (this.over) return;
    const { track: { ring, context: { clock } }, isSound, onAnew } = this.#o;
    if (group >= this.#newest || ring.newest?.sequence !== this.#newest) return this.close();
    if (!isSound()) return;
    const now = clock.now();
    const before = this.#seen;
    if (before === undefined) {
      this.#seen = group;
      this.#sinceMs = now;
      return;
    }
    const goesOn = group > before;
    const forMs = now - this.#sinceMs;
    const isOld = this.#newest - group > ring.capacity || ring.isGone(group);
    if (isOld ? !goesOn && forMs < CONFIRM_MS : !goesOn || forMs < BEHIND_MS) return;
    this.close();
    onAnew();
  }

  /** Harmless when it is closed. */
  close(): void {
    this.over = true;
    this.#cancel();
    this.#question?.close();
    this.#question = undefined;
  }

  #later(): void {
    const { clock } = this.#o.track.context;
    this.#cancel = clock.after(ASK_MS << this.#asked, () => this.#ask());
  }

  #ask(): void {
    const { track, route, tellsLargest, isSound } = this.#o;
    if (track.ring.newest?.sequence !== this.#newest) return this.close();
    this.#question?.close();
    this.#question = undefined;
    if (tellsLargest()) {
      if (this.#seen !== undefined) this.see(this.#seen);
    } else if (isSound()) {
      const request = { priority: 0, maxLatencyMs: 0 };
      const { broadcast, name } = track;
      this.#question = route.source.subscribe(broadcast, name, request, this.#answer);
    }
    if (this.over) return;
    if (++this.#asked < TIMES) this.#later();
    else this.#cancel = track.context.clock.after(ASK_MS << this.#asked, () => this.close());
  }

  /** Takes nothing: only the number of the first group counts. */
  readonly #answer: TrackSink = {
    openGroup: (sequence) => {
      this.see(sequence);
      return undefined;
    },
    accepted: (facts) => {
      if (facts?.largest !== undefined) this.see(facts.largest.group);
    },
    started: (group) => this.see(group),
    interrupt: () => {},
    datagram: (sequence) => {
      this.see(sequence);
      return false;
    },
    ended: () => this.#question = undefined,
  };
}
