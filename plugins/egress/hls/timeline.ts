/**
 * The newest segments of one rendition, in memory.
 *
 * @module
 */
import { concat } from "../../../base/bytes.ts";
import type { Part, SegmentOutput } from "../../../media/segment/segmenter.ts";
import { mediaPlaylist, type PlaylistPart } from "../playlist.ts";
import type { Rendition } from "../../../media/rendition.ts";

/** Segments that players may still ask for after they have left the playlist. */
const SPARE = 3;
/** This many segments at the end list their parts. */
const WITH_PARTS = 3;
/** A playlist never shows fewer, however small its window. */
export const LEAST_SEGMENTS = 3;
/** A playlist shows at most this many times the segments that fill its window at the target length: a publisher may make them shorter. */
const MOST_FACTOR = 3;

interface StoredPart extends Omit<Part, "bytes"> {
  bytes: Uint8Array<ArrayBuffer>;
}

interface Segment {
  readonly sequence: number;
  readonly init: number;
  readonly discontinuity: boolean;
  readonly wallMs: number;
  readonly parts: StoredPart[];
  durationUs: number;
  /** All its parts in one piece, once the segment is whole. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
}

export interface TimelineOptions {
  readonly targetMs: number;
  readonly partMs: number;
  readonly windowMs: number;
  readonly maxBytes: number;
  /** Number of the first segment. */
  readonly sequence: number;
  /** Converts a time of the broadcast to milliseconds since 1970. */
  wallMsOf(timestampUs: number): number;
  /** Called when there is something new to ask for. */
  onchange(): void;
}

export class Timeline implements SegmentOutput {
  rendition: Rendition;
  ended = false;
  readonly #options: TimelineOptions;
  readonly #inits = new Map<number, Uint8Array<ArrayBuffer>>();
  /** Oldest first. The first `#left` of them are no longer in the playlist. */
  readonly #segments: Segment[] = [];
  #left = 0;
  #open: Segment | undefined;
  #next: number;
  #init = -1;
  #discontinuity = false;
  #discontinuitiesLeft = 0;
  #longestUs: number;

  constructor(rendition: Rendition, options: TimelineOptions) {
    this.rendition = rendition;
    this.#options = options;
    this.#next = options.sequence;
    this.#longestUs = options.targetMs * 1000;
  }

