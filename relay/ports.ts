/**
 * What the core needs from outside: sources of tracks (here) and readers of tracks (`reading.ts`). Sessions implement both.
 * So does whatever publishes or reads inside this process.
 *
 * @module
 */
import type { GroupSink } from "./group/fetched_group.ts";
import type { GroupWriter } from "./group/group_writer.ts";
import type { SubgroupHead } from "./group/subgroup_head.ts";
import type { DatagramObject, TrackEnd, TrackFacts, TrackInfo, TrackRequest } from "./reading.ts";
import type { Track } from "./track.ts";

export type { GroupSink } from "./group/fetched_group.ts";
export type { Archive } from "./archive.ts";
export { DEFAULT_TRACK_INFO, OWN_TRACK_INFO, UNTOLD_TRACK_INFO } from "./reading.ts";
export type {
  DatagramObject,
  Location,
  TrackEnd,
  TrackFacts,
  TrackFailure,
  TrackInfo,
  TrackReader,
  TrackRequest,
} from "./reading.ts";

/** Takes what a source receives for one track. */
export interface TrackSink {
  /**
   * A stream of a group has opened.
   * @param startFrame Index of the first frame, or id of the first object. Default 0.
   * @param head Which subgroup it is. Default: the whole group, in frames.
   * @returns Its writer, or `undefined` when it is not wanted: then stop its stream.
   */
  openGroup(sequence: number, startFrame?: number, head?: SubgroupHead): GroupWriter | undefined;
  /**
   * The source has the track. At most one call per source; not needed if a group comes first.
   * @param facts Their info takes the place of {@link BroadcastSource.trackInfo}.
   */
  accepted(facts?: TrackFacts): void;
  /** The source has told its first group: no lower one will come. */
  started(group: number): void;
  /** Leaves an unfinished subgroup for a source that continues it. It is cut if none does. */
  interrupt(writer: GroupWriter): void;
  /** A whole group in a datagram. @returns Whether it was new: repeated ones are dropped. */
  datagram(
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    object?: DatagramObject,
  ): boolean;
  /** Nothing more comes from this source. Only the first call counts. */
  ended(end: TrackEnd): void;
}

/** A running subscription at a source. */
export interface UpstreamSubscription {
  /** Changes the request, if the version can. */
  update(request: TrackRequest): void;
  /** Ends the subscription. The sink gets nothing after this. */
  close(): void;
}

/** A request for one group by its number. */
export interface FetchRequest {
  readonly group: number;
  readonly priority: number;
  /** Whether a part of the group is better than nothing: one that lacks its beginning, or was cut. Default: it is not. */
  readonly partial?: boolean;
}

/** Serves the tracks of one broadcast: the session that announced it, or a publisher in this process. */
export interface BroadcastSource {
  /** Short name for logs. */
  readonly label: string;
  /** It is another thread of this relay. Whatever it offers came in there and is counted there. */
  readonly sibling?: boolean;
  /**
   * The track itself, for a publisher in this process or a session that is offered it. It writes into the track with or
   * without readers. `subscribe` is never called for such a track, `fetch` only for groups that it does not keep.
   */
  ownTrack?(broadcast: string, track: string): Track | undefined;
  /** Those that it has now at this path, for who counts tracks and what they keep. */
  ownTracks?(broadcast: string): Iterable<Track>;
  /** @throws {NotFound} @throws {SourceLost} */
  trackInfo(broadcast: string, track: string): Promise<TrackInfo>;
  /** Does not call the sink before it has returned. Does not throw: a refusal goes to `sink.ended`. */
  subscribe(
    broadcast: string,
    track: string,
    request: TrackRequest,
    sink: TrackSink,
  ): UpstreamSubscription;
  /**
   * Opens the subgroups of a group at `sink`, fills and ends them. Fulfils when the answer has begun: the first one is open.
   * The rest follows.
   * @throws {NotFound} @throws {SourceLost}
   */
  fetch(
    broadcast: string,
    track: string,
    request: FetchRequest,
    sink: GroupSink,
  ): Promise<void>;
}
