/**
 * What the peer offers, as announcements in the origin: one for each path, for a namespace, for tracks, or for both.
 *
 * @module
 */
import type { Announced, Announcement } from "../../../relay/origin.ts";
import type { BroadcastSource } from "../../../relay/ports.ts";
import type { IetfContext } from "../context.ts";
import type { Granted } from "../request_rights.ts";
import type { Requesting } from "./requesting.ts";

/** What is offered at one path. */
interface Place {
  readonly announced: Announced;
  /** How often the namespace is offered: by PUBLISH_NAMESPACE, and by NAMESPACE of a relay. */
  namespaces: number;
  tracks: number;
}

export class Offers {
  readonly #shared: Requesting;
  readonly #context: IetfContext;
  readonly #source: BroadcastSource;
  readonly #places = new Map<string, Place>();
  #count = 0;
  #leaving = false;

  constructor(shared: Requesting, source: BroadcastSource) {
    this.#shared = shared;
    this.#context = shared.context;
    this.#source = source;
  }

  /** Namespaces and tracks that are offered now. */
  get count(): number {
    return this.#count;
  }

  /** Offers every track of a namespace. @returns false when the session may not. */
  addNamespace(path: string, by?: Granted): boolean {
    const known = this.#places.get(path);
    if (known !== undefined) {
      if (known.namespaces++ === 0) known.announced.update(this.#announcement());
    } else if (!this.#announce(path, { namespaces: 1, tracks: 0 }, by)) return false;
    this.#count++;
    return true;
  }

  /** Takes it back. */
  deleteNamespace(path: string): void {
    const place = this.#places.get(path);
    if (place === undefined) return; // the session is over
    const left = --place.namespaces;
    if (left === 0 && place.tracks > 0) place.announced.update(this.#announcement(true));
    this.#deleted(path, place);
  }

  /** Offers one track more. @returns false when the session may not. */
  addTrack(path: string, track: string, by?: Granted): boolean {
    const known = this.#places.get(path);
    if (known !== undefined) {
      known.tracks++;
      known.announced.offer(track);
    } else if (!this.#announce(path, { namespaces: 0, tracks: 1 }, by, track)) return false;
    this.#count++;
    return true;
  }

  /** Takes it back. */
  deleteTrack(path: string, track: string): void {
    const place = this.#places.get(path);
    if (place === undefined) return;
    place.tracks--;
    place.announced.retract(track);
    this.#deleted(path, place);
  }

  /** The peer wants to leave: every other route is better from now on. */
  discourage(): void {
    this.#leaving = true;
    for (const { announced } of this.#places.values()) announced.discourage();
  }

  /** The session is over. @param abrupt Whether the peer was lost without a close. */
  close(abrupt: boolean): void {
    const places = [...this.#places.values()];
    this.#places.clear();
    this.#count = 0;
    for (const { announced } of places) announced.end(abrupt);
  }

  #announce(
    path: string,
    place: Omit<Place, "announced">,
    by: Granted | undefined,
    track?: string,
  ): boolean {
    const first = this.#announcement(track !== undefined);
    const { consume } = by ?? this.#context;
    const announced = consume?.announce(
      path,
      this.#source,
      track === undefined ? first : { ...first, tracks: new Set([track]) },
    );
    if (announced === undefined) return false;
    this.#places.set(path, { announced, ...place });
    this.#context.log.debug("announced", { broadcast: path, track });
    return true;
  }

  #deleted(path: string, { announced, namespaces, tracks }: Place): void {
    this.#count--;
    if (namespaces > 0 || tracks > 0) return;
    this.#places.delete(path);
    announced.end();
    this.#context.log.debug("unannounced", { broadcast: path });
  }

  /** A publisher has no hop id here. It gets one for this session, so that another publisher is told from it. */
  #announcement(onlyTracks = false): Announcement {
    const { stamp, peerHop } = this.#context;
    return {
      hops: [stamp, peerHop],
      // What a server offers comes from others: whoever offers the same directly is better.
      warm: this.#leaving ? Infinity : this.#shared.isServer ? 1 : 0,
      cold: Infinity,
      ...(onlyTracks && { onlyTracks }),
    };
  }
}
