/**
 * A track that the peer has offered by PUBLISH. Its objects come whether somebody reads them or not, so its session writes the
 * track as a publisher in this process does: the newest groups are there for whoever comes next.
 *
 * @module
 */
import { GroupWriter } from "../../../relay/group/group_writer.ts";
import type { SubgroupHead } from "../../../relay/group/subgroup_head.ts";
import type { DatagramObject, TrackEnd, TrackFacts } from "../../../relay/ports.ts";
import { Track, type TrackContext } from "../../../relay/track.ts";
import type { ObjectSink } from "./track_streams.ts";

export class Publication implements ObjectSink {
  readonly track: Track;

  constructor(broadcast: string, name: string, facts: TrackFacts, context: TrackContext) {
    this.track = new Track(broadcast, name, context);
    this.track.learn(facts);
  }

  openGroup(sequence: number, startObject = 0, head?: SubgroupHead): GroupWriter | undefined {
    const { ring, context } = this.track;
    const subgroup = ring.add(sequence, context.clock.now(), startObject, head);
    if (subgroup === undefined) {
      context.stats.groupsRefused++;
      return undefined;
    }
    this.track.deliver(subgroup);
    return new GroupWriter(subgroup, context.limits, [this.track, context.stats]);
  }

  /** The session was lost. Nobody else has this track. */
  interrupt(writer: GroupWriter): void {
    this.track.context.stats.groupsCut++;
    writer.cut();
  }

  datagram(
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    object?: DatagramObject,
  ): boolean {
    return this.track.deliverDatagram(sequence, timestamp, payload, true, object);
  }

  /** The track is over. Its readers keep what they have begun to read. */
  ended(end: TrackEnd): void {
    this.track.end(end);
    this.track.clear();
  }
}
