/**
 * Every limit of a server that is counted, by the name of its counter. The value is what metrics call it: its key in the
 * configuration, where it has one.
 */
export const LIMIT_KEYS = {
  /** Sessions turned away: too many in all, or from one address. */
  sessions: "max_sessions",
  address: "max_sessions_per_address",
  /** Sessions turned away: the node has as much to do as it is meant to. */
  capacity: "capacity",
  /** HTTP requests turned away: too many answers under way for one address. */
  answers: "max_answers_per_address",
  /** Connections turned away because too many were in their handshake, or closed because theirs took too long. */
  handshakes: "max_handshakes",
  handshakeTime: "handshake_timeout",
  /** TCP connections turned away: too many in all, or from one address. */
  httpConnections: "max_http_connections",
  httpAddress: "max_http_connections_per_address",
  /** Announcements and subscriptions that were not taken. */
  announcements: "max_announcements",
  subscriptions: "max_subscriptions",
  /** Announce streams that were refused: too many for one prefix. */
  announceStreams: "announce_streams",
  /** Streams given up before their message was whole: too many such bytes in the session, or it took too long. */
  unfinishedBytes: "unfinished_bytes",
  messageTime: "message_time",
  /** Streams given up that came before the session stood: too many of them, or too many bytes on them. */
  earlyStreams: "early_streams",
  /** Times a session had to wait with its next control message. */
  messageRate: "max_message_rate",
  /** Times a session had to wait for media. */
  sendRate: "max_send_rate",
  /** Sessions closed because they sent too much, or took nothing for too long. */
  receiveRate: "max_receive_rate",
  writeTime: "write_timeout",
  /** Groups that were cut off. */
  groupBytes: "max_group_bytes",
  frameBytes: "max_frame_bytes",
  /** Groups forgotten early: too many bytes in all, or of one broadcast. */
  cache: "max_cache_bytes",
  broadcastCache: "max_broadcast_cache_bytes",
} as const;

/** How often each limit took effect, since the start. */
export type LimitHits = Record<keyof typeof LIMIT_KEYS, number>;

/** All from zero. */
export function newLimitHits(): LimitHits {
  return Object.fromEntries(Object.keys(LIMIT_KEYS).map((limit) => [limit, 0])) as LimitHits;
}
