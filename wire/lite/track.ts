/**
 * TRACK, FETCH, GROUP, PROBE, GOAWAY. Spec: draft-lcurley-moq-lite-03 … -06.
 *
 * @module
 */
import {
  absent,
  checked,
  type Decoded,
  type Field,
  MAX_URI_BYTES,
  message,
  optional,
  u8,
  uri,
  varint,
} from "../message.ts";
import { ignoredByte, path, rootedPath, timescale, trackName } from "./fields.ts";

/** TRACK (05+): asks for a track's properties. Each request is answered with one TRACK_INFO. */
export const TrackRequest = message("TRACK", {
  broadcast: path,
  track: trackName,
});

/**
 * TRACK_INFO: `maxAgeMs` is how long a group that is not the newest may be kept; `timescale` is timestamp units per
 * second, never 0.
 */
export const TrackInfo5 = message("TRACK_INFO", {
  priority: u8,
  ordered: ignoredByte,
  maxAgeMs: varint,
  timescale,
});
export const TrackInfo6 = message("TRACK_INFO", {
  priority: u8,
  ordered: absent<undefined>(undefined),
  maxAgeMs: varint,
  timescale,
});

const group = (broadcast: Field<string>) => ({
  broadcast,
  track: trackName,
  priority: u8,
  group: varint,
});
/** Before 06 a fetch is for all frames of the group. */
const wholeGroup = {
  startFrame: absent(0 as number),
  endFrame: absent<number | undefined>(undefined),
};

/** FETCH: asks for one group. The answer is its frames without a group head, then FIN. In 04 gomoqt alone has it. */
export const Fetch4 = message("FETCH", {
  ...group(rootedPath),
  ...wholeGroup,
});
export const Fetch5 = message("FETCH", { ...group(path), ...wholeGroup });
export const Fetch6 = checked(
  message("FETCH", {
    ...group(path),
    startFrame: varint,
    endFrame: optional,
  }),
  ({ startFrame, endFrame }) =>
    endFrame !== undefined && endFrame < startFrame
      ? `last frame ${endFrame} before first frame ${startFrame}`
      : undefined,
);
export type Fetch = Decoded<typeof Fetch6>;

/** Most bytes of GROUP: three numbers, and room for more. */
const MAX_GROUP_HEAD_BYTES = 64;
/** Before 06 a group stream begins with frame 0. A receiver takes the first frame for that one. */
const frameZero: Field<number> = {
  write: (_, v) => {
    if (v !== 0) {
      throw new RangeError(`Cannot begin a group at frame ${v}: this version has no such group`);
    }
  },
  read: () => 0,
};

/** GROUP: the head of every group stream. `startFrame` is the index of its first frame. */
export const Group1 = message("GROUP", {
  subscribe: varint,
  sequence: varint,
  startFrame: frameZero,
}, MAX_GROUP_HEAD_BYTES);
export const Group6 = message("GROUP", {
  subscribe: varint,
  sequence: varint,
  startFrame: varint,
}, MAX_GROUP_HEAD_BYTES);

/** PROBE: bits per second and milliseconds, 0 where unknown. */
export const Probe3 = message("PROBE", {
  bitrate: varint,
  rttMs: absent(0 as number),
});
export const Probe4 = message("PROBE", { bitrate: varint, rttMs: varint });

/** GOAWAY (04+): go to `uri`; empty means come back to the same place. */
export const Goaway = message("GOAWAY", { uri }, MAX_URI_BYTES + 8);
