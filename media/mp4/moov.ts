import { Box } from "./box.ts";
import { readSampleEntry } from "./read_sample_entry.ts";
import type { MediaTrack } from "./media_track.ts";

/** A track as the fragments need it: its defaults, its clock, and how its times are shifted. */
export interface TrackState {
  readonly id: number;
  /** Absent for a track that is left out; its bytes still have to be skipped. */
  readonly media?: MediaTrack;
  readonly ignoredBecause?: string;
  readonly timescale: number;
  /** Added to every time of the track, in ticks: comes from its edit list. */
  readonly shiftTicks: number;
  readonly defaults: SampleDefaults;
  /** Where the next fragment begins when it does not say so itself, in ticks. */
  nextDecodeTicks: number;
  /** Length of the last frame so far, in ticks. */
  frameTicks: number;
}

/** From `trex`; a fragment's `tfhd` may replace them. */
export interface SampleDefaults {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

/**
 * Reads the `moov` of a fragmented file.
 *
 * @throws {MediaError} Damaged, not fragmented, or without a track that can be carried.
 */
export function readMoov(moov: Box): Map<number, TrackState> {
  const mvex = moov.child("mvex");
  if (!mvex) {
    throw moov.invalid("the file is not fragmented; write it with -movflags cmaf or frag_keyframe");
  }
  const mvhd = moov.need("mvhd");
  const movieTimescale = mvhd.u32(mvhd.version === 1 ? 20 : 12);
  const defaults = new Map<number, SampleDefaults>();
  for (const trex of mvex.children()) {
    if (trex.type !== "trex") continue;
    defaults.set(trex.u32(4), {
      durationTicks: trex.u32(12),
      sizeBytes: trex.u32(16),
      flags: trex.u32(20),
    });
  }
  const tracks = new Map<number, TrackState>();
  for (const trak of moov.children()) {
    if (trak.type !== "trak") continue;
    const track = readTrack(trak, movieTimescale, defaults);
    if (tracks.has(track.id)) throw moov.invalid(`track ${track.id} occurs twice`);
    tracks.set(track.id, track);
  }
  if (![...tracks.values()].some((track) => track.media)) {
    throw moov.invalid("it has no video or audio track of a known codec");
  }
  return tracks;
}

function readTrack(
  trak: Box,
  movieTimescale: number,
  defaults: ReadonlyMap<number, SampleDefaults>,
): TrackState {
  const tkhd = trak.need("tkhd");
  const id = tkhd.u32(tkhd.version === 1 ? 20 : 12);
  const mdia = trak.need("mdia");
  const mdhd = mdia.need("mdhd");
  const timescale = mdhd.u32(mdhd.version === 1 ? 20 : 12);
  if (timescale === 0) throw mdhd.invalid("its timescale is 0");
  const handler = mdia.need("hdlr").fourcc(8);
  const common = {
    id,
    timescale,
    shiftTicks: readEdits(trak, timescale, movieTimescale),
    defaults: defaults.get(id) ?? { durationTicks: 0, sizeBytes: 0, flags: 0 },
    nextDecodeTicks: 0,
    frameTicks: 0,
  };
  if (handler !== "vide" && handler !== "soun") {
    return { ...common, ignoredBecause: `a "${handler}" track is neither video nor audio` };
  }
  const entries = mdia.need("minf").need("stbl").need("stsd").children(8);
  const entry = entries[0];
  if (!entry) return { ...common, ignoredBecause: "it names no codec" };
  const codec = readSampleEntry(entry);
  if (!codec) return { ...common, ignoredBecause: `the codec "${entry.type}" is not supported` };
  return { ...common, media: { id, timescale, ...codec } };
}

/** The shift an edit list asks for: a pause at the start, and where in the media the start lies. */
function readEdits(trak: Box, timescale: number, movieTimescale: number): number {
  const elst = trak.child("edts")?.child("elst");
  if (!elst) return 0;
  const wide = elst.version === 1;
  const entryBytes = wide ? 20 : 12;
  let pause = 0;
  for (let i = 0, at = 8; i < elst.u32(4); i++, at += entryBytes) {
    const duration = wide ? elst.u64(at) : elst.u32(at);
    const mediaTime = wide ? elst.i64(at + 8) : elst.i32(at + 4);
    if (mediaTime >= 0) return pause - mediaTime;
    if (movieTimescale > 0) pause += Math.round(duration * timescale / movieTimescale);
  }
  return pause;
}
