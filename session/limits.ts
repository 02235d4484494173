/**
 * The limits of one session, and how often each of them took effect.
 *
 * @module
 */

const NONE = {
  /** Broadcasts it may announce at once. */
  maxAnnouncements: 0,
  /** Subscriptions it may have open at once. */
  maxSubscriptions: 0,
  /** Control messages it may send in a second; ten times as many at once after a quiet period. */
  maxMessageRate: 0,
  /** Media bytes it gets in a second. */
  maxSendRate: 0,
  /** Media bytes it may send in a second. */
  maxReceiveRate: 0,
};

/** The limits of one session. Sessions share the object, and it may change while they live. 0 means no limit. */
export type SessionLimits = typeof NONE;
export const NO_LIMITS: Readonly<SessionLimits> = NONE;

/** How often each limit took effect, since the start. The sessions of a server share one such object. */
export type SessionHits = ReturnType<typeof newSessionHits>;

/** All from zero. */
export function newSessionHits() {
  return {
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
  };
}
