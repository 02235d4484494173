/**
 * A rendition as CMAF (draft-ietf-moq-cmsf): made from its track in hang's container, and only while somebody reads it.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { sleep } from "../../base/sleep.ts";
import { GroupCut, type GroupReader } from "../../client/frames.ts";
import type { GroupProducer, TrackProducer } from "../../client/publish.ts";
import { TrackFailed } from "../../client/subscription.ts";
import { FrameOpener } from "../hang/frame_opener.ts";
import { FragmentMuxer } from "../mp4/fragment_muxer.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

export interface CmafTrackOptions {
  readonly rendition: Rendition;
  /** The rendition in hang's container. */
  readonly source: TrackProducer;
  /** Gets the fragments. Nobody else writes it. */
  readonly track: TrackProducer;
}

/** Sound of so much time shares a group. Each group has a stream, and players do not put fragments of two streams in order. */
const SOUND_GROUP_US = 1_000_000;
/**
 * A group begins no sooner after the last fragment of the one before, for the same reason. Where frames come one by one it is
 * less than the time between two of them; it counts where they come in heaps.
 */
const APART_MS = 30;

/**
 * Every frame becomes one fragment (`moof` and `mdat`). Groups of a picture are those of its source, with their numbers, so each
 * begins with a keyframe. The first reader gets the newest group from its start. A picture is written when the next one is
 * here: only then its length is known, and a player stops at a gap.
 */
export class CmafTrack {
  readonly track: TrackProducer;
  readonly #rendition: Rendition;
  readonly #source: TrackProducer;
  /** Set while it is being made. */
  #making: AbortController | undefined;
  #closed = false;

  constructor({ rendition, source, track }: CmafTrackOptions) {
    this.track = track;
    this.#rendition = rendition;
    this.#source = source;
    track.onsubscribed = (any) => any ? this.#begin() : this.#rest();
  }

  /** The source has ended: the track ends when all of it is written. */
  close(): void {
    this.#closed = true;
    if (this.#making === undefined) this.track.close();
  }

  /** Ends the track with what is written; the source goes on. */
  stop(): void {
    this.#making?.abort();
    this.close();
  }

  #begin(): void {
    if (this.#making !== undefined || this.#closed) return;
    const making = this.#making = new AbortController();
    this.#make(making.signal).catch((error) => this.track.abort(reasonOf(error))).finally(() => {
      if (this.#making === making) this.#making = undefined;
      if (this.#closed && this.#making === undefined) this.track.close();
    });
  }

  /** The last reader has left. The next one is to begin with what is new then. */
  #rest(): void {
    if (this.#closed) return;
    this.#making?.abort();
    this.#making = undefined;
    this.track.forget();
  }

  async #make(signal: AbortSignal): Promise<void> {
    const writing = new Writing(this.#rendition, this.track);
    const reading = this.#source.subscribe({ signal });
    try {
      for (let group; (group = await nextOf(reading, signal)) !== undefined;) {
        await writing.take(group, signal);
      }
      if (!signal.aborted) this.close(); // the source has ended
    } finally {
      reading.close();
      writing.end();
    }
  }
}

/** Writes fragments: of a picture one frame behind. */
class Writing {
  readonly #rendition: Rendition;
  readonly #opener: FrameOpener;
  readonly #muxer: FragmentMuxer;
  readonly #track: TrackProducer;
  #group: GroupProducer | undefined;
  #startUs = 0;
  #wroteAtMs = -Infinity;
  #held: { readonly frame: MediaFrame; readonly group: GroupProducer } | undefined;

  constructor(rendition: Rendition, track: TrackProducer) {
    this.#rendition = rendition;
    this.#opener = new FrameOpener(rendition);
    this.#muxer = new FragmentMuxer([rendition]);
    this.#track = track;
  }

  /** Takes a group to its end. What follows a cut is left out until the next group. */
  async take(group: GroupReader, signal: AbortSignal): Promise<void> {
    try {
      for (let index = group.startFrame;; index++) {
        const frame = await group.frame({ signal });
        if (frame === undefined) break;
        for (const one of this.#opener.open(frame.payload, group.sequence, index) ?? []) {
          await this.#frame(one, signal);
        }
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof GroupCut)) throw error;
    } finally {
      group.close();
    }
  }

  end(): void {
    this.#release(undefined);
    this.#group?.close();
    this.#group = undefined;
  }

  async #frame(frame: MediaFrame, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#release(frame.timestampUs);
    if (!this.#goesOn(frame)) {
      this.#group?.close();
      this.#group = undefined;
      const apartMs = this.#wroteAtMs + APART_MS - systemClock.now();
      if (apartMs > 0) await sleep(apartMs, signal);
      if (signal.aborted) return;
    }
    const group = this.#groupOf(frame);
    this.#held = { frame, group };
    if (this.#rendition.kind === "audio") this.#release(undefined);
  }

  /** Whether a frame belongs to the group that is open. */
  #goesOn({ group, timestampUs }: MediaFrame): boolean {
    if (this.#group === undefined) return false;
    if (this.#rendition.kind === "video") return this.#group.sequence === group;
    const sinceUs = timestampUs - this.#startUs;
    return sinceUs >= 0 && sinceUs < SOUND_GROUP_US;
  }

  #groupOf({ group, timestampUs }: MediaFrame): GroupProducer {
    if (this.#group !== undefined) return this.#group;
    this.#startUs = timestampUs;
    // Numbers of sound begin with that of the source, and then go up by one: nothing is missing between them.
    const next = this.#rendition.kind === "audio" && this.#track.nextGroup || group;
    return this.#group = this.#track.group(next);
  }

  #release(nextTimestampUs: number | undefined): void {
    if (this.#held === undefined) return;
    const { frame, group } = this.#held;
    this.#held = undefined;
    const fragment = this.#muxer.fragment(this.#rendition.name, [frame], nextTimestampUs);
    group.write(fragment, frame.timestampUs);
    this.#wroteAtMs = systemClock.now();
  }
}

async function nextOf(
  reading: { group(options: { signal: AbortSignal }): Promise<GroupReader | undefined> },
  signal: AbortSignal,
): Promise<GroupReader | undefined> {
  try {
    return await reading.group({ signal });
  } catch (error) {
    if (signal.aborted || error instanceof TrackFailed) return undefined;
    throw error;
  }
}
