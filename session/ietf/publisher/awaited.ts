/**
 * Keeps a track subscribed until it is known: a reader that takes no groups. Its subscriber comes as a reader of its own.
 *
 * @module
 */
import type { TrackEnd, TrackReader, TrackRequest } from "../../../relay/reading.ts";
import type { Track } from "../../../relay/track.ts";

export class Awaited implements TrackReader {
  readonly layout = "kept";
  /** It is not counted: the subscriber is. */
  readonly sibling = true;
  #over = false;

  /**
   * @param hop The peer's; 0n is unknown.
   * @param known The track exists. It is still kept.
   * @param ended It has ended, or does not exist. Called once, and not after {@link Awaited.stop}.
   * @param came Something of it has come.
   */
  constructor(
    readonly track: Track,
    readonly request: TrackRequest,
    readonly hop: bigint,
    readonly known: () => void,
    readonly ended: (end: TrackEnd) => void,
    readonly came: () => void = () => {},
  ) {}

  start(): void {
    this.track.add(this);
  }

  /** Keeps the track no longer. Harmless when it has ended. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.track.remove(this);
  }

  onKnown(): void {
    if (!this.#over) this.known();
  }

  onGroup(): void {
    this.came();
  }

  onDatagram(): void {
    this.came();
  }

  onEnd(end: TrackEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.ended(end);
  }
}
