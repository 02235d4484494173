/**
 * Another node of this server as a source of broadcasts. Its announcements become routes here, and its tracks are read out
 * of the memory that it shares.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import { NotFound, SourceLost } from "../../relay/errors.ts";
import type { Announced, Origin } from "../../relay/origin.ts";
import type {
  BroadcastSource,
  FetchRequest,
  GroupSink,
  TrackInfo,
  TrackRequest,
  TrackSink,
  UpstreamSubscription,
} from "../../relay/ports.ts";
import { SubgroupCopier } from "../../relay/group/subgroup_copier.ts";
import { SharedRingReader } from "../../relay/group/shared_ring.ts";
import { FollowedTrack } from "./followed_track.ts";
import type { FromAsker, FromOwner, Send } from "./messages.ts";

/** A request that is not answered yet. */
interface Asked {
  readonly what: string;
  readonly answer: (message: FromOwner) => void;
  readonly fail: (error: Error) => void;
}

export class Sibling implements BroadcastSource {
  readonly sibling = true;
  readonly label: string;
  readonly #origin: Origin;
  readonly #send: Send<FromAsker>;
  readonly #log: Logger;
  readonly #announced = new Map<string, Announced>();
  /** The tracks that publishers there offer by name, by path. */
  readonly #offered = new Map<string, Set<string>>();
  readonly #tracks = new Map<number, FollowedTrack>();
  readonly #asked = new Map<number, Asked>();
  readonly #arenas = new Map<number, (SharedArrayBuffer | undefined)[]>();
  #nextId = 0;
  #gone = false;

  constructor(label: string, origin: Origin, send: Send<FromAsker>, log: Logger) {
    this.label = label;
    this.#origin = origin;
    this.#send = send;
    this.#log = log;
  }

  receive(message: FromOwner): void {
    switch (message.type) {
      case "announce":
        return this.#announce(message);
      case "unannounce":
        this.#announced.get(message.path)?.end();
        return void this.#announced.delete(message.path);
      case "offer":
        return this.#offer(message);
      case "arena":
        return this.#arena(message);
      case "ring": {
        const { id, pool, control } = message;
        const arenas = this.#arenas.get(pool) ?? [];
        return this.#tracks.get(id)?.opened(pool, new SharedRingReader({ control, arenas }));
      }
      case "known":
        return this.#tracks.get(message.id)?.known(message.facts);
      case "started":
        return this.#tracks.get(message.id)?.started(message.group);
      case "subgroup":
        return this.#tracks.get(message.id)?.subgroup(message);
      case "grown":
        return this.#tracks.get(message.id)?.grown(message);
      case "datagram": {
        const { id, sequence, timestamp, payload, object } = message;
        return this.#tracks.get(id)?.datagram(sequence, timestamp, payload, object);
      }
      case "ended":
        return this.#tracks.get(message.id)?.ended(message.end);
      case "info":
      case "fetching":
      case "fetched":
      case "fetchedAll":
        return this.#asked.get(message.id)?.answer(message);
      case "refused": {
        const asked = this.#asked.get(message.id);
        this.#asked.delete(message.id);
        if (asked === undefined) return;
        const Failure = message.lost ? SourceLost : NotFound;
        return asked.fail(new Failure(asked.what));
      }
    }
  }

