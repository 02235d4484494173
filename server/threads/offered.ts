/**
 * What this node offers one sibling: its own broadcasts and their tracks. It offers nothing of another sibling, so every
 * frame crosses between threads once at most.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { NotFound, SourceLost } from "../../relay/errors.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import type { Origin, Watch } from "../../relay/origin.ts";
import type {
  DatagramObject,
  TrackEnd,
  TrackFailure,
  TrackInfo,
  TrackReader,
  TrackRequest,
} from "../../relay/ports.ts";
import { SIBLINGS } from "../../relay/route.ts";
import type { Track } from "../../relay/track.ts";
import type { FromAsker, FromOwner, Send } from "./messages.ts";
import type { Mirrors } from "./mirrors.ts";
import { GroupPoster, Poster } from "./posters.ts";

export class Offered {
  readonly #origin: Origin;
  readonly #mirrors: Mirrors;
  readonly #send: Send<FromOwner>;
  readonly #served = new Map<number, Served>();
  readonly #fetched = new Map<number, GroupPoster>();
  readonly #watches: readonly Watch[];
  readonly #stopArenas: () => void;

  constructor(origin: Origin, mirrors: Mirrors, send: Send<FromOwner>) {
    this.#origin = origin;
    this.#mirrors = mirrors;
    this.#send = send;
    this.#stopArenas = mirrors.onArena((pool, index, memory) =>
      send({ type: "arena", pool, index, memory })
    );
    const own = { excludeHop: SIBLINGS, hidden: true };
    this.#watches = [
      origin.watch(own, ({ path, route }) => {
        if (route === undefined) return send({ type: "unannounce", path });
        const { hops, warm, cold, order, onlyTracks = false, peer = false } = route;
        send({ type: "announce", path, hops, warm, cold, order, onlyTracks, peer });
      }),
      origin.watchTracks(own, (event) => send({ type: "offer", ...event })),
    ];
  }

  receive(message: FromAsker): void {
    switch (message.type) {
      case "subscribe":
        return this.#subscribe(message);
      case "update":
        return this.#served.get(message.id)?.update(message.request);
      case "close":
        this.#fetched.get(message.id)?.close();
        this.#fetched.delete(message.id);
        return this.#drop(message.id);
      case "trackInfo":
        return this.#answer(message, async () => {
          const { id, broadcast, track } = message;
          const found = this.#find(broadcast, track);
          const info = await found.trackInfo(broadcast, track, SIBLINGS);
          this.#send({ type: "info", id, info: posted(info) });
        });
      case "fetch":
        return this.#answer(message, async () => {
          const { id, broadcast, track, request } = message;
          const from = this.#find(broadcast, track);
          const found = await from.fetchGroup(broadcast, track, request, SIBLINGS);
          const poster = new GroupPoster(found, {
            opened: (key, { startFrame, head }) =>
              this.#send({ type: "fetching", id, key, startFrame, head }),
            grown: (key, bytes, marks, state) =>
              this.#send({ type: "fetched", id, key, bytes, marks, state }, bytes.buffer),
            over: (complete) => {
              this.#fetched.delete(id);
              this.#send({ type: "fetchedAll", id, complete });
            },
          });
          if (!poster.over) this.#fetched.set(id, poster);
          found.release(); // the poster retains it until its end
        });
    }
  }

  /** The sibling is gone. */
  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#stopArenas();
    for (const id of [...this.#served.keys()]) this.#drop(id);
    for (const poster of this.#fetched.values()) poster.close();
    this.#fetched.clear();
  }

  #subscribe({ id, broadcast, track, request }: FromAsker & { type: "subscribe" }): void {
    const refuse = (why: TrackFailure, reason: string) =>
      this.#send({ type: "ended", id, end: { kind: "failed", why, reason } });
    let found;
    try {
      found = this.#origin.find(broadcast, SIBLINGS, track)?.track(broadcast, track, SIBLINGS);
    } catch (error) {
      return refuse("refused", reasonOf(error));
    }
    if (found === undefined) {
      return refuse("unroutable", `broadcast ${broadcast} is not announced here any more`);
    }
    const served = new Served(id, found, request, this.#send, () => this.#drop(id));
    this.#served.set(id, served);
    this.#send({ type: "ring", id, ...this.#mirrors.attach(found) });
    found.add(served);
  }

  #drop(id: number): void {
    const served = this.#served.get(id);
    if (served === undefined) return;
    this.#served.delete(id);
    served.track.remove(served);
    served.leave();
    this.#mirrors.detach(served.track);
  }

  #find(broadcast: string, track: string) {
    const found = this.#origin.find(broadcast, SIBLINGS, track);
    if (found === undefined) throw new NotFound(`broadcast ${broadcast}`, "broadcast");
    return found;
  }

  /** Answers, or says why not. */
  #answer({ id }: { readonly id: number }, answer: () => Promise<void>): void {
    answer().catch((error: unknown) => {
      this.#send({ type: "refused", id, lost: error instanceof SourceLost });
    });
  }
}

/** A subscription of the sibling. It keeps the feed of the track running, and sends what is not in the ring. */
class Served implements TrackReader {
  readonly sibling = true;
  readonly hop = SIBLINGS;
  readonly layout = "kept";
  /** They send the subgroups that are not in the ring. */
  readonly #posters = new Set<Poster>();
  #nextKey = 0;
  #started = false;

  constructor(
    readonly id: number,
    readonly track: Track,
    public request: TrackRequest,
    readonly send: Send<FromOwner>,
    readonly onOver: () => void,
  ) {}

  update(request: TrackRequest): void {
    this.request = request;
    this.track.change(this, request);
  }

  onKnown(): void {
    const { info, infoTold, largest } = this.track;
    const facts = { info: infoTold ? posted(info) : undefined, largest };
    this.send({ type: "known", id: this.id, facts });
  }

  onGroup(subgroup: Subgroup, start: number): void {
    if (!this.#started) {
      this.#started = true;
      this.send({ type: "started", id: this.id, group: start });
    }
    if (subgroup !== subgroup.group.first) this.#post(subgroup);
  }

  #post(subgroup: Subgroup): void {
    const { id, send } = this;
    const { sequence, startFrame, head } = subgroup;
    const key = this.#nextKey++;
    send({ type: "subgroup", id, key, sequence, startFrame, head });
    const poster = new Poster(subgroup, (bytes, marks, state) => {
      send({ type: "grown", id, key, bytes, marks, state }, bytes.buffer);
      if (state !== "open") this.#posters.delete(poster);
    });
    this.#posters.add(poster);
    poster.pump();
  }

  /** Nothing is sent any more. */
  leave(): void {
    for (const poster of this.#posters) poster.leave();
    this.#posters.clear();
  }

  onDatagram(
    sequence: number,
    timestamp: number,
    view: Uint8Array,
    facts?: DatagramObject,
  ): void {
    const payload = view.slice();
    const { id } = this;
    const object = facts && { ...facts, properties: facts.properties.slice() };
    this.send({ type: "datagram", id, sequence, timestamp, payload, object }, payload.buffer);
  }

  onEnd(end: TrackEnd): void {
    // The mirror stays until the sibling has read the rest and closes the subscription.
    this.send({ type: "ended", id: this.id, end });
  }
}

/** A copy whose properties are alone in their memory: all of that is copied for another thread. */
function posted(info: TrackInfo): TrackInfo {
  const { properties } = info;
  if (properties === undefined) return info;
  return { ...info, properties: { ...properties, bytes: properties.bytes.slice() } };
}
