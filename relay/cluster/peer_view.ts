/**
 * The origin as another node of the cluster sees it. A node is told what entered the cluster here, hidden paths too, and
 * never what a third node told: it hears that from there. So nothing is told twice, and no request goes round.
 *
 * @module
 */
import type { Broadcast } from "../broadcast.ts";
import type { Namespace, Rights } from "../namespace.ts";
import type {
  Announced,
  AnnounceEvent,
  Announcement,
  AwaitedRoute,
  OffersHost,
  OriginOffers,
  PacedWatch,
  TrackEvent,
  WatchOptions,
} from "../origin.ts";
import type { BroadcastSource } from "../ports.ts";
import type { HopId } from "../route.ts";
import type { TrackContext } from "../track.ts";
import { isNodeNews, type NodeNews } from "./node_news.ts";

const noop = () => {};

export class PeerView implements Namespace {
  readonly #whole: Namespace;
  readonly #news: NodeNews | undefined;

  /** @param news What nodes tell each other of themselves. */
  constructor(whole: Namespace, news?: NodeNews) {
    this.#whole = whole;
    this.#news = news;
  }

  get context(): TrackContext {
    return this.#whole.context;
  }

  get rights(): Rights | undefined {
    return this.#whole.rights;
  }

  allowOffers(make: (host: OffersHost) => OriginOffers): void {
    this.#whole.allowOffers(make);
  }

  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined {
    if (isNodeNews(path)) {
      const end = this.#news?.heard(path, announcement.hops.at(-1)) ?? (() => {});
      return { path, update: noop, offer: noop, retract: noop, discourage: noop, end };
    }
    const told = (one: Announcement) => ({ ...one, peer: true });
    const announced = this.#whole.announce(path, source, told(announcement));
    return announced && { ...announced, update: (next) => announced.update(told(next)) };
  }

  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch {
    const watch = this.#whole.watch({ ...options, hidden: true, peer: true }, (event) => {
      if (!isNodeNews(event.path)) listener(event); // else somebody plays the node
    });
    const { prefix = "", excludeHop = 0n, ready = () => true } = options;
    if (prefix !== "" || excludeHop === 0n) return watch; // it is no relay of this kind
    const end = this.#news?.watch(ready, listener);
    return {
      catchUp: () => watch.catchUp(),
      left: (broadcast) => watch.left(broadcast),
      close: () => {
        end?.();
        watch.close();
      },
    };
  }

  watchTracks(options: WatchOptions, listener: (event: TrackEvent) => void): PacedWatch {
    return this.#whole.watchTracks({ ...options, hidden: true, peer: true }, listener);
  }

  find(path: string, excludeHop?: HopId, track?: string): Broadcast | undefined {
    return this.#whole.find(path, excludeHop, track, true);
  }

  awaitRoute(
    path: string,
    track: string,
    timeoutMs: number,
    excludeHop?: HopId,
    asker?: object,
  ): AwaitedRoute {
    return this.#whole.awaitRoute(path, track, timeoutMs, excludeHop, asker, true);
  }
}
