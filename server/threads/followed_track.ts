/**
 * One track of a neighbour, as this node's feed asked for it.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import type { TrackEnd, TrackRequest, TrackSink, UpstreamSubscription } from "../../relay/ports.ts";
import type { SharedRingReader } from "../../relay/group/shared_ring.ts";
import type { FromAsker, Send } from "./messages.ts";
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
  /** What its groups are read from, and the number of the pool they lie in. */
  reader: SharedRingReader | undefined;
  pool: number | undefined;
  readonly #o: FollowedTrackOptions;
  #request: TrackRequest;
  #follower: RingFollower | undefined;
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
  known(): void {
    if (!this.#over) this.#o.sink.accepted();
  }

  /** The owner has told the first group. */
  started(group: number): void {
    if (this.#over || this.reader === undefined || this.#follower !== undefined) return;
    const { sink, log, name } = this.#o;
    sink.started(group);
    this.#follower = new RingFollower(
      this.reader,
      sink,
      { from: group, end: this.#request.endGroup ?? Infinity },
      (error) => log.warn(error.message, { track: name }),
    );
    void this.#follower.run();
  }

  /** An arena has come: groups that lie in it can be read now. */
  poll(): void {
    this.#follower?.poll();
  }

  datagram(sequence: number, timestamp: number, payload: Uint8Array): void {
    if (!this.#over) this.#o.sink.datagram(sequence, timestamp, payload);
  }

  update(request: TrackRequest): void {
    const raised = request.endGroup !== this.#request.endGroup;
    this.#request = request;
    this.#o.send({ type: "update", id: this.#o.id, request });
    if (raised) this.#follower?.extend(request.endGroup ?? Infinity);
  }

  close(): void {
    if (!this.#leave()) return;
    this.#follower?.stop((writer) => writer.cut());
  }

  /** The owner has no more. What it had is in the ring, and taken before anybody here hears of the end. */
  ended(end: TrackEnd): void {
    if (this.#over) return;
    this.#follower?.poll();
    if (!this.#leave()) return;
    const lost = end.kind === "failed" && end.why === "lost";
    const { sink } = this.#o;
    this.#follower?.stop((writer) => lost ? sink.interrupt(writer) : writer.cut());
    sink.ended(end);
  }

  #leave(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#o.send({ type: "close", id: this.#o.id });
    this.#o.onClosed();
    return true;
  }
}
