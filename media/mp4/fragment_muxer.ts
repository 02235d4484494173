/**
 * Frames to fragmented MP4 (CMAF): for ffmpeg's input, for recordings and for HLS.
 *
 * @module
 */
import { describe, lengthPrefixed, MAX_HEADER_BYTES, splitAnnexB } from "../codec/annexb.ts";
import { concat } from "../../base/bytes.ts";
import { withoutAdts } from "../codec/aac.ts";
import { familyOf, hasNalUnits, isAdts, isAnnexB } from "../codec/family.ts";
import { DecodeClock } from "./decode_clock.ts";
import { MediaError } from "../media_error.ts";
import { box, fullBox, u16, u32, u64, zeros } from "./mp4_writer.ts";
import { sampleEntry } from "./write_sample_entry.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

/** Ticks per second of video; of audio it is the sampling rate. */
const VIDEO_TIMESCALE = 90_000;
/** Length of a frame while it is not known. */
const FRAME_SECONDS = { video: 1 / 30, audio: 0.02 } as const;
/** A longer gap is not taken for the length of a frame. */
const MAX_FRAME_SECONDS = 1;
/** Frames of one time are written this far apart: players round to milliseconds, and drop what begins where another does. */
const LEAST_FRAME_SECONDS = 0.002;
/** Flags of a sample (ISO 14496-12, 8.8.3.1): one that needs no other, one that does. */
const SYNC = 0x02000000;
const NON_SYNC = 0x01010000;

interface MuxTrack {
  readonly id: number;
  rendition: Rendition;
  readonly timescale: number;
  /** Absent where decode order is presentation order. */
  readonly clock: DecodeClock | undefined;
  /** Frames come with start codes, which the MP4 must not have. */
  readonly annexB: boolean;
  /** Frames may come with ADTS headers, which the MP4 must not have. */
  readonly adts: boolean;
  lastDecodeTicks: number | undefined;
  frameTicks: number;
}

/** A frame on its way into a fragment. */
interface Sample {
  readonly decodeTicks: number;
  readonly offsetTicks: number;
  readonly durationTicks: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

/** The fields of a frame that are used. */
export type MuxFrame = Pick<
  MediaFrame,
  "timestampUs" | "keyframe" | "payload" | "decodeTimeUs" | "durationUs"
>;

/** Writes one fragmented MP4 of one or more renditions. Track ids are 1, 2 … in their order. */
export class FragmentMuxer {
  readonly #tracks = new Map<string, MuxTrack>();
  #sequence = 0;

  /** @throws {MediaError} A codec has no place in an MP4. */
  constructor(renditions: readonly Rendition[]) {
    for (const [i, rendition] of renditions.entries()) {
      const annexB = isAnnexB(rendition);
      if (!annexB) sampleEntry(rendition); // refuse now what cannot be written later
      const timescale = rendition.kind === "video" ? VIDEO_TIMESCALE : rendition.sampleRateHz;
      this.#tracks.set(rendition.name, {
        id: i + 1,
        rendition,
        timescale,
        clock: hasNalUnits(rendition.codec) ? new DecodeClock(depthOf(rendition)) : undefined,
        annexB,
        adts: isAdts(rendition),
        lastDecodeTicks: undefined,
        frameTicks: frameSecondsOf(rendition) * timescale,
      });
    }
    if (this.#tracks.size === 0) throw new MediaError("Cannot write MP4: there is no track");
  }

