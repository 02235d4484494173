/**
 * The messages between two nodes of one server, each in its own thread. Each node is both: the owner of its broadcasts, and
 * an asker for those of the other.
 *
 * @module
 */
import type { GroupState } from "../../relay/group/group.ts";
import type { Marks } from "../../relay/group/record_writer.ts";
import type { SubgroupHead } from "../../relay/group/subgroup_head.ts";
import type {
  DatagramObject,
  FetchRequest,
  TrackEnd,
  TrackFacts,
  TrackInfo,
  TrackRequest,
} from "../../relay/ports.ts";

/** From the owner of the broadcasts. */
export type FromOwner =
  | {
    /** This node serves the path, or serves it by another route than before. */
    readonly type: "announce";
    readonly path: string;
    readonly hops: readonly bigint[];
    readonly warm: number;
    readonly cold: number;
    readonly order: number;
    /** It serves only the tracks that were told with "offer". */
    readonly onlyTracks: boolean;
    /** Another node of the cluster told it there. */
    readonly peer: boolean;
  }
  | { readonly type: "unannounce"; readonly path: string }
  /** A publisher here offers a track of the path by name, or none does any more. */
  | {
    readonly type: "offer";
    readonly path: string;
    readonly track: string;
    readonly gone: boolean;
  }
  /** An arena of a frame pool; without memory when it went back. */
  | {
    readonly type: "arena";
    readonly pool: number;
    readonly index: number;
    readonly memory: SharedArrayBuffer | undefined;
  }
  /** Where the asker reads the groups of a subscription. */
  | {
    readonly type: "ring";
    readonly id: number;
    readonly pool: number;
    readonly control: SharedArrayBuffer;
  }
  /** The track exists, and this is known of it. */
  | { readonly type: "known"; readonly id: number; readonly facts: TrackFacts }
  /** The first group that comes. */
  | { readonly type: "started"; readonly id: number; readonly group: number }
  /** A further subgroup of a group: the ring has only its first. `key` is its number in the subscription. */
  | {
    readonly type: "subgroup";
    readonly id: number;
    readonly key: number;
    readonly sequence: number;
    readonly startFrame: number;
    readonly head: SubgroupHead;
  }
  /** More bytes of it, as they are kept, and how far its records are whole. */
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
    readonly object: DatagramObject | undefined;
  }
  /** The subscription has ended. Its groups are in the ring. */
  | { readonly type: "ended"; readonly id: number; readonly end: TrackEnd }
  | { readonly type: "info"; readonly id: number; readonly info: TrackInfo }
  /** A subgroup of a fetched group has opened. `key` is its number in the answer. */
  | {
    readonly type: "fetching";
    readonly id: number;
    readonly key: number;
    readonly startFrame: number;
    readonly head: SubgroupHead;
  }
  /** More bytes of it, as they are kept, and how far its records are whole. */
  | {
    readonly type: "fetched";
    readonly id: number;
    readonly key: number;
    readonly bytes: Uint8Array;
    readonly marks: Marks;
    readonly state: GroupState;
  }
  /** Nothing more comes of the fetched group. */
  | { readonly type: "fetchedAll"; readonly id: number; readonly complete: boolean }
  /** The track info or the group was not found, or its source was lost. */
  | { readonly type: "refused"; readonly id: number; readonly lost: boolean };

/** From the asker. It gives out the ids and uses none twice. */
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
    readonly request: FetchRequest;
  };

/** Any message between two nodes. */
export type LinkMessage = FromOwner | FromAsker;

/** Sends one message. @param transfer Moves to the other thread: it is not usable here any more. */
export type Send<M> = (message: M, transfer?: ArrayBuffer) => void;