  trackInfo(broadcast: string, track: string): Promise<TrackInfo> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<TrackInfo>();
    this.#ask(id, { type: "trackInfo", id, broadcast, track }, {
      what: `track ${track} of ${broadcast}`,
      answer: (message) => {
        this.#asked.delete(id);
        if (message.type === "info") resolve(message.info);
      },
      fail: reject,
    });
    return promise;
  }

  subscribe(
    broadcast: string,
    track: string,
    request: TrackRequest,
    sink: TrackSink,
  ): UpstreamSubscription {
    const id = this.#nextId++;
    const followed = new FollowedTrack({
      id,
      name: track,
      request,
      sink,
      send: this.#send,
      log: this.#log,
      onClosed: () => this.#tracks.delete(id),
    });
    this.#tracks.set(id, followed);
    if (this.#gone) queueMicrotask(() => followed.ended(this.#lost()));
    else this.#send({ type: "subscribe", id, broadcast, track, request });
    return followed;
  }

  fetch(
    broadcast: string,
    track: string,
    request: FetchRequest,
    sink: GroupSink,
  ): Promise<void> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const coming = new Map<number, SubgroupCopier>();
    const end = (complete: boolean) => {
      this.#asked.delete(id);
      sink.ended(complete);
    };
    const giveUp = () => {
      this.#send({ type: "close", id });
      end(false);
    };
    this.#ask(id, { type: "fetch", id, broadcast, track, request }, {
      what: `group ${request.group} of track ${track} of ${broadcast}`,
      answer: (message) => {
        try {
          if (message.type === "fetching") {
            const writer = sink.open(message.head, message.startFrame);
            resolve();
            if (writer === undefined) return giveUp();
            coming.set(message.key, new SubgroupCopier(writer));
          } else if (message.type === "fetched") {
            const copier = coming.get(message.key)!;
            if (!copier.writer.open) return giveUp(); // nobody reads it any more
            copier.push(message.bytes, message.marks); // a slice of kept frames never ends inside a head
            copier.end(message.state);
          } else if (message.type === "fetchedAll") end(message.complete);
        } catch (error) { // the group is too large
          this.#log.warn((error as Error).message, { broadcast, track });
          giveUp();
        }
      },
      fail: (error) => {
        reject(error);
        end(false);
      },
    });
    return promise;
  }

  /**
   * The other thread has ended.
   * @param abrupt Without a word: then its broadcasts linger.
   */
  lost(abrupt: boolean): void {
    if (this.#gone) return;
    this.#gone = true;
    // Routes first. A feed that loses its subscription must know whether to wait for the publisher.
    for (const announced of this.#announced.values()) announced.end(abrupt);
    this.#announced.clear();
    this.#offered.clear();
    for (const track of [...this.#tracks.values()]) track.ended(this.#lost());
    for (const { what, fail } of [...this.#asked.values()]) fail(new SourceLost(what));
    this.#asked.clear();
    this.#arenas.clear();
  }

  #announce(message: FromOwner & { type: "announce" }): void {
    const { path, hops, warm, cold, order, onlyTracks, peer } = message;
    const announcement = { hops, warm, cold, order, onlyTracks, peer };
    const known = this.#announced.get(path);
    if (known !== undefined) return known.update(announcement);
    const tracks = this.#offered.get(path);
    const all = tracks === undefined ? announcement : { ...announcement, tracks };
    const announced = this.#origin.announce(path, this, all);
    if (announced !== undefined) this.#announced.set(path, announced);
  }

  #offer({ path, track, gone }: FromOwner & { type: "offer" }): void {
    const announced = this.#announced.get(path);
    const tracks = this.#offered.get(path);
    if (!gone) {
      if (tracks === undefined) this.#offered.set(path, new Set([track]));
      else tracks.add(track);
      return announced?.offer(track);
    }
    if (tracks?.delete(track) === true && tracks.size === 0) this.#offered.delete(path);
    announced?.retract(track);
  }

  #arena({ pool, index, memory }: FromOwner & { type: "arena" }): void {
    const arenas = this.#arenas.get(pool) ?? [];
    this.#arenas.set(pool, arenas);
    arenas[index] = memory;
    for (const track of this.#tracks.values()) {
      if (track.pool !== pool) continue;
      track.reader?.setArena(index, memory);
      if (memory !== undefined) track.poll();
    }
  }

  #ask(id: number, message: FromAsker, asked: Asked): void {
    if (this.#gone) return asked.fail(new SourceLost(asked.what));
    this.#asked.set(id, asked);
    this.#send(message);
  }

  #lost() {
    return { kind: "failed", why: "lost", reason: `${this.label} is gone` } as const;
  }
}
