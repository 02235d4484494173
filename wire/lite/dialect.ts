/**
 * The differences between the versions of moq-lite, one table per version. A session asks its dialect and never compares
 * version numbers. A message that differs between versions is declared more than once, and the table picks one.
 *
 * @module
 */
import type { Message } from "../message.ts";
import { alpnOf, type LiteVersionName } from "../versions.ts";
import * as A from "./announce.ts";
import * as S from "./subscribe.ts";
import * as T from "./track.ts";

/** The number of a draft of moq-lite. */
export type LiteVersion = 1 | 2 | 3 | 4 | 5 | 6;

/** Type of a bidirectional stream: its first varint. */
export const BIDI = { announce: 1, subscribe: 2, fetch: 3, probe: 4, goaway: 5, track: 6 } as const;
/** Type of a unidirectional stream: its first varint. */
export const UNI = { group: 0, setup: 1 } as const;

/** The replies of a subscribe stream. Their type numbers depend on the version. */
export type SubscribeReply =
  | { readonly kind: "ok" }
  | { readonly kind: "start"; readonly group: number }
  | { readonly kind: "end"; readonly group: number }
  | { readonly kind: "drop"; readonly startGroup: number; readonly endGroup: number };

/** One version of moq-lite: its name, and how it differs from the others. */
export interface Dialect {
  /** The draft's number. */
  readonly version: LiteVersion;
  /** As in configuration and logs: "moq-lite-05". */
  readonly name: LiteVersionName;
  /** How a session begins: with a pair of SETUPs on a bidi stream, nothing, or a SETUP from each end on a uni stream. */
  readonly setup: "legacy" | "none" | "uni";

  /** @internal */
  readonly announceRequest: typeof A.AnnounceRequest | typeof A.AnnounceRequest4;
  /** Whether ANNOUNCE_REQUEST can exclude routes through a hop. */
  readonly excludesHop: boolean;
  /** What an announce stream begins with: the whole current set, ANNOUNCE_OK, or nothing. */
  readonly announceFirst: "init" | "ok" | "nothing";
  /**
   * Messages with a status byte (01–05), or typed ones with ids (06).
   * @internal
   */
  readonly announce: Message<A1> | "typed";
  /** Who adds the announcing relay's hop id to the chain. */
  readonly hopAppendedBy: "nobody" | "sender" | "receiver";
  /** Whether a second `active` for a live path replaces its route. */
  readonly announceUpdates: boolean;

  /** @internal */
  readonly subscribe: Message<S.Subscribe>;
  /**
   * Absent where a running subscription cannot change (01/02).
   * @internal
   */
  readonly subscribeUpdate?: Message<S.SubscribeUpdate>;
  /** Whether a subscriber says how old a group may get (03+). */
  readonly maxLatency: boolean;
  /** Untyped SUBSCRIBE_OK (01/02), typed OK and DROP (03/04), typed START, END and DROP (05+). */
  readonly replies: "untyped" | "ok" | "start";
  /** @internal */
  readonly subscribeOk?: Message<Ok>;
  /** Whether `startGroup` is only a lower bound, and the age of groups decides where to start (06). */
  readonly startIsFloor: boolean;

  /**
   * TRACK and TRACK_INFO; absent before 05.
   * @internal
   */
  readonly trackInfo?: typeof T.TrackInfo5 | typeof T.TrackInfo6;
  /** @internal */
  readonly fetch?: Message<T.Fetch>;
  /** @internal */
  readonly group: Message<Group>;
  /** Whether GROUP and FETCH can name single frames (06). */
  readonly frameBounds: boolean;
  /** Frames carry a zigzag timestamp delta before their size, and there are datagrams (05+). */
  readonly timestamps: boolean;
  /** @internal */
  readonly probe?: typeof T.Probe3 | typeof T.Probe4;
  /** Whether there is GOAWAY (04+). */
  readonly goaway: boolean;
}
type A1 = { readonly status: number; readonly suffix: string; readonly hops: readonly bigint[] };
type Ok = {
  readonly priority: number;
  readonly ordered: undefined;
  readonly maxLatencyMs: number;
  readonly startGroup: number | undefined;
  readonly endGroup: number | undefined;
};
type Group = {
  readonly subscribe: number;
  readonly sequence: number;
  readonly startFrame: number;
};

const lite01: Dialect = {
  version: 1,
  name: "moq-lite-01",
  setup: "legacy",
  announceRequest: A.AnnounceRequest,
  excludesHop: false,
  announceFirst: "init",
  announce: A.Announce1,
  hopAppendedBy: "nobody",
  announceUpdates: false,
  subscribe: S.Subscribe1,
  maxLatency: false,
  replies: "untyped",
  subscribeOk: S.SubscribeOk1,
  startIsFloor: false,
  group: T.Group1,
  frameBounds: false,
  timestamps: false,
  goaway: false,
};
const lite02: Dialect = {
  ...lite01,
  version: 2,
  name: "moq-lite-02",
  subscribeOk: S.SubscribeOk2,
};
const lite03: Dialect = {
  ...lite02,
  version: 3,
  name: "moq-lite-03",
  setup: "none",
  announceFirst: "nothing",
  announce: A.Announce3,
  subscribe: S.Subscribe3,
  maxLatency: true,
  subscribeUpdate: S.SubscribeUpdate3,
  replies: "ok",
  subscribeOk: S.SubscribeOk3,
  fetch: T.Fetch4,
  probe: T.Probe3,
};
const lite04: Dialect = {
  ...lite03,
  version: 4,
  name: "moq-lite-04",
  announceRequest: A.AnnounceRequest4,
  excludesHop: true,
  announce: A.Announce4,
  hopAppendedBy: "sender",
  probe: T.Probe4,
  goaway: true,
};
const { subscribeOk: _unused, ...lite04WithoutOk } = lite04;
const lite05: Dialect = {
  ...lite04WithoutOk,
  version: 5,
  name: "moq-lite-05",
  setup: "uni",
  announceFirst: "ok",
  hopAppendedBy: "receiver",
  announceUpdates: true,
  subscribe: S.Subscribe5,
  replies: "start",
  trackInfo: T.TrackInfo5,
  fetch: T.Fetch5,
  timestamps: true,
};
const lite06: Dialect = {
  ...lite05,
  version: 6,
  name: "moq-lite-06",
  announceRequest: A.AnnounceRequest,
  excludesHop: false,
  announce: "typed",
  subscribe: S.Subscribe6,
  subscribeUpdate: S.SubscribeUpdate6,
  startIsFloor: true,
  trackInfo: T.TrackInfo6,
  fetch: T.Fetch6,
  group: T.Group6,
  frameBounds: true,
};

/** Every version, newest first. They are offered in this order. */
export const DIALECTS: readonly Dialect[] = [lite06, lite05, lite04, lite03, lite02, lite01];

/** The dialect of a version. */
export function dialectOf(version: LiteVersionName): Dialect {
  return DIALECTS.find((d) => d.name === version)!;
}

/** The dialect that ALPN has negotiated. `undefined` for the name that old versions share: SETUP decides between them. */
export function dialectByAlpn(alpn: string): Dialect | undefined {
  return DIALECTS.find((d) => alpnOf(d.name) === alpn && d.setup !== "legacy");
}
