/**
 * The client library: publish to a relay and read from it.
 *
 * ```ts
 * import { connect } from "./client/mod.ts";
 *
 * await using client = await connect("http://127.0.0.1:4433/");
 * using broadcast = client.publish("chat/alice");
 * const track = broadcast.track("lines");
 * track.write("hello"); // a group of one frame
 *
 * for await (const group of client.subscribe("chat/bob", "lines")) {
 *   for await (const frame of group) {
 *     const line = new TextDecoder().decode(frame.payload);
 *     if (line === "bye") await client.close();
 *   }
 * }
 * ```
 *
 * Tracks are written whether anybody reads or not: the newest groups are kept for those who join. Everything but
 * {@link connect} runs in browsers too, over any `Connection` given to {@link Client.over}.
 *
 * @module
 */
export { QumoError } from "../base/errors.ts";
export type { Clock } from "../base/clock.ts";
export type { Logger } from "../base/logger.ts";
export { GroupTooLarge, NotFound, SourceLost } from "../relay/errors.ts";
export { randomHop } from "../relay/hop.ts";
export type { TrackFailure, TrackInfo, TrackRequest } from "../relay/ports.ts";
export type { RelayStats } from "../relay/stats.ts";
export type { ProbeReport } from "../session/lite/subscriber.ts";
export { NoCommonVersion } from "../session/handshake.ts";
export type { CloseInfo, Connection } from "../transport/connection.ts";
export { ConnectFailed, ConnectionClosed } from "../transport/errors.ts";
export type { TransportSettings } from "../transport/quic_settings.ts";
export { ProtocolViolation } from "../wire/errors.ts";
export type { Dialect } from "../wire/lite/dialect.ts";
export { Announcements, type BroadcastNews } from "./announcements.ts";
export type { WaitOptions } from "./bell.ts";
export { Client, type ClientOptions, type Dialer, type DialOptions } from "./client.ts";
export { connect, type ConnectOptions } from "./connect.ts";
export { type Frame, GroupCut, GroupReader } from "./frames.ts";
export {
  type HandleOptions,
  type MuxRequest,
  type Registration,
  type TrackHandler,
  TrackMux,
} from "./mux.ts";
export { type FetchOptions, Peer, type PeerOptions } from "./peer.ts";
export { BroadcastProducer, GroupProducer, type PublishOptions, TrackProducer } from "./publish.ts";
export type { ClientStatus, GoawayPolicy, ReconnectOptions } from "./reconnect.ts";
export {
  serve,
  type ServeOptions,
  Server,
  type ServerCloseOptions,
  type ServerOptions,
  type SessionRequest,
} from "./serve.ts";
export { ServerSession } from "./server_session.ts";
export {
  type DatagramGroup,
  type SubscribeOptions,
  Subscription,
  type SubscriptionUpdate,
  TrackFailed,
} from "./subscription.ts";
