import { CATALOG_TRACK } from "./catalog.ts";
import { encodeLegacyFrame } from "./legacy_frame.ts";
import { catalogText } from "./write_catalog.ts";
import { isDamaged } from "../codec/nal_lengths.ts";
import type { Rendition } from "../rendition.ts";
import type { InitEvent, MediaEvent, MediaTrack, SampleEvent } from "../mp4/media_track.ts";

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
  /** What a catalog describes; absent with media. */
  readonly renditions?: readonly Rendition[];
}

/**
 * So much media is watched before the catalog is published, to learn frame rate and jitter. Tracks that appear later are added by
 * an update.
 */
const CATALOG_AFTER_US = 200_000;

export interface HangBroadcastOptions {
  /** Audio frames of this length share a group; 0, the default, gives each frame its own. */
  readonly audioGroupMs?: number;
  /** Number of the first group of every track. Default 0. */
  readonly firstGroup?: number;
}

/** How a new stream joins the one before it. */
export interface Continuation {
  /** The first frame gets this time or a later one, in microseconds on the time axis of the broadcast. */
  readonly notBeforeUs: number;
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
  /** Frames are left out until one can be decoded by itself. */
  awaitsKeyframe: boolean;
}

/**
 * Turns the events of a splitter into the frames of a hang broadcast. Pure: no clock, no I/O.
 *
 * A video group is a keyframe and what depends on it; an audio frame is a group of its own, so that
 * one lost packet costs one frame. Timestamps keep the file's own axis, which all tracks share. It is
 * moved only when it begins below zero (the priming of an audio encoder), by the first frame's time.
 *
 * Another `init` begins the next stream of the same broadcast. Its group numbers continue, its times begin where
 * {@link continueAt} says, and a track with another codec gets another name. After damage a track goes on at a keyframe.
 */
export class HangBroadcast {
  readonly #audioGroupUs: number;
  #tracks = new Map<number, Running>();
  /** Every track so far, by name; where streams share a name, the newest. */
  readonly #named = new Map<string, Running>();
  #offsetUs: number | undefined;
  #notBeforeUs = 0;
  #endUs = 0;
  /** Samples that were left out: they are damaged, or depend on one that is. */
  skipped = 0;
  readonly #firstGroup: number;
  #catalogGroup: number;
  /** What was published last. */
  #catalog: string | undefined;

  constructor(options: HangBroadcastOptions = {}) {
    this.#audioGroupUs = (options.audioGroupMs ?? 0) * 1000;
    this.#firstGroup = this.#catalogGroup = options.firstGroup ?? 0;
  }

  /** End of the media so far on the time axis of the broadcast, in microseconds. */
  get endUs(): number {
    return this.#endUs;
  }

  /** Says where the next stream begins; to be called before its `init`. Default: right after the last frame. */
  continueAt({ notBeforeUs }: Continuation): void {
    this.#notBeforeUs = notBeforeUs;
  }

  /** Publishes the catalog again, even if it has not changed: the broadcast is announced again. */
  forgetCatalog(): void {
    this.#catalog = undefined;
  }

  /** Takes the next event of the splitter. @returns The frames to publish, in order. */
  take(event: MediaEvent): HangRecord[] {
    if (event.type === "init") {
      this.#start(event);
      return [];
    }
    if (event.type === "damage") {
      this.skipped++;
      for (const running of this.#tracks.values()) running.awaitsKeyframe = true;
      return [];
    }
    const running = this.#tracks.get(event.trackId);
    if (!running) return [];
    this.#measure(running, event);
    const media = this.#media(running, event);
    const catalog = this.#catalogIsDue(running) ? this.#publishCatalog() : [];
    return [...catalog, ...media];
  }

  /** The input is over: publishes the catalog if the media was too short for it. */
  end(): HangRecord[] {
    const unpublished = this.#started().some((running) => !running.published);
    return unpublished ? this.#publishCatalog() : [];
  }

  #start(init: InitEvent): void {
    const resumes = this.#tracks.size > 0;
    if (resumes) {
      this.#offsetUs = undefined;
      this.#notBeforeUs = Math.max(this.#notBeforeUs, this.#endUs);
    }
    this.#tracks = new Map();
    const taken = new Set<string>();
    for (const track of init.tracks) {
      const name = this.#nameOf(track, taken);
      taken.add(name);
      const running = {
        name,
        track,
        group: this.#named.get(name)?.group ?? this.#firstGroup - 1,
        groupStartUs: 0,
        firstDecodeUs: undefined,
        lastDecodeUs: 0,
        frameUs: 0,
        fragmentUs: 0,
        minOffsetUs: Infinity,
        maxOffsetUs: -Infinity,
        published: false,
        awaitsKeyframe: true,
      };
      this.#tracks.set(track.id, running);
      this.#named.set(name, running);
    }
  }

