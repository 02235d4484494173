/**
 * The tracks that publishers have offered one by one (PUBLISH of moq-transport): by path and name, each with the routes that
 * offer it. One track more or less costs the same, however many there are.
 *
 * @module
 */
import type { Broadcast } from "../broadcast.ts";
import { compareOffers, preferred, type Route } from "../route.ts";

/** An announcement as it stands. Its route changes with each update. */
export interface Offer {
  readonly broadcast: Broadcast;
  readonly route: Route;
}

export class Offers {
  readonly #paths = new Map<string, Map<string, Set<Offer>>>();

  add(path: string, track: string, offer: Offer): void {
    let tracks = this.#paths.get(path);
    if (tracks === undefined) this.#paths.set(path, tracks = new Map());
    let offers = tracks.get(track);
    if (offers === undefined) tracks.set(track, offers = new Set());
    offers.add(offer);
  }

  /** Harmless when it is not there. */
  delete(path: string, track: string, offer: Offer): void {
    const tracks = this.#paths.get(path);
    const offers = tracks?.get(track);
    if (tracks === undefined || offers?.delete(offer) !== true || offers.size > 0) return;
    tracks.delete(track);
    if (tracks.size === 0) this.#paths.delete(path);
  }

  /** Who offers a track. */
  of(path: string, track: string): Iterable<Offer> {
    return this.#paths.get(path)?.get(track) ?? [];
  }

  /** The tracks that are offered at a path. */
  at(path: string): Iterable<string> {
    return this.#paths.get(path)?.keys() ?? [];
  }

  /** The broadcast with the best route that has offered this very track, if one is better than those that serve all. */
  find(path: string, track: string, allowed: (route: Route) => boolean): Broadcast | undefined {
    let best: Offer | undefined;
    for (const offer of this.of(path, track)) {
      const { broadcast, route } = offer;
      if (broadcast.lingering || broadcast.heldBack) continue;
      if (!preferred(route, track) || !allowed(route)) continue;
      if (best === undefined || compareOffers(route, best.route) < 0) best = offer;
    }
    return best?.broadcast;
  }

  /**
   * Whether a track is offered by an allowed route.
   * @returns `undefined` when only lost publishers have offered it, and they may come back.
   */
  offered(path: string, track: string, allowed: (route: Route) => boolean): boolean | undefined {
    let awaited = false;
    for (const { broadcast, route } of this.of(path, track)) {
      if (broadcast.heldBack || !allowed(route)) continue;
      if (!broadcast.lingering) return true;
      awaited = true;
    }
    return awaited ? undefined : false;
  }
}
