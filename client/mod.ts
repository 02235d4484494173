/**
 * The client library of Media over QUIC: publish to a relay, read from it, or be the server oneself.
 *
 * ```ts
 * import { connect } from "@qumo/relay";
 *
 * await using client = await connect("http://127.0.0.1:4433/");
 *
 * // Publish: tracks are written whether anybody reads or not, the newest groups are kept for those who join.
 * using broadcast = client.publish("chat/alice");
 * broadcast.track("lines").write("hello"); // a group of one frame
 *
 * // Read: groups as they come, and the frames of each.
 * reading: for await (const group of client.subscribe("chat/bob", "lines")) {
 *   for await (const frame of group) {
 *     const line = new TextDecoder().decode(frame.payload);
 *     if (line === "bye") break reading; // leaving the loop leaves the track
 *     console.log("bob:", line);
 *   }
 * }
 * ```
 *
 * {@link connect} runs in Deno (raw QUIC and WebTransport, `--unstable-net`) and in browsers (their own WebTransport);
 * {@link serve} in Deno alone; {@link Client.over} wherever there is a {@link Connection} to give it. Every failure is a
 * {@link QumoError} with a stable `code` and a message that says what to do.
 *
 * A client offers the versions of moq-lite unless {@link PeerOptions.versions} names others: "moq-transport-18" and the like.
 * The objects, subgroups and properties of moq-transport are in a module of their own, `@qumo/relay/objects`.
 *
 * For a browser bundle the modules of Deno's sockets are loaded lazily and never reached: a bundler that splits code leaves
 * them in files no browser asks for, `deno bundle` leaves them out with `--external` (see
 * `tools/ship/bundle_client.ts`), and the npm package marks them for other bundlers.
 *
 * @module
 */
export { QumoError } from "../base/errors.ts";
export type { Clock } from "../base/clock.ts";
export type { LogFields, Logger } from "../base/logger.ts";
export { GroupTooLarge, NotFound, SourceLost } from "../relay/errors.ts";
export { randomHop } from "../relay/hop.ts";
export type { TrackFailure, TrackInfo, TrackRequest } from "../relay/ports.ts";
export type { TrackProperties } from "../relay/reading.ts";
export type { Layout } from "../relay/group/subgroup_head.ts";
export type { RelayStats } from "../relay/stats.ts";
export { NoCommonVersion } from "../session/errors.ts";
export type { ProbeReport } from "../session/session.ts";
export type {
  BidiStream,
  CloseInfo,
  Connection,
  ReceiveStream,
  SendEnd,
  SendStream,
  StreamOptions,
  TransportKind,
} from "../transport/connection.ts";
export {
  CertificateRefused,
  ConnectFailed,
  ConnectionClosed,
  HandshakeFailed,
  NoWebTransport,
  ProtocolRefused,
  RequestRefused,
  StreamClosed,
  StreamReset,
} from "../transport/errors.ts";
export type { TransportSettings } from "../transport/quic/quic_settings.ts";
export { ProtocolViolation } from "../wire/errors.ts";
export {
  type IetfVersion,
  LITE_VERSIONS,
  type LiteVersionName,
  type Version,
  VERSIONS,
} from "../wire/versions.ts";
export { Announcements, type BroadcastNews } from "./announcements.ts";
export type { WaitOptions } from "../base/bell.ts";
export { Client, type ClientOptions, type Dialer, type DialOptions } from "./client.ts";
export { connect, type ConnectOptions, type HashAnswer } from "./connect.ts";
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
