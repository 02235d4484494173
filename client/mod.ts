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
export type { Logger } from "../base/logger.ts";
export { GroupTooLarge, NotFound, SourceLost } from "../relay/errors.ts";
export { randomHop } from "../relay/hop.ts";
export type { TrackInfo } from "../relay/ports.ts";
export type { ProbeReport } from "../session/lite/subscriber.ts";
export { NoCommonVersion } from "../session/handshake.ts";
export type { CloseInfo, Connection } from "../transport/connection.ts";
export { ConnectFailed, ConnectionClosed } from "../transport/errors.ts";
export { ProtocolViolation } from "../wire/errors.ts";
export { Announcements, type BroadcastNews } from "./announcements.ts";
export { Client, type ClientOptions } from "./client.ts";
export { connect, type ConnectOptions } from "./connect.ts";
export { type Frame, GroupCut, GroupReader } from "./frames.ts";
export { BroadcastProducer, GroupProducer, type PublishOptions, TrackProducer } from "./publish.ts";
export {
  type DatagramGroup,
  type SubscribeOptions,
  Subscription,
  TrackFailed,
} from "./subscription.ts";