  /** Whether {@link init} can be called: H.264 and H.265 in Annex B need {@link learn} first. */
  get ready(): boolean {
    return [...this.#tracks.values()].every((t) => !t.annexB || t.rendition.description);
  }

  /** Reads the parameter sets from a keyframe if the catalog does not have them. */
  learn(name: string, frame: MuxFrame): void {
    const track = this.#track(name);
    if (!track.annexB || track.rendition.description || !frame.keyframe) return;
    const head = frame.payload.subarray(0, MAX_HEADER_BYTES);
    const description = describe(track.rendition.codec, splitAnnexB(head));
    if (description !== undefined) track.rendition = { ...track.rendition, description };
  }

  /** The header: `ftyp` and `moov`. @throws {MediaError} It is not {@link ready}. */
  init(): Uint8Array<ArrayBuffer> {
    const tracks = [...this.#tracks.values()];
    const moov = box(
      "moov",
      fullBox(
        "mvhd",
        0,
        0,
        zeros(8),
        u32(1000, 0, 0x10000),
        u16(0x100, 0),
        zeros(8),
        MATRIX,
        zeros(24),
        u32(tracks.length + 1),
      ),
      ...tracks.map(trak),
      box("mvex", ...tracks.map(({ id }) => fullBox("trex", 0, 0, u32(id, 1, 0, 0, 0)))),
    );
    const ftyp = box("ftyp", "iso6", u32(0), "iso6", "cmfc", "mp41");
    return concat([ftyp, moov]);
  }

  /**
   * One `moof` and `mdat` with frames of one track, in decode order.
   * @param nextTimestampUs Presentation time of the next frame, if known: it gives the last frame its length.
   */
  fragment(
    name: string,
    frames: readonly MuxFrame[],
    nextTimestampUs?: number,
  ): Uint8Array<ArrayBuffer> {
    const track = this.#track(name);
    const samples = this.#samples(track, frames, nextTimestampUs);
    const data = samples.map((sample) => sample.data);
    const bytes = data.reduce((sum, { length }) => sum + length, 8);
    return concat([moof(++this.#sequence, track.id, samples), u32(bytes), MDAT, ...data]);
  }

  #samples(track: MuxTrack, frames: readonly MuxFrame[], nextUs: number | undefined): Sample[] {
    const ticks = (us: number) => Math.round(us * track.timescale / 1e6);
    const leastTicks = Math.ceil(LEAST_FRAME_SECONDS * track.timescale);
    const audio = track.rendition.kind === "audio";
    const timed = frames.map((frame) => {
      const shown = ticks(frame.timestampUs);
      const decoded = frame.decodeTimeUs !== undefined
        ? ticks(frame.decodeTimeUs)
        : track.clock?.next(shown, Math.round(track.frameTicks)) ?? shown;
      // Times below zero cannot be written: a first frame that is shown after others is decoded at zero.
      const decodeTicks = Math.max(0, (track.lastDecodeTicks ?? -leastTicks) + leastTicks, decoded);
      const passed = decodeTicks - (track.lastDecodeTicks ?? decodeTicks);
      if (passed > 0 && passed < MAX_FRAME_SECONDS * track.timescale) track.frameTicks = passed;
      track.lastDecodeTicks = decodeTicks;
      const offsetTicks = audio ? 0 : shown - decodeTicks;
      return { frame, decodeTicks, offsetTicks };
    });
    const after = nextUs === undefined ? undefined : ticks(nextUs);
    const behind = track.clock === undefined ? after : track.clock.upcoming(after);
    return timed.map(({ frame, decodeTicks, offsetTicks }, i) => {
      const { durationUs, keyframe } = frame;
      const told = durationUs === undefined ? undefined : ticks(durationUs);
      const next = timed[i + 1]?.decodeTicks ?? (told === undefined ? behind : undefined);
      const durationTicks = next !== undefined && next > decodeTicks
        ? next - decodeTicks
        : told ?? Math.round(track.frameTicks);
      return { decodeTicks, offsetTicks, durationTicks, keyframe, data: dataOf(track, frame) };
    });
  }

  #track(name: string): MuxTrack {
    const track = this.#tracks.get(name);
    if (track === undefined) throw new RangeError(`There is no track ${name} in this MP4`);
    return track;
  }
}

/** How many frames are shown before an earlier one: the catalog tells it as a jitter longer than a frame. */
export function depthOf(rendition: Rendition): number {
  const frameMs = frameSecondsOf(rendition) * 1000;
  const frames = Math.round((rendition.jitterMs ?? 0) / frameMs) - 1;
  return Math.min(2, Math.max(0, frames));
}

/** Length of a frame according to the catalog, in seconds. */
export function frameSecondsOf(rendition: Rendition): number {
  if (rendition.kind === "video") {
    return rendition.framerate ? 1 / rendition.framerate : FRAME_SECONDS.video;
  }
  return familyOf(rendition.codec) === "AAC" ? 1024 / rendition.sampleRateHz : FRAME_SECONDS.audio;
}

function dataOf(track: MuxTrack, { payload }: MuxFrame): Uint8Array {
  if (track.annexB) return lengthPrefixed(splitAnnexB(payload));
  return track.adts ? withoutAdts(payload) : payload;
}

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

function trak({ id, rendition, timescale }: MuxTrack): Uint8Array {
  const video = rendition.kind === "video";
  const [width, height] = video ? [rendition.width ?? 0, rendition.height ?? 0] : [0, 0];
  const volume = video ? 0 : 0x100;
  const media = video ? fullBox("vmhd", 0, 1, zeros(8)) : fullBox("smhd", 0, 0, zeros(4));
  const handler = video ? "videVideo" : "sounSound";
  const stbl = box(
    "stbl",
    fullBox("stsd", 0, 0, u32(1), sampleEntry(rendition)),
    ...["stts", "stsc", "stco"].map((type) => fullBox(type, 0, 0, u32(0))),
    fullBox("stsz", 0, 0, u32(0, 0)),
  );
  return box(
    "trak",
    fullBox(
      "tkhd",
      0,
      3,
      zeros(8),
      u32(id, 0, 0),
      zeros(8),
      u16(0, 0, volume, 0),
      MATRIX,
      u32(width * 65536, height * 65536),
    ),
    box(
      "mdia",
      fullBox("mdhd", 0, 0, zeros(8), u32(timescale, 0), u16(0x55c4, 0)),
      fullBox("hdlr", 0, 0, zeros(4), handler.slice(0, 4), zeros(12), handler.slice(4), zeros(1)),
      box("minf", media, DINF, stbl),
    ),
  );
}

const DINF = box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1)));

