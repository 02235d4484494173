import { buildCatalog, CATALOG_TRACK, type HangCatalog, nameTracks } from "./catalog.ts";
import { encodeLegacyFrame } from "./legacy_frame.ts";
import type { InitEvent, MediaEvent, MediaTrack, SampleEvent } from "./media_track.ts";

/** One frame to publish. Groups of a track count up from 0; a new number ends the group before. */
export interface HangRecord {
  readonly track: string;
  readonly group: number;
  /** True for the first frame of a group. */
  readonly keyframe: boolean;
  /** True when nothing more follows in this group: finish its stream at once. */
  readonly endsGroup: boolean;
  /** Presentation time in microseconds, never negative: the frame's timestamp in moq-lite-05 and later. */
  readonly timestampUs: number;
  /** The frame's bytes, owned by the receiver. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

export interface HangBroadcastOptions {
  /**
   * How much media is watched before the catalog is published, to learn frame rate and jitter, in
   * milliseconds of media. Tracks that appear later are added by an update.
   */
  readonly catalogAfterMs?: number;
  /** Audio frames share a group for so long; 0, the default, gives each its own. */
  readonly audioGroupMs?: number;
}

/** A track while it runs; times in microseconds. */
interface Running {
  readonly name: string;
  readonly track: MediaTrack;
  group: number;
  groupStartUs: number;
  firstDecodeUs: number | undefined;
  lastDecodeUs: number;
  frameUs: number;
  fragmentUs: number;
  minOffsetUs: number;
  maxOffsetUs: number;
  published: boolean;
}

/**
 * Turns the events of a splitter into the frames of a hang broadcast. Pure: no clock, no I/O.
 *
 * A video group is a keyframe and what depends on it; an audio frame is a group of its own, so that
 * one lost packet costs one frame. Timestamps keep the file's own axis, which all tracks share. It is
 * moved only when it begins below zero (the priming of an audio encoder), by the first frame's time.
 */
export class HangBroadcast {
  readonly #catalogAfterUs: number;
  readonly #audioGroupUs: number;
  readonly #tracks = new Map<number, Running>();
  #offsetUs: number | undefined;
  #catalogGroup = 0;
  #catalog: HangCatalog | undefined;

  constructor(options: HangBroadcastOptions = {}) {
    this.#catalogAfterUs = (options.catalogAfterMs ?? 200) * 1000;
    this.#audioGroupUs = (options.audioGroupMs ?? 0) * 1000;
  }

  /** The catalog as published last; absent until then. */
  get catalog(): HangCatalog | undefined {
    return this.#catalog;
  }

  /** Takes one event, in the splitter's order, and returns the frames to publish, in order. */
  take(event: MediaEvent): HangRecord[] {
    if (event.type === "init") {
      this.#start(event);
      return [];
    }
    const running = this.#tracks.get(event.trackId);
    if (!running) return [];
    this.#measure(running, event);
    const media = this.#media(running, event);
    const catalog = this.#catalogIsDue(running) ? [this.#publishCatalog()] : [];
    return [...catalog, ...media];
  }

  /** The input is over: publishes the catalog if the media was too short for it. */
  end(): HangRecord[] {
    const unpublished = this.#started().some((running) => !running.published);
    return unpublished ? [this.#publishCatalog()] : [];
  }

  #start(init: InitEvent): void {
    const names = nameTracks(init.tracks);
    for (const track of init.tracks) {
      this.#tracks.set(track.id, {
        name: names.get(track.id) ?? `track${track.id}`,
        track,
        group: -1,
        groupStartUs: 0,
        firstDecodeUs: undefined,
        lastDecodeUs: 0,
        frameUs: 0,
        fragmentUs: 0,
        minOffsetUs: Infinity,
        maxOffsetUs: -Infinity,
        published: false,
      });
    }
  }

  #measure(running: Running, sample: SampleEvent): void {
    if (running.published) return;
    running.firstDecodeUs ??= sample.decodeTimeUs;
    running.lastDecodeUs = sample.decodeTimeUs;
    running.frameUs = sample.durationUs;
    running.fragmentUs = Math.max(running.fragmentUs, sample.fragmentUs);
    const offsetUs = sample.timestampUs - sample.decodeTimeUs;
    running.minOffsetUs = Math.min(running.minOffsetUs, offsetUs);
    running.maxOffsetUs = Math.max(running.maxOffsetUs, offsetUs);
  }

  #media(running: Running, sample: SampleEvent): HangRecord[] {
    // An empty payload would read as a marker, not as a frame.
    if (sample.data.length === 0) return [];
    this.#offsetUs ??= Math.max(0, -sample.timestampUs);
    const shiftedUs = sample.timestampUs + this.#offsetUs;
    const audio = running.track.kind === "audio";
    if (audio && shiftedUs < 0) return [];
    const timestampUs = Math.max(0, shiftedUs);

    const opens = running.group < 0 || !audio
      ? sample.keyframe
      : this.#audioGroupUs === 0 || timestampUs >= running.groupStartUs + this.#audioGroupUs;
    if (opens) {
      running.group++;
      running.groupStartUs = timestampUs;
    }
    // Nothing can be decoded before the first keyframe.
    if (running.group < 0) return [];
    return [{
      track: running.name,
      group: running.group,
      keyframe: opens,
      endsGroup: audio && this.#audioGroupUs === 0,
      timestampUs,
      payload: encodeLegacyFrame(timestampUs, sample.data),
    }];
  }

  #catalogIsDue(running: Running): boolean {
    if (running.published) return false;
    const afterUs = this.#catalogAfterUs;
    // A track that stays silent holds the catalog up for a second past the current fragment, no longer.
    if (elapsedUs(running) >= running.fragmentUs + 5 * afterUs) return true;
    const started = this.#started();
    // One catalog with all tracks is better than two: a change makes players start over.
    if (!this.#catalog && started.length < this.#tracks.size) return false;
    return started.every((track) =>
      // A fragment that has several frames tells as much at once.
      track.published || elapsedUs(track) >= afterUs || track.fragmentUs >= afterUs
    );
  }

  #started(): Running[] {
    return [...this.#tracks.values()].filter((running) => running.firstDecodeUs !== undefined);
  }

  #publishCatalog(): HangRecord {
    const started = this.#started();
    for (const running of started) running.published = true;
    this.#catalog = buildCatalog(started.map(({ name, track, ...seen }) => ({
      name,
      track,
      frameUs: seen.frameUs,
      jitterUs: Math.max(seen.fragmentUs, seen.frameUs + seen.maxOffsetUs - seen.minOffsetUs),
    })));
    const latestUs = Math.max(...started.map((running) => running.lastDecodeUs));
    return {
      track: CATALOG_TRACK,
      group: this.#catalogGroup++,
      keyframe: true,
      endsGroup: true,
      timestampUs: Math.max(0, latestUs + (this.#offsetUs ?? 0)),
      payload: new TextEncoder().encode(JSON.stringify(this.#catalog)),
    };
  }
}

function elapsedUs(running: Running): number {
  return running.lastDecodeUs - (running.firstDecodeUs ?? running.lastDecodeUs);
}
