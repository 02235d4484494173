/**
 * What a session serves to its peer: all tracks on their way, by whichever request.
 *
 * @module
 */
import type { Broadcast } from "../../../relay/broadcast.ts";
import type { PacedWatch } from "../../../relay/origin.ts";
import type { BroadcastSource } from "../../../relay/ports.ts";
import type { Track } from "../../../relay/track.ts";
import type { FullName } from "../../../wire/ietf/names.ts";
import { joinPath, trackKey } from "../../../wire/path.ts";
import { Places } from "../../send/send_order.ts";
import type { Sending, Sent } from "../../sweep.ts";
import type { IetfContext } from "../context.ts";
import type { Exchange, Exchanges } from "../exchange.ts";
import type { Granted } from "../request_rights.ts";
import { pathOf, trackNameOf } from "../names.ts";
import { Aliases } from "./objects/aliases.ts";
import type { ServedTrack } from "./served_track.ts";
import { Vacancies } from "./vacancies.ts";

/** How long a request may be behind one that names it. */
const OVERTAKEN_MS = 500;

/** A track of a broadcast, as the relay names them. */
export interface Place {
  readonly path: string;
  readonly name: string;
  /** The rights that it is served by; absent where those of the session are enough. */
  readonly by?: Granted | undefined;
}

export class Serving {
  readonly sent: Sent = { groups: new Set<Sending>(), answers: new Map() };
  /** Tracks that go out, by the request that they go out for. */
  readonly served = new Map<number, ServedTrack>();
  readonly aliases = new Aliases();
  readonly vacancies: Vacancies;
  /** What the peer is told of namespaces. */
  readonly watches = new Set<PacedWatch>();
  /** Tracks that are offered to the peer by PUBLISH. */
  readonly offers = new Set<{ cancel(): void }>();
  /** Answers to FETCH that are on their way. */
  readonly fetches = new Set<{ cancel(): void }>();
  /** Subscriptions that wait for their track, by request: each fulfils when that is over. */
  readonly #starting = new Map<number, Promise<void>>();
  /** Who waits for a subscription that has not come. */
  readonly #expected = new Map<number, () => void>();
  readonly #places = new Places();
  /** How many requests there are for each track. They may wait for it. */
  readonly #asked = new Map<string, number>();
  /** What counts as a subscription of the peer: subscriptions, published tracks and fetches. */
  #count = 0;

  /** @param self The peer as a source: what it announces is not announced to it. */
  constructor(
    readonly context: IetfContext,
    readonly exchanges: Exchanges,
    readonly self: BroadcastSource,
  ) {
    this.vacancies = new Vacancies(context.clock);
  }

  /** The peer has read from a broadcast that is gone. */
  left(broadcast: Broadcast): void {
    for (const watch of this.watches) watch.left(broadcast);
  }

  /** What a request means by a full name. */
  placeOf({ namespace, track }: FullName, by?: Granted): Place {
    return { by, path: joinPath(this.context.root, pathOf(namespace)), name: trackNameOf(track) };
  }

  find({ path, name, by }: Place): Broadcast | undefined {
    return (by ?? this.context).serve?.find(path, this.context.peerHop, name);
  }

  /** Whether some request of the session is about this track. */
  has(place: Place): boolean {
    return this.#asked.has(trackKey(place.path, place.name));
  }

  /**
   * Takes the place of one more subscription, if the peer may have it.
   * @returns What gives it back; `undefined` when there are too many.
   */
  enter(place?: Place): (() => void) | undefined {
    if (!this.context.quota.maySubscribe(this.#count)) return undefined;
    this.#count++;
    const key = place && trackKey(place.path, place.name);
    if (key !== undefined) this.#asked.set(key, (this.#asked.get(key) ?? 0) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count--;
      if (key === undefined) return;
      const others = this.#asked.get(key)! - 1;
      if (others > 0) return void this.#asked.set(key, others);
      this.#asked.delete(key);
      this.vacancies.changed();
    };
  }

  /** A subscription waits for its track. @param over Fulfils when it is served, or will never be. */
  starts(request: number, over: Promise<void>): void {
    this.#starting.set(request, over);
    this.#expected.get(request)?.();
    void over.then(() => this.#starting.delete(request));
  }

  /** What goes out for a request, once its track is known. One that is about to come is waited for. */
  async servedFor(request: number, gone: Promise<unknown>): Promise<ServedTrack | undefined> {
    const left = gone.catch(() => {});
    const { profile, clock } = this.context;
    const here = () => this.served.has(request) || this.#starting.has(request);
    // Requests on streams of their own may overtake each other.
    if (profile.requestStreams && !here() && !this.#expected.has(request)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#expected.set(request, resolve);
      const cancel = clock.after(OVERTAKEN_MS, resolve);
      await Promise.race([promise, left]);
      cancel();
      this.#expected.delete(request);
    }
    await Promise.race([this.#starting.get(request), left]);
    return this.served.get(request);
  }

  /** A track goes out from now on. */
  add(served: ServedTrack): void {
    this.served.set(served.id, served);
    this.#places.enter(served.outgoing);
    this.sent.groups.add(served);
  }

  /** Nothing of it is left. */
  remove(served: ServedTrack): void {
    this.served.delete(served.id);
    this.#places.leave(served.outgoing);
    this.sent.groups.delete(served);
  }

  /** The stream of these answers is swept as long as the task runs; one that requests share is swept from now on. */
  async answering(exchange: Exchange, task: Promise<void>): Promise<void> {
    const { requestStreams, namespaceStream } = this.context.profile;
    const own = requestStreams ||
      namespaceStream && exchange.request.kind === "subscribeNamespace";
    const { answers } = this.sent;
    if (!answers.has(exchange.out)) answers.set(exchange.out, -1);
    try {
      await task;
    } finally {
      if (own) answers.delete(exchange.out);
    }
  }

  /** The track, made when it is the first request for it. @throws {TooManyTracks} */
  trackOf(broadcast: Broadcast, { path, name }: Place): Track {
    return broadcast.track(path, name, this.context.peerHop);
  }
}
