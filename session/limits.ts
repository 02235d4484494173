/**
 * How much one session may have of us, and how often that was not enough for it.
 *
 * @module
 */

const NONE = {
  /** Broadcasts it may announce at once. */
  maxAnnouncements: 0,
  /** Subscriptions it may have open at once. */
  maxSubscriptions: 0,
  /** Control messages it may send in a second; ten times as many at once after a quiet while. */
  maxMessageRate: 0,
  /** Media bytes it gets in a second. */
  maxSendRate: 0,
  /** Media bytes it may send in a second. */
  maxReceiveRate: 0,
};

/** What one session may have. The object is shared and may change while sessions live; 0 stands for no limit. */
export type SessionLimits = typeof NONE;
export const NO_LIMITS: Readonly<SessionLimits> = NONE;

/** How often a session came to its limits, since the start. A server counts those of all its sessions in one. */
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
