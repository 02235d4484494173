/**
 * What the core counts, as it counts it: plain numbers, no labels looked up on the media path. Read when somebody
 * scrapes or asks.
 *
 * @module
 */
export interface RelayStats {
  /** From publishers and upstream relays. */
  groupsIn: number;
  framesIn: number;
  bytesIn: number;
  datagramsIn: number;
  /** Groups that arrived twice, too late, or below what anybody wanted. */
  groupsRefused: number;
  /** Groups whose source failed before their end. */
  groupsCut: number;
  /** To subscribers. Frames are counted when their group stream ends. */
  groupsOut: number;
  framesOut: number;
  bytesOut: number;
  datagramsOut: number;
  /** Groups a subscriber did not get because it was too slow, and group streams ended in the middle. */
  groupsSkipped: number;
  groupsCutOut: number;
  /** Subscriptions opened at sources and by subscribers, since the start. */
  upstreamSubscriptions: number;
  subscriptions: number;
  fetches: number;
  fetchesFromCache: number;
  /** Streams of a type nobody knows. */
  streamsRefused: number;
  /** Announcements dropped because our own hop was in their chain. */
  loopsRefused: number;
}

export function newRelayStats(): RelayStats {
  return {
    groupsIn: 0,
    framesIn: 0,
    bytesIn: 0,
    datagramsIn: 0,
    groupsRefused: 0,
    groupsCut: 0,
    groupsOut: 0,
    framesOut: 0,
    bytesOut: 0,
    datagramsOut: 0,
    groupsSkipped: 0,
    groupsCutOut: 0,
    upstreamSubscriptions: 0,
    subscriptions: 0,
    fetches: 0,
    fetchesFromCache: 0,
    streamsRefused: 0,
    loopsRefused: 0,
  };
}
