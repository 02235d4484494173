import type { Box } from "./box.ts";
import type { SampleDefaults, TrackState } from "./moov.ts";

/** A sample as its fragment announces it: all but the bytes, and where these will be. */
export interface PlannedSample {
  readonly track: TrackState;
  /** Distance from the first byte of the stream. */
  readonly position: number;
  readonly sizeBytes: number;
  readonly timestampUs: number;
  readonly decodeTimeUs: number;
  readonly durationUs: number;
  readonly fragmentUs: number;
  readonly keyframe: boolean;
}

/** More samples in one fragment are refused. */
const MAX_SAMPLES = 65_536;

export interface MoofOptions {
  /** Where the `moof` box itself begins, from the first byte of the stream. */
  readonly position: number;
  readonly tracks: ReadonlyMap<number, TrackState>;
}

interface RawSample {
  readonly position: number;
  readonly sizeBytes: number;
  readonly durationTicks: number;
  readonly offsetTicks: number;
  readonly flags: number;
}

const NON_SYNC = 0x10000;

/**
 * Reads a fragment's header (ISO 14496-12, 8.8) and moves its tracks' clocks on.
 *
 * @returns The samples in the order of their bytes.
 * @throws {MediaError} Damaged, an unknown track, or more samples than allowed.
 */
export function readMoof(moof: Box, options: MoofOptions): PlannedSample[] {
  const planned: PlannedSample[] = [];
  // The data of a traf without a base of its own begins right after that of the traf before it.
  let implicitBase = options.position;
  for (const traf of moof.children()) {
    if (traf.type !== "traf") continue;
    implicitBase = readTraf(traf, implicitBase, options, planned);
  }
  return planned.sort((a, b) => a.position - b.position);
}

function readTraf(
  traf: Box,
  implicitBase: number,
  options: MoofOptions,
  planned: PlannedSample[],
): number {
  const tfhd = traf.need("tfhd");
  const track = options.tracks.get(tfhd.u32(4));
  if (!track) throw tfhd.invalid(`track ${tfhd.u32(4)} is not in the moov`);
  const { base, defaults } = readTfhd(tfhd, track, { implicitBase, moof: options.position });
  const tfdt = traf.child("tfdt");
  const toldTicks = !tfdt ? track.nextDecodeTicks : tfdt.version === 1 ? tfdt.u64(4) : tfdt.u32(4);

  const samples: RawSample[] = [];
  let position = base;
  for (const trun of traf.children()) {
    if (trun.type !== "trun") continue;
    const room = MAX_SAMPLES - planned.length - samples.length;
    position = readTrun(trun, { base, position, defaults, room }, samples);
  }

  const lateTicks = lateBy(toldTicks, samples, track);
  if (lateTicks > 0) samples[0] = { ...samples[0]!, durationTicks: lateTicks };
  let ticks = toldTicks - lateTicks;
  const fragmentTicks = samples.reduce((sum, sample) => sum + sample.durationTicks, 0);
  const fragmentUs = toMicros(fragmentTicks, track.timescale);
  for (const sample of samples) {
    const decodeTicks = ticks + track.shiftTicks;
    planned.push({
      track,
      position: sample.position,
      sizeBytes: sample.sizeBytes,
      timestampUs: toMicros(decodeTicks + sample.offsetTicks, track.timescale),
      decodeTimeUs: toMicros(decodeTicks, track.timescale),
      durationUs: toMicros(sample.durationTicks, track.timescale),
      fragmentUs,
      keyframe: track.media?.kind === "audio" || (sample.flags & NON_SYNC) === 0,
    });
    ticks += sample.durationTicks;
  }
  if (!Number.isSafeInteger(ticks)) throw traf.invalid("its times are above 2^53");
  track.nextDecodeTicks = ticks;
  track.frameTicks = samples.at(-1)?.durationTicks || track.frameTicks;
  return position;
}

/**
 * With a fragment for each frame, ffmpeg gives some of them the time of the next one and no length. Such a frame begins where
 * the one before it ends.
 * @returns How much too late its time is; 0 for any other fragment.
 */
function lateBy(toldTicks: number, samples: readonly RawSample[], track: TrackState): number {
  const late = toldTicks - track.nextDecodeTicks;
  const odd = samples.length === 1 && samples[0]!.durationTicks === 0 && late > 0;
  return odd && late <= 2 * track.frameTicks ? late : 0;
}

function readTfhd(
  tfhd: Box,
  track: TrackState,
  at: { readonly implicitBase: number; readonly moof: number },
): { base: number; defaults: SampleDefaults } {
  const flags = tfhd.flags;
  let next = 8;
  const field = (flag: number, otherwise: number): number => {
    if (!(flags & flag)) return otherwise;
    next += 4;
    return tfhd.u32(next - 4);
  };
  let base = flags & 0x020000 ? at.moof : at.implicitBase;
  if (flags & 0x01) {
    base = tfhd.u64(next);
    next += 8;
  }
  field(0x02, 0); // sample description index: one entry per track is all that is read
  const durationTicks = field(0x08, track.defaults.durationTicks);
  const sizeBytes = field(0x10, track.defaults.sizeBytes);
  return { base, defaults: { durationTicks, sizeBytes, flags: field(0x20, track.defaults.flags) } };
}

interface RunContext {
  readonly base: number;
  /** Where the data of the run begins, unless the run says otherwise. */
  readonly position: number;
  readonly defaults: SampleDefaults;
  readonly room: number;
}

function readTrun(trun: Box, run: RunContext, samples: RawSample[]): number {
  const flags = trun.flags;
  const count = trun.u32(4);
  if (count > run.room) throw trun.invalid(`${count} samples are too many for one fragment`);
  let at = 8;
  let position = run.position;
  if (flags & 0x01) {
    position = run.base + trun.i32(at);
    at += 4;
  }
  let firstFlags: number | undefined;
  if (flags & 0x04) {
    firstFlags = trun.u32(at);
    at += 4;
  }
  for (let i = 0; i < count; i++) {
    const field = (flag: number, otherwise: number): number => {
      if (!(flags & flag)) return otherwise;
      at += 4;
      return trun.u32(at - 4);
    };
    const durationTicks = field(0x100, run.defaults.durationTicks);
    const sizeBytes = field(0x200, run.defaults.sizeBytes);
    const own = field(0x400, i === 0 && firstFlags !== undefined ? firstFlags : run.defaults.flags);
    // Version 0 calls the offset unsigned, but writers put negative ones there too.
    const offsetTicks = field(0x800, 0) | 0;
    samples.push({ position, sizeBytes, durationTicks, offsetTicks, flags: own });
    position += sizeBytes;
  }
  return position;
}

/** Ticks as microseconds, exact for any date. In two steps: ticks times a million is too large for a number. */
function toMicros(ticks: number, timescale: number): number {
  const seconds = Math.floor(ticks / timescale);
  const rest = ticks - seconds * timescale;
  return seconds * 1_000_000 + Math.round(rest * 1_000_000 / timescale);
}