const MDAT = new TextEncoder().encode("mdat");
/** The `trun` has a data offset, and for each sample its duration, size, flags and composition offset. */
const TRUN_FLAGS = 0x1 | 0x100 | 0x200 | 0x400 | 0x800;
const ROW_BYTES = 16;
/** Length of a `moof` without the rows of its `trun`. */
const MOOF_BYTES = 88;

function moof(sequence: number, id: number, samples: readonly Sample[]): Uint8Array {
  const rows = new DataView(new ArrayBuffer(ROW_BYTES * samples.length));
  for (const [i, { durationTicks, data, keyframe, offsetTicks }] of samples.entries()) {
    rows.setUint32(ROW_BYTES * i, durationTicks);
    rows.setUint32(ROW_BYTES * i + 4, data.length);
    rows.setUint32(ROW_BYTES * i + 8, keyframe ? SYNC : NON_SYNC);
    rows.setInt32(ROW_BYTES * i + 12, offsetTicks);
  }
  // After this box and the header of the `mdat`.
  const dataAt = MOOF_BYTES + rows.byteLength + 8;
  const trun = [u32(samples.length, dataAt), new Uint8Array(rows.buffer)];
  return box(
    "moof",
    fullBox("mfhd", 0, 0, u32(sequence)),
    box(
      "traf",
      fullBox("tfhd", 0, 0x20000, u32(id)),
      fullBox("tfdt", 1, 0, u64(samples[0]?.decodeTicks ?? 0)),
      fullBox("trun", 1, TRUN_FLAGS, ...trun),
    ),
  );
}
