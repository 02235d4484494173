/**
 * What the core needs from outside: where a broadcast's tracks come from (here) and who reads them (`reading.ts`). Sessions
 * implement both ends; so does anything that publishes or reads inside this process.
 *
 * @module
 */
import type { GroupWriter } from "./group/group_writer.ts";
import type { SubgroupHead } from "./group/subgroup_head.ts";
import type { TrackEnd, TrackInfo, TrackRequest } from "./reading.ts";
import type { Track } from "./track.ts";

export type { Archive } from "./archive.ts";
export { DEFAULT_TRACK_INFO } from "./reading.ts";
export type { TrackEnd, TrackFailure, TrackInfo, TrackReader, TrackRequest } from "./reading.ts";

/** Where a source puts what it receives for one track. */
export interface TrackSink {
  /**
   * A stream of a group has opened.
   * @param startFrame Index of the first frame, or id of the first object. Default 0.
   * @param head Which subgroup it is. Default: the whole group, in frames.
   * @returns The writer of it, or `undefined` when it is not wanted: then stop its stream.
   */
  openGroup(sequence: number, startFrame?: number, head?: SubgroupHead): GroupWriter | undefined;
  /** The source has the track. Said at most once by each source, and needless where a group comes first. */
  accepted(): void;
  /** The source has told the first group that will come: lower ones will not, whatever comes first. */
  started(group: number): void;
  /** Leaves an unfinished subgroup for a source that goes on with it; cut when none does. */
  interrupt(writer: GroupWriter): void;
  /** A whole group in a datagram. @returns Whether it was news: what comes twice is dropped. */
  datagram(sequence: number, timestamp: number, payload: Uint8Array): boolean;
  /** Nothing more will come from this source. Only the first call counts. */
  ended(end: TrackEnd): void;
}

/** A running subscription at a source. */
export interface UpstreamSubscription {
  /** Changes what is asked for, where the version can. */
  update(request: TrackRequest): void;
  /** Leaves. Nothing is put into the sink any more. */
  close(): void;
}

/** One group asked for by number. */
export interface FetchRequest {
  readonly group: number;
  readonly priority: number;
}

/** Serves the tracks of one broadcast: the session that announced it, or a publisher in this process. */
export interface BroadcastSource {
  /** Short name for logs: who it is. */
  readonly label: string;
  /** Another thread of this very relay. What it offers came in there, and is counted there. */
  readonly neighbour?: boolean;
  /**
   * The track itself, for a publisher in this process that writes into it whether anybody reads or not. Where it is
   * given, `subscribe` and `fetch` are never called for it.
   */
  ownTrack?(broadcast: string, track: string): Track | undefined;
  /** @throws {NotFound} @throws {SourceLost} */
  trackInfo(broadcast: string, track: string): Promise<TrackInfo>;
  /** Never calls into the sink before it has returned. Does not throw: a refusal goes to `sink.ended`. */
  subscribe(
    broadcast: string,
    track: string,
    request: TrackRequest,
    sink: TrackSink,
  ): UpstreamSubscription;
  /**
   * Fills `writer`, and finishes or cuts it. Fulfils once the answer has begun; the rest follows by itself.
   * @throws {NotFound} @throws {SourceLost}
   */
  fetch(
    broadcast: string,
    track: string,
    request: FetchRequest,
    writer: GroupWriter,
  ): Promise<void>;
}
