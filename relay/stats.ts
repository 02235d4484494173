/**
 * What the core counts: plain numbers, so that the media path looks up no labels. They are read when somebody scrapes or
 * asks.
 *
 * @module
 */
export interface RelayStats {
  /** Groups that came in, from publishers and upstream relays. */
  groupsIn: number;
  /** Frames that came in. */
  framesIn: number;
  /** Bytes of these frames. */
  bytesIn: number;
  /** Datagrams that came in. */
  datagramsIn: number;
  /** Groups that arrived twice, too late, or below what readers wanted. */
  groupsRefused: number;
  /** Groups whose source failed before their end. */
  groupsCut: number;
  /** Groups that went out to subscribers. Frames are counted when their group stream ends. */
  groupsOut: number;
  /** Frames that went out. */
  framesOut: number;
  /** Bytes that went out. */
  bytesOut: number;
  /** Datagrams that went out. */
  datagramsOut: number;
  /** Datagrams that a subscriber did not get: they do not fit its path, or it has no datagrams. */
  datagramsDropped: number;
  /** Groups a subscriber did not get because it was too slow. */
  groupsSkipped: number;
  /** Groups a subscriber did not get, or not whole, because they could not be converted into the subscriber's layout. */
  groupsUnconverted: number;
  /** Group streams ended in the middle. */
  groupsCutOut: number;
  /** Subscriptions opened at sources, since the start. */
  upstreamSubscriptions: number;
  /** Subscriptions opened by subscribers, since the start. */
  subscriptions: number;
  /** Groups asked for by FETCH. */
  fetches: number;
  /** Of these, answered from the cache. */
  fetchesFromCache: number;
  /** Of these, answered from what is kept for longer. */
  fetchesFromArchive: number;
  /** Streams of an unknown type. */
  streamsRefused: number;
  /** Streams that could not be read, each ended alone. */
  streamsMalformed: number;
  /** Datagrams that could not be read, each dropped alone. */
  datagramsMalformed: number;
  /** Announcements dropped because our own hop was in their chain. */
  loopsRefused: number;
  /** Announcements dropped because the session may not publish there. */
  announcementsRefused: number;
  /** Requests for broadcasts that the session may not read. */
  requestsRefused: number;
  /** Requests for tracks that were refused because too many tracks of the broadcast are not confirmed. */
  tracksRefused: number;
  /** Requests for tracks that nobody serves yet, refused because too many wait. */
  waitsRefused: number;
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
    datagramsDropped: 0,
    groupsSkipped: 0,
    groupsUnconverted: 0,
    groupsCutOut: 0,
    upstreamSubscriptions: 0,
    subscriptions: 0,
    fetches: 0,
    fetchesFromCache: 0,
    fetchesFromArchive: 0,
    streamsRefused: 0,
    streamsMalformed: 0,
    datagramsMalformed: 0,
    loopsRefused: 0,
    announcementsRefused: 0,
    requestsRefused: 0,
    tracksRefused: 0,
    waitsRefused: 0,
  };
}