  /** The first free name of its kind that was not used for media of another kind: `video0`, `audio0`, `audio1` … */
  #nameOf(track: MediaTrack, taken: ReadonlySet<string>): string {
    for (let i = 0;; i++) {
      const name = `${track.kind}${i}`;
      const before = this.#named.get(name)?.track;
      if (!taken.has(name) && (before === undefined || decodesAlike(before, track))) return name;
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
    const audio = running.track.kind === "audio";
    if (isDamaged(running.track, sample.data)) {
      this.skipped++;
      running.awaitsKeyframe = true;
      return [];
    }
    if (running.awaitsKeyframe && !sample.keyframe) {
      // Before the first group nothing is missing: the input was joined in the middle.
      if (running.group >= this.#firstGroup) this.skipped++;
      return [];
    }
    this.#offsetUs ??= this.#notBeforeUs > 0
      ? this.#notBeforeUs - sample.timestampUs
      : Math.max(0, -sample.timestampUs);
    const shiftedUs = sample.timestampUs + this.#offsetUs;
    if (audio && shiftedUs < this.#notBeforeUs) return [];
    const timestampUs = Math.max(this.#notBeforeUs, shiftedUs);
    this.#endUs = Math.max(this.#endUs, timestampUs + sample.durationUs);

    const opens = running.awaitsKeyframe || !audio
      ? sample.keyframe
      : this.#audioGroupUs === 0 || timestampUs >= running.groupStartUs + this.#audioGroupUs;
    running.awaitsKeyframe = false;
    if (opens) {
      running.group++;
      running.groupStartUs = timestampUs;
    }
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
    // A silent track delays the catalog by a second after the current fragment, no longer.
    if (elapsedUs(running) >= running.fragmentUs + 5 * CATALOG_AFTER_US) return true;
    const started = this.#started();
    // One catalog with all tracks is better than two: a change makes players start over.
    if (!this.#catalog && started.length < this.#tracks.size) return false;
    return started.every((track) =>
      // A fragment that has several frames tells as much at once.
      track.published || elapsedUs(track) >= CATALOG_AFTER_US ||
      track.fragmentUs >= CATALOG_AFTER_US
    );
  }

  #started(): Running[] {
    return [...this.#tracks.values()].filter((running) => running.firstDecodeUs !== undefined);
  }

  #publishCatalog(): HangRecord[] {
    const started = this.#started();
    for (const running of started) running.published = true;
    const renditions = started.map(renditionOf);
    const text = catalogText(renditions);
    // Publishing it again unchanged would make players start over.
    if (text === this.#catalog) return [];
    this.#catalog = text;
    const latestUs = Math.max(...started.map((running) => running.lastDecodeUs));
    return [{
      track: CATALOG_TRACK,
      group: this.#catalogGroup++,
      keyframe: true,
      endsGroup: true,
      timestampUs: Math.max(0, latestUs + (this.#offsetUs ?? 0)),
      payload: new TextEncoder().encode(text),
      renditions,
    }];
  }
}

/** A track as a rendition, with the frame rate and jitter that were measured. */
function renditionOf({ name, track, ...seen }: Running): Rendition {
  const { id: _, timescale: __, ...described } = track;
  const { frameUs } = seen;
  const jitterUs = Math.max(seen.fragmentUs, frameUs + seen.maxOffsetUs - seen.minOffsetUs);
  const framerate = track.kind === "video" && frameUs > 0 && {
    framerate: Math.round(1e9 / frameUs) / 1000,
  };
  const jitter = jitterUs > 0 && { jitterMs: Math.ceil(jitterUs / 1000) };
  return { ...described, name, container: "legacy", ...framerate, ...jitter };
}

/** Whether a decoder that is set up for one can go on with the other. */
function decodesAlike(one: MediaTrack, other: MediaTrack): boolean {
  const fields = (track: MediaTrack) =>
    track.kind === "video"
      ? [track.codec, track.width, track.height, track.description]
      : [track.codec, track.sampleRateHz, track.channels, track.description];
  return one.kind === other.kind && String(fields(one)) === String(fields(other));
}

function elapsedUs(running: Running): number {
  return running.lastDecodeUs - (running.firstDecodeUs ?? running.lastDecodeUs);
}
