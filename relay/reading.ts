/**
 * What a reader asks of a track and gets from it: its request, the track's properties, groups, the end.
 *
 * @module
 */
import type { Subgroup } from "./group/group.ts";
import type { Layout } from "./group/subgroup_head.ts";

/** The place of an object in a track. Locations are ordered by group, then by object. */
export interface Location {
  readonly group: number;
  readonly object: number;
}

/** A track's properties as its publisher wrote them: key-value pairs, as they stand in the objects of this layout. */
export interface TrackProperties {
  /** As they are written. */
  readonly bytes: Uint8Array;
  /** Which drafts write them so. */
  readonly layout: Layout;
}

/** Properties of a track, fixed for its life. */
export interface TrackInfo {
  /** The publisher's tie-break; higher goes first. */
  readonly priority: number;
  /** How long a group that is not the newest may be kept, in milliseconds. */
  readonly maxAgeMs: number;
  /** Timestamp units per second, at least 1. */
  readonly timescale: number;
  /** Its timestamps are times of arrival, in milliseconds since 1970: its source's version carries none. */
  readonly untimed?: boolean;
  /** What the publisher says of it beyond that (moq-transport). Kept and passed on, not understood. */
  readonly properties?: TrackProperties;
}

/** For publishers in this process: timestamps in milliseconds, groups kept for 5 s. */
export const OWN_TRACK_INFO: TrackInfo = { priority: 127, maxAgeMs: 5000, timescale: 1000 };

/** For sources whose version has no TRACK_INFO: as above, with times of arrival. */
export const DEFAULT_TRACK_INFO: TrackInfo = { ...OWN_TRACK_INFO, untimed: true };

/** For sources that tell of their tracks when they accept a subscription (moq-transport): timestamps in microseconds. */
export const UNTOLD_TRACK_INFO: TrackInfo = { ...OWN_TRACK_INFO, timescale: 1_000_000 };

/** What a source tells of a track when it accepts a subscription. */
export interface TrackFacts {
  /** Absent: `BroadcastSource.trackInfo` tells it. */
  readonly info?: TrackInfo | undefined;
  /** The largest object that the source has of it; absent when it has none. */
  readonly largest: Location | undefined;
}

/** What a reader wants of a track. */
export interface TrackRequest {
  /** 0–255; higher goes first. */
  readonly priority: number;
  /** How old a group may get before it is skipped, in milliseconds since a newer one came. 0 wants only the newest. */
  readonly maxLatencyMs: number;
  /** First group wanted. Default: the newest. */
  readonly startGroup?: number | undefined;
  /** Last group wanted. Default: no end. */
  readonly endGroup?: number | undefined;
  /** Whether `startGroup` is only a lower bound, and `maxLatencyMs` picks the start (moq-lite-06). */
  readonly startIsFloor?: boolean;
  /** First object wanted of `startGroup`. Default: the first (moq-transport). */
  readonly startObject?: number | undefined;
  /** Last object wanted of `endGroup`. Default: the last (moq-transport). */
  readonly endObject?: number | undefined;
  /** Whether groups are wanted now. Default: they are (moq-transport). */
  readonly forward?: boolean;
}

/** What a datagram says of its object beside group and payload (moq-transport). A lite datagram is object 0, and normal. */
export interface DatagramObject {
  readonly object: number;
  /** Key-value pairs in this layout; empty when there are none. */
  readonly properties: Uint8Array;
  readonly layout: Layout;
  /** The publisher's, 0–255, higher goes first. Absent: that of the track. */
  readonly priority: number | undefined;
  readonly status: number;
  readonly endOfGroup: boolean;
}

/** How a track ended for its readers. */
export type TrackEnd =
  /** In order. `nextGroup` is the first sequence that does not come, if it is known. */
  | {
    readonly kind: "ended";
    readonly nextGroup?: number;
    /** Only the source leaves (GOAWAY). Another one may continue the track. */
    readonly leaving?: boolean;
  }
  /** Refused, or given up. `why` goes to logs and picks the code on the wire. */
  | { readonly kind: "failed"; readonly why: TrackFailure; readonly reason: string };
/** Why a track is not available: it does not exist, no route leads to it, its source was lost, or it is not allowed. */
export type TrackFailure = "not-found" | "unroutable" | "lost" | "refused";

/** One reader of a track: a subscription of a session, or an iterator in this process. Methods must not throw. */
export interface TrackReader {
  readonly request: TrackRequest;
  /** The layout it reads. Subgroups in another one come as copies. "kept": each comes as it is. Default: frames. */
  readonly layout?: Layout | "kept";
  /** It reads for another thread of this relay. Its viewers are counted there. */
  readonly sibling?: boolean;
  /** The hop that it reads for, as in `Broadcast.track()`: the feed avoids routes through it. Default: unknown. */
  readonly hop?: bigint;
  /**
   * A group for this reader: kept ones first, then each new one when it opens. Called for each subgroup.
   * @param start The lowest group that may come, as far as the first call can tell.
   */
  onGroup(subgroup: Subgroup, start: number): void;
  /** A datagram: a group of one frame. Its bytes are valid only during the call. */
  onDatagram?(
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    object?: DatagramObject,
  ): void;
  /** The track exists. Called once, before everything else. */
  onKnown?(): void;
  /** The track has ended. */
  onEnd(end: TrackEnd): void;
}
