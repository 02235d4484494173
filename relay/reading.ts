/**
 * What a reader of a track says and hears: its wishes, the track's properties, the groups, the end.
 *
 * @module
 */
import type { Subgroup } from "./group/group.ts";
import type { Layout } from "./group/subgroup_head.ts";

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
  /** How old a group may get before it is skipped, in milliseconds from when a newer one came; 0 wants the newest alone. */
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
  | {
    readonly kind: "ended";
    readonly nextGroup?: number;
    /** It is the source that is leaving (GOAWAY): the track may go on by another. */
    readonly leaving?: boolean;
  }
  /** Refused, or given up. `why` is for logs and picks the code on the wire. */
  | { readonly kind: "failed"; readonly why: TrackFailure; readonly reason: string };
/** Why a track could not be had: no such track, no way to it, its source was lost, or not allowed. */
export type TrackFailure = "not-found" | "unroutable" | "lost" | "refused";

/** One reader of a track: a subscription of a session, or an iterator in this process. Methods must not throw. */
export interface TrackReader {
  readonly request: TrackRequest;
  /** The layout it reads: subgroups of others come as copies in it. Default: frames. "kept": each as it is kept. */
  readonly layout?: Layout | "kept";
  /** Reads for another thread of this very relay: its viewers are counted there. */
  readonly neighbour?: boolean;
  /**
   * A group this reader should have: kept ones first, then each new one as it opens. Called for each of its subgroups.
   * @param start No lower group will come, as far as is known with the first one.
   */
  onGroup(subgroup: Subgroup, start: number): void;
  /** A datagram: one group of one frame that lives no longer than this call. */
  onDatagram?(sequence: number, timestamp: number, payload: Uint8Array): void;
  /** There is such a track: its source says so, or something of it has come. Called once, before everything else. */
  onKnown?(): void;
  /** Nothing more will come. */
  onEnd(end: TrackEnd): void;
}
