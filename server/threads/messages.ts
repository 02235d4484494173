/**
 * What two nodes of one server, each in its own thread, say to each other. Each is both: who offers, and who asks.
 *
 * @module
 */
import type { GroupState } from "../../relay/group/group.ts";
import type { Marks } from "../../relay/group/group_writer.ts";
import type { SubgroupHead } from "../../relay/group/subgroup_head.ts";
import type { TrackEnd, TrackInfo, TrackRequest } from "../../relay/ports.ts";

/** Said by who has the broadcasts. */
export type FromOwner =
  | {
    /** This path is served from here now, or differently from before. */
    readonly type: "announce";
    readonly path: string;
    readonly hops: readonly bigint[];
    readonly warm: number;
    readonly cold: number;
    readonly order: number;
  }
  | { readonly type: "unannounce"; readonly path: string }
  /** A piece of a frame pool's memory, or that it was handed back. */
  | {
    readonly type: "arena";
    readonly pool: number;
    readonly index: number;
    readonly memory: SharedArrayBuffer | undefined;
  }
  /** Where the groups of a subscription's track are read. */
  | {
    readonly type: "ring";
    readonly id: number;
    readonly pool: number;
    readonly control: SharedArrayBuffer;
  }
  /** There is such a track. */
  | { readonly type: "known"; readonly id: number }
  /** The first group that comes. */
  | { readonly type: "started"; readonly id: number; readonly group: number }
  /** A subgroup of a group whose first one is in the ring. `key` numbers those of one subscription. */
  | {
    readonly type: "subgroup";
    readonly id: number;
    readonly key: number;
    readonly sequence: number;
    readonly startFrame: number;
    readonly head: SubgroupHead;
  }
  /** More of it, in the bytes it is kept in, and how far its records are whole. */
  | {
    readonly type: "grown";
    readonly id: number;
    readonly key: number;
    readonly bytes: Uint8Array;
    readonly marks: Marks;
    readonly state: GroupState;
  }
  | {
    readonly type: "datagram";
    readonly id: number;
    readonly sequence: number;
    readonly timestamp: number;
    readonly payload: Uint8Array;
  }
  /** The subscription is over. Everything it brought is in the ring. */
  | { readonly type: "ended"; readonly id: number; readonly end: TrackEnd }
  | { readonly type: "info"; readonly id: number; readonly info: TrackInfo }
  /** More of a fetched group, in the bytes it is kept in. The first may be empty: the answer has begun. */
  | {
    readonly type: "fetched";
    readonly id: number;
    readonly bytes: Uint8Array;
    readonly state: GroupState;
  }
  /** No track info, or no group: not found, or its source was lost. */
  | { readonly type: "refused"; readonly id: number; readonly lost: boolean };

/** Said by who wants them. Ids are the asker's, and never used again. */
export type FromAsker =
  | {
    readonly type: "subscribe";
    readonly id: number;
    readonly broadcast: string;
    readonly track: string;
    readonly request: TrackRequest;
  }
  | { readonly type: "update"; readonly id: number; readonly request: TrackRequest }
  | { readonly type: "close"; readonly id: number }
  | {
    readonly type: "trackInfo";
    readonly id: number;
    readonly broadcast: string;
    readonly track: string;
  }
  | {
    readonly type: "fetch";
    readonly id: number;
    readonly broadcast: string;
    readonly track: string;
    readonly group: number;
    readonly priority: number;
  };

/** Anything that goes through the port between two nodes. */
export type LinkMessage = FromOwner | FromAsker;

/** Sends one message; `transfer` is gone here then. */
export type Send<M> = (message: M, transfer?: ArrayBuffer) => void;
