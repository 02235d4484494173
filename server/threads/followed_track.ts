/**
 * One track of a sibling that a feed of this node has subscribed to.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import type { GroupWriter } from "../../relay/group/group_writer.ts";
import { SubgroupCopier } from "../../relay/group/subgroup_copier.ts";
import type {
  TrackEnd,
  TrackFacts,
  TrackRequest,
  TrackSink,
  UpstreamSubscription,
} from "../../relay/ports.ts";
import type { SharedRingReader } from "../../relay/group/shared_ring.ts";
import type { FromAsker, FromOwner, Send } from "./messages.ts";
import { RingFollower } from "./ring_follower.ts";

export interface FollowedTrackOptions {
  readonly id: number;
  readonly name: string;
  readonly request: TrackRequest;
  readonly sink: TrackSink;
  readonly send: Send<FromAsker>;
  readonly log: Logger;
  readonly onClosed: () => void;
}

export class FollowedTrack implements UpstreamSubscription {
  /** Reads its groups, and the number of the pool they are in. */
  reader: SharedRingReader | undefined;
  pool: number | undefined;
  readonly #o: FollowedTrackOptions;
  #request: TrackRequest;
  #follower: RingFollower | undefined;
  /** Subgroups that come by message, by their key. */
  readonly #coming = new Map<number, SubgroupCopier>();
  #over = false;

  constructor(options: FollowedTrackOptions) {
    this.#o = options;
    this.#request = options.request;
  }

  /** The owner has told where its groups are. */
  opened(pool: number, reader: SharedRingReader): void {
    this.pool = pool;
    this.reader = reader;
  }

  /** The owner's source has the track. */
  known(facts: TrackFacts): void {
    if (!this.#over) this.#o.sink.accepted(facts);
  }

  /** The owner has told the first group. */
  started(group: number): void {
    if (this.#over || this.reader === undefined || this.#follower !== undefined) return;
    const { sink } = this.#o;
    sink.started(group);
    this.#follower = new RingFollower(
      this.reader,
      sink,
      { from: group, end: this.#request.endGroup ?? Infinity },
      (error) => this.#refused(error),
    );
    void this.#follower.run();
  }

  /** An arena has come: groups in it can be read now. */
  poll(): void {
    this.#follower?.poll();
  }

  /** A further subgroup of a group has opened. */
  subgroup({ key, sequence, startFrame, head }: FromOwner & { type: "subgroup" }): void {
    if (this.#over) return;
    this.#follower?.poll(); // it may go on with one that has ended in the ring
    const writer = this.#o.sink.openGroup(sequence, startFrame, head);
    if (writer === undefined) return;
    this.#coming.set(key, new SubgroupCopier(writer));
  }

  /** It has more, or has ended. */
  grown({ key, bytes, marks, state }: FromOwner & { type: "grown" }): void {
    const copier = this.#coming.get(key);
    if (copier === undefined) return;
    try {
      copier.push(bytes, marks);
      copier.end(state);
    } catch (error) {
      copier.writer.cut();
      this.#refused(error as Error);
    }
    if (!copier.writer.open) this.#coming.delete(key);
  }

  datagram(...datagram: Parameters<TrackSink["datagram"]>): void {
    if (!this.#over) this.#o.sink.datagram(...datagram);
  }

  update(request: TrackRequest): void {
    const raised = request.endGroup !== this.#request.endGroup;
    this.#request = request;
    this.#o.send({ type: "update", id: this.#o.id, request });
    if (raised) this.#follower?.extend(request.endGroup ?? Infinity);
  }

  close(): void {
    if (this.#leave()) this.#stop((writer) => writer.cut());
  }

  /** The owner has ended the subscription. Copies what is in the ring before readers here hear of the end. */
  ended(end: TrackEnd): void {
    if (this.#over) return;
    this.#follower?.poll();
    if (!this.#leave()) return;
    const lost = end.kind === "failed" && end.why === "lost";
    const { sink } = this.#o;
    this.#stop((writer) => lost ? sink.interrupt(writer) : writer.cut());
    sink.ended(end);
  }

  #refused(error: Error): void {
    this.#o.log.warn(error.message, { track: this.#o.name });
  }

  #stop(leave: (writer: GroupWriter) => void): void {
    this.#follower?.stop(leave);
    for (const { writer } of this.#coming.values()) leave(writer);
    this.#coming.clear();
  }

  #leave(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#o.send({ type: "close", id: this.#o.id });
    this.#o.onClosed();
    return true;
  }
}