  /** Number of the segment that is being made, and how many parts it has so far. */
  get newest(): { readonly sequence: number; readonly parts: number } {
    return { sequence: this.#next, parts: this.#open?.parts.length ?? 0 };
  }

  /** Whether there is at least one whole segment. */
  get ready(): boolean {
    return this.#segments.length > 0;
  }

  /** Longest segment, in seconds. */
  get targetS(): number {
    return Math.round(this.#longestUs / 1e6) || 1;
  }

  init(bytes: Uint8Array<ArrayBuffer>): void {
    this.#discontinuity = this.#init >= 0;
    this.#inits.set(++this.#init, bytes);
  }

  part(part: Part): void {
    this.#open ??= {
      sequence: this.#next,
      init: this.#init,
      discontinuity: this.#discontinuity,
      wallMs: this.#options.wallMsOf(part.startUs),
      parts: [],
      durationUs: 0,
      bytes: undefined,
    };
    this.#discontinuity = false;
    this.#open.parts.push({ ...part });
    this.#open.durationUs += part.durationUs;
    this.#options.onchange();
  }

  endSegment(): void {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    this.#next++;
    const bytes = segment.bytes = concat(segment.parts.map((part) => part.bytes));
    let at = 0;
    for (const part of segment.parts) {
      part.bytes = bytes.subarray(at, at += part.bytes.length);
    }
    this.#segments.push(segment);
    this.#longestUs = Math.max(this.#longestUs, segment.durationUs);
    this.#trim();
    this.#options.onchange();
  }

  /** The header with that number. */
  initBytes(number: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#inits.get(number);
  }

  /** A whole segment. */
  segmentBytes(sequence: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#segments.find((segment) => segment.sequence === sequence)?.bytes;
  }

  partBytes(sequence: number, part: number): Uint8Array<ArrayBuffer> | undefined {
    const segment = this.#open?.sequence === sequence
      ? this.#open
      : this.#segments.find((segment) => segment.sequence === sequence);
    return segment?.parts[part]?.bytes;
  }

  /** Whether a segment, or a part of it, is there already or has passed. */
  has(sequence: number, part: number | undefined): boolean {
    if (sequence !== this.#next) return sequence < this.#next;
    return part !== undefined && part < (this.#open?.parts.length ?? 0);
  }

  /** Highest and mean rate, in bit/s. */
  get bitrates(): { readonly peakBitrate: number; readonly meanBitrate: number } {
    let [bits, us, peak] = [0, 0, this.rendition.bitrate ?? 0];
    for (const { bytes, durationUs } of this.#segments) {
      if (bytes === undefined || durationUs === 0) continue;
      bits += bytes.length * 8;
      us += durationUs;
      peak = Math.max(peak, bytes.length * 8e6 / durationUs);
    }
    return { peakBitrate: peak, meanBitrate: us === 0 ? peak : bits * 1e6 / us };
  }

  /**
   * @param suffix Appended to every address: the token of the viewer.
   * @param others The other playlists, by address.
   */
  playlist(suffix: string, others: ReadonlyMap<string, Timeline>): string {
    const shown = this.#segments.slice(this.#left);
    const partsOf = ({ sequence, parts }: Segment): PlaylistPart[] =>
      parts.map(({ durationUs, independent }, i) => ({
        uri: `${sequence}.${i}.m4s${suffix}`,
        durationUs,
        independent,
      }));
    const headOf = (segment: Segment) => ({
      wallMs: segment.wallMs,
      initUri: `init${segment.init}.mp4${suffix}`,
      discontinuity: segment.discontinuity,
    });
    const { sequence, parts } = this.newest;
    return mediaPlaylist({
      targetS: this.targetS,
      sequence: shown[0]?.sequence ?? sequence,
      discontinuitySequence: this.#discontinuitiesLeft,
      segments: shown.map((segment, i) => ({
        ...headOf(segment),
        uri: `${segment.sequence}.m4s${suffix}`,
        durationUs: segment.durationUs,
        ...(i >= shown.length - WITH_PARTS && { parts: partsOf(segment) }),
      })),
      lowLatency: {
        partTargetS: this.#options.partMs / 1000,
        open: this.#open && { ...headOf(this.#open), parts: partsOf(this.#open) },
        hintUri: `${sequence}.${parts}.m4s${suffix}`,
        reports: [...others].filter(([, { newest }]) => newest.parts > 0 || newest.sequence > 0)
          .map(([uri, other]) => ({ uri: uri + suffix, ...other.#last() })),
      },
      ended: this.ended,
    });
  }

  /** The newest part there is. */
  #last(): { sequence: number; part: number } {
    const { sequence, parts } = this.newest;
    const before = this.#segments.at(-1);
    if (parts > 0 || before === undefined) return { sequence, part: Math.max(0, parts - 1) };
    return { sequence: before.sequence, part: before.parts.length - 1 };
  }

  #trim(): void {
    const { windowMs, maxBytes, targetMs } = this.#options;
    const most = LEAST_SEGMENTS + Math.ceil(windowMs * MOST_FACTOR / targetMs);
    let us = 0;
    let bytes = 0;
    for (const segment of this.#segments.slice(this.#left)) {
      us += segment.durationUs;
      bytes += segment.bytes!.length;
    }
    while (this.#segments.length - this.#left > LEAST_SEGMENTS) {
      const first = this.#segments[this.#left]!;
      const few = this.#segments.length - this.#left <= most;
      if (few && us - first.durationUs < windowMs * 1000 && bytes <= maxBytes) break;
      us -= first.durationUs;
      bytes -= first.bytes!.length;
      if (first.discontinuity) this.#discontinuitiesLeft++;
      this.#left++;
    }
    while (this.#left > SPARE) {
      this.#segments.shift();
      this.#left--;
    }
    const oldest = this.#segments[0]?.init ?? this.#init;
    for (const number of this.#inits.keys()) if (number < oldest) this.#inits.delete(number);
  }
}
