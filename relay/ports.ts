/**
 * What the core needs from outside: where a broadcast's tracks come from, and who reads them. Sessions implement both
 * ends; so does anything that publishes or reads inside this process.
 *
 * @module
 */
import type { Group } from "./group.ts";
import type { GroupWriter } from "./group_writer.ts";
import type { Track } from "./track.ts";

/** Properties of a track, fixed for its life. */
export interface TrackInfo {
  /** The publisher's tie-break; higher goes first. */
  readonly priority: number;
  /** How long a group that is not the newest may be kept, in milliseconds. */
  readonly maxAgeMs: number;
  /** Timestamp units per second, at least 1. */
  readonly timescale: number;
}

/** For sources whose version has no TRACK_INFO: milliseconds, kept for 5 s. */
export const DEFAULT_TRACK_INFO: TrackInfo = { priority: 127, maxAgeMs: 5000, timescale: 1000 };

/** What a reader wants of a track. */
export interface TrackRequest {
  /** 0–255; higher goes first. */
  readonly priority: number;
  /** How old a group may get before it is skipped, counted from when a newer one came; 0 leaves it to the track. */
  readonly maxLatencyMs: number;
  /** First group wanted; absent starts at the newest. */
  readonly startGroup?: number | undefined;
  /** Last group wanted; absent goes on until the track ends. */
  readonly endGroup?: number | undefined;
  /** Whether `startGroup` is only a floor, and the start is picked by `maxLatencyMs` (moq-lite-06). */
  readonly startIsFloor?: boolean;
}

/** How a track ended for its readers. */
export type TrackEnd =
  /** In order. `nextGroup` is the first sequence that will never come, where it is known. */
  | { readonly kind: "ended"; readonly nextGroup?: number }
  /** Refused, or given up. `why` is for logs and picks the code on the wire. */
  | { readonly kind: "failed"; readonly why: TrackFailure; readonly reason: string };
export type TrackFailure = "not-found" | "unroutable" | "lost" | "refused";

/** One reader of a track: a subscription of a session, or an iterator in this process. Methods must not throw. */
export interface TrackReader {
  readonly request: TrackRequest;
  /** A group this reader should have: kept ones first, then each new one as it opens. */
  onGroup(group: Group): void;
  /** A datagram: one group of one frame that lives no longer than this call. */
  onDatagram?(sequence: number, timestamp: number, payload: Uint8Array): void;
  /** Nothing more will come. */
  onEnd(end: TrackEnd): void;
}

/** Where a source puts what it receives for one track. */
export interface TrackSink {
  /** @returns The writer of a new group, or `undefined` when it is not wanted: then stop its stream. */
  openGroup(sequence: number, startFrame?: number): GroupWriter | undefined;
  /** Leaves an unfinished group for a source that goes on with it; cut when none does. */
  interrupt(writer: GroupWriter): void;
  datagram(sequence: number, timestamp: number, payload: Uint8Array): void;
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
