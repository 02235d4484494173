/**
 * The part of an origin for tracks that publishers offer one by one (PUBLISH of moq-transport), and for requests that wait for
 * a track. An origin has it where moq-transport is spoken: a page that speaks moq-lite alone does not load it.
 *
 * @module
 */
import type { AnnouncedPaths } from "../announced_paths.ts";
import type { Broadcast } from "../broadcast.ts";
import type { BroadcastSource } from "../ports.ts";
import type { Route } from "../route.ts";
import type { TrackContext } from "../track.ts";
import type { PacedWatch, WatchOptions } from "../watchers.ts";
import type { LostPublishers } from "./lost_publishers.ts";
import { type Offer, Offers } from "./offers.ts";
import { type TrackEvent, TrackWatchers } from "./track_watchers.ts";
import { type AwaitedRoute, type AwaitedTrack, Waiting } from "./waiting.ts";

/** What it asks of its origin. */
export interface OffersHost {
  readonly context: TrackContext;
  readonly paths: AnnouncedPaths;
  readonly lost: LostPublishers;
  /** A lost publisher is not waited for any more. */
  forget(broadcast: Broadcast): void;
}

/** Makes it, for `Origin.allowOffers`. */
export function originOffers(host: OffersHost): OriginOffers {
  return new OriginOffers(host);
}

export class OriginOffers {
  readonly #host: OffersHost;
  readonly #offers = new Offers();
  readonly #watchers: TrackWatchers;
  readonly #waiting: Waiting;

  constructor(host: OffersHost) {
    this.#host = host;
    this.#watchers = new TrackWatchers({
      offered: (path, track, allowed) => this.#offers.offered(path, track, allowed),
      below: (prefix, hidden) => this.#below(prefix, hidden),
    });
    this.#waiting = new Waiting(host.context.clock);
  }

  /** As `Origin.watchTracks`. */
  watch(options: WatchOptions, listener: (event: TrackEvent) => void): PacedWatch {
    return this.#watchers.add(options, listener);
  }

  /** As {@link Offers.find}. */
  find(path: string, track: string, allowed: (route: Route) => boolean): Broadcast | undefined {
    return this.#offers.find(path, track, allowed);
  }

  /** As {@link Waiting.add}. Who is refused is counted. */
  wait(awaited: AwaitedTrack, find: () => Broadcast | undefined): AwaitedRoute | undefined {
    const waits = this.#waiting.add(awaited, find);
    if (waits === undefined) this.#host.context.stats.waitsRefused++;
    return waits;
  }

  /** An announcement has come. @param before How its publisher had offered the broadcast before it was lost. */
  placed(offer: Offer, before?: Offer): void {
    for (const track of offer.route.tracks ?? []) this.add(offer, track);
    if (before !== undefined) this.withdrawn(before);
    this.#waiting.routed(offer.broadcast.path, offer.route);
  }

  /** An announcement has changed, but not its tracks. */
  replaced({ broadcast: { path }, route }: Offer): void {
    if (this.#watchers.any) {
      for (const track of route.tracks ?? []) this.#watchers.tell(path, track);
    }
    this.#waiting.routed(path, route);
  }

  /** An announcement has gone, with its tracks. */
  withdrawn(offer: Offer): void {
    const { path } = offer.broadcast;
    for (const track of offer.route.tracks ?? []) {
      this.#offers.delete(path, track, offer);
      this.#watchers.tell(path, track);
    }
  }

  /** An announcement has one more track. */
  add(offer: Offer, track: string): void {
    const { broadcast, route } = offer;
    const { path } = broadcast;
    for (const other of this.#offers.of(path, track)) {
      if (other.broadcast.lingering && other.broadcast !== broadcast) {
        this.#giveUp(other.broadcast, track);
      }
    }
    this.#offers.add(path, track, offer);
    this.#changed(broadcast, track, route.source);
    this.#waiting.offered(path, track);
  }

  /** An announcement has one track less. */
  delete(offer: Offer, track: string): void {
    const { broadcast } = offer;
    this.#offers.delete(broadcast.path, track, offer);
    this.#changed(broadcast, track);
  }

  /** The lost publisher of single tracks gives those to a new one that the new one offers. */
  give(lost: Broadcast, route: Route): void {
    for (const track of route.tracks ?? []) this.#giveUp(lost, track);
  }

  /**
   * Whether the lost publisher of single tracks may come back for any that no other one at its path serves. Those that another
   * one offers are taken from it.
   */
  mayReturn(held: Offer, others: readonly Broadcast[]): boolean {
    if (others.some(({ routes }) => routes[0] !== undefined && routes[0].onlyTracks !== true)) {
      return false;
    }
    const tracks = (held.route.tracks ?? new Set()) as Set<string>;
    for (const track of others.length === 0 ? [] : tracks) {
      if (!this.#isOfferedByOther(held, track)) continue;
      tracks.delete(track);
      this.delete(held, track);
    }
    return tracks.size > 0;
  }

  /** A broadcast is held back from new readers, or not any more. */
  heldBack({ path, heldBack, routes }: Broadcast): void {
    for (const track of this.#offers.at(path)) this.#watchers.tell(path, track);
    if (!heldBack) { for (const route of routes) this.#waiting.routed(path, route); }
  }

  /** A lost publisher's track is not waited for any more. */
  #giveUp(lost: Broadcast, track: string): void {
    const held = this.#host.lost.get(lost);
    const tracks = held?.route.tracks as Set<string> | undefined;
    if (held === undefined || tracks?.delete(track) !== true) return;
    this.delete(held, track);
    for (const feed of lost.feedsOf(track)) feed.abandon();
    if (held.route.onlyTracks === true && tracks.size === 0) this.#host.forget(lost);
  }

  /** @param fresh The source that offers it now. */
  #changed(broadcast: Broadcast, track: string, fresh?: BroadcastSource): void {
    for (const feed of broadcast.feedsOf(track)) {
      if (fresh !== undefined) feed.welcome(fresh);
      feed.reroute();
    }
    this.#watchers.tell(broadcast.path, track);
  }

  #isOfferedByOther(held: Offer, track: string): boolean {
    for (const other of this.#offers.of(held.broadcast.path, track)) {
      if (other !== held && !other.broadcast.lingering) return true;
    }
    return false;
  }

  *#below(prefix: string, hidden: boolean): Generator<readonly [string, Iterable<string>]> {
    for (const path of this.#host.paths.below(prefix, hidden)) yield [path, this.#offers.at(path)];
  }
}
