/**
 * How much one session may ask of a server, and what is counted where that is not enough for it.
 *
 * @module
 */

/** What one session may have. The object is shared and may change while sessions live; 0 stands for no limit. */
export interface SessionLimits {
  /** Broadcasts it may announce at once. */
  maxAnnouncements: number;
  /** Subscriptions it may have open at once. */
  maxSubscriptions: number;
  /** Control messages it may send in a second; ten times as many at once after a quiet while. */
  maxMessageRate: number;
  /** Media bytes it gets in a second. */
  maxSendRate: number;
  /** Media bytes it may send in a second. */
  maxReceiveRate: number;
}

export const NO_LIMITS: Readonly<SessionLimits> = {
  maxAnnouncements: 0,
  maxSubscriptions: 0,
  maxMessageRate: 0,
  maxSendRate: 0,
  maxReceiveRate: 0,
};

/** How often each limit of a server took effect, since the start. */
export interface LimitHits {
  /** Sessions turned away: too many in all, or from one address. */
  sessions: number;
  address: number;
  /** Requests of HTTP turned away: too many answers under way for one address. */
  answers: number;
  /** Connections turned away because too many were in their handshake, or closed because theirs took too long. */
  handshakes: number;
  /** TCP connections turned away: too many in all, or from one address. */
  httpConnections: number;
  httpAddress: number;
  handshakeTime: number;
  /** Announcements and subscriptions that were not taken. */
  announcements: number;
  subscriptions: number;
  /** Announce streams that were refused: too many for one prefix. */
  announceStreams: number;
  /** Streams given up before their message was whole: too many bytes of such in the session, or it took too long. */
  unfinishedBytes: number;
  messageTime: number;
  /** Streams that came before the session stood and were given up: too many of them, or too many bytes on them. */
  earlyStreams: number;
  /** Times a session had to wait with its next control message. */
  messageRate: number;
  /** Times a session had to wait for media. */
  sendRate: number;
  /** Sessions closed because they sent too much, or took nothing for too long. */
  receiveRate: number;
  writeTime: number;
  /** Groups that were cut off. */
  groupBytes: number;
  frameBytes: number;
  /** Groups forgotten early: too many bytes in all, or of one broadcast. */
  cache: number;
  broadcastCache: number;
}

export function newLimitHits(): LimitHits {
  return {
    sessions: 0,
    address: 0,
    answers: 0,
    handshakes: 0,
    httpConnections: 0,
    httpAddress: 0,
    handshakeTime: 0,
    announcements: 0,
    subscriptions: 0,
    announceStreams: 0,
    unfinishedBytes: 0,
    messageTime: 0,
    earlyStreams: 0,
    messageRate: 0,
    sendRate: 0,
    receiveRate: 0,
    writeTime: 0,
    groupBytes: 0,
    frameBytes: 0,
    cache: 0,
    broadcastCache: 0,
  };
}
