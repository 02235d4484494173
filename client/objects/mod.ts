/**
 * Objects and subgroups, for programs that need more of moq-transport than groups and frames. It stands beside the library and
 * is loaded only where it is imported:
 *
 * ```ts
 * import { connect } from "@qumo/relay";
 * import { objectTrack, subscribeObjects } from "@qumo/relay/objects";
 *
 * await using client = await connect("https://relay.example/", { versions: ["moq-transport-18"] });
 * const track = objectTrack(client.publish("room/alice").track("video"));
 * const subgroup = track.subgroup(0, { priority: 200 });
 * subgroup.object({ payload: "key frame", properties: [{ type: 0x10, value: 1_000_000 }] });
 * subgroup.close();
 *
 * for await (const subgroup of subscribeObjects(client, "room/bob", "video")) {
 *   for await (const { id, payload, properties } of subgroup) console.log(id, payload, properties);
 * }
 * ```
 *
 * Both ends may speak any version: groups of moq-lite come as objects, and objects go to viewers of moq-lite as frames.
 *
 * @module
 */
export type { ObjectStatus, Property, TrackObject } from "./object.ts";
export {
  type DatagramToWrite,
  type ObjectToWrite,
  objectTrack,
  ObjectTrackProducer,
  type SubgroupOptions,
  SubgroupProducer,
  trackProperties,
} from "./publish.ts";
export { SubgroupReader } from "./subgroup_reader.ts";
export { type ObjectSubscribeOptions, ObjectSubscription, subscribeObjects } from "./subscribe.ts";
