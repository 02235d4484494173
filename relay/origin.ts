/**
 * The namespace of all announcements: which source offers which broadcast by which route, and who watches.
 *
 * One path may have several publishers. New readers get the newest one. Readers of an older one keep it, and it serves new
 * readers again when the newer one leaves. Routes with the same publisher (the same first hop) belong to one broadcast.
 *
 * A publisher may also offer tracks one by one (PUBLISH of moq-transport). Then several may publish different tracks of one
 * path, and none takes another one's place.
 *
 * @module
 */
import { MAX_HOPS, normalizePath, prefixesOf } from "../wire/path.ts";
import { AnnouncedPaths } from "./announced_paths.ts";
import { Broadcast, type BroadcastOptions } from "./broadcast.ts";
import type { Renewals } from "./feed/renewals.ts";
import { randomHop } from "./hop.ts";
import { LostPublishers } from "./offers/lost_publishers.ts";
import type { Offer } from "./offers/offers.ts";
import type { OffersHost, OriginOffers } from "./offers/origin_offers.ts";
import type { TrackEvent } from "./offers/track_watchers.ts";
import type { AwaitedRoute } from "./offers/waiting.ts";
import type { NodesHost, OriginNodes } from "./cluster/origin_nodes.ts";
import type { BroadcastSource } from "./ports.ts";
import {
  compareRoutes,
  type HopId,
  isAnonymous,
  isExcluded,
  isLoop,
  publisherOf,
  type Route,
  serves,
} from "./route.ts";
import type { TrackContext } from "./track.ts";
import { type AnnounceEvent, type PacedWatch, Watchers, type WatchOptions } from "./watchers.ts";

export type { OffersHost, OriginOffers } from "./offers/origin_offers.ts";
export type { TrackEvent } from "./offers/track_watchers.ts";
export type { AwaitedRoute } from "./offers/waiting.ts";
export type { AnnounceEvent, PacedWatch, Watch, WatchOptions } from "./watchers.ts";

/**
 * When a route is withdrawn, how long a worse route of the same path is not told: it may be about to be withdrawn too.
 * Without this, relays in a ring would announce to each other what each has from the others.
 */
const HOLD_BACK_MS = 2000;

/** What a source says about a broadcast that it offers. */
export interface Announcement {
  /** The chain so far: the publisher first, the announcing peer last. Empty for a publisher in this process. */
  readonly hops: readonly HopId[];
  readonly warm: number;
  readonly cold: number;
  /** For a sibling's route: its `order` there. */
  readonly order?: number;
  /** Whether its publisher may serve a path below the announced one. Absent: it may serve all of them. */
  readonly mayServe?: (path: string) => boolean;
  /**
   * The tracks that its publisher has offered one by one (PUBLISH of moq-transport). The origin keeps a set of its own. An
   * update without them leaves them as they are.
   */
  readonly tracks?: ReadonlySet<string>;
  /** Whether it serves the announced path and `tracks`, and nothing else. Default: it serves whatever is asked for. */
  readonly onlyTracks?: boolean;
  /** Whether another node of the cluster tells it. Other nodes do not hear of it: they have it from that node. */
  readonly peer?: boolean;
}

/** A running announcement. Its owner ends it. */
export interface Announced {
  readonly path: string;
  /** Changes the chain or the cost. Looks at every track, if it has tracks: `offer` and `retract` look at one. */
  update(announcement: Announcement): void;
  /** Offers one more track (PUBLISH). Harmless when it is offered already. */
  offer(track: string): void;
  /** Withdraws a track that was offered (PUBLISH_DONE). Harmless when it is not. */
  retract(track: string): void;
  /** Makes this route worse than every other one: its source is about to leave. */
  discourage(): void;
  /** Withdraws it. @param abrupt The source was lost without a word: then the broadcast lingers. */
  end(abrupt?: boolean): void;
}

/** A route and the broadcast it belongs to. An update changes the route. */
interface Held extends Offer {
  readonly broadcast: Broadcast;
  route: Route;
}

export interface OriginOptions {
  readonly context: TrackContext;
  /** This relay's own id. */
  readonly hop: HopId;
  /** How long a broadcast stays announced after its publisher was lost, in milliseconds. */
  readonly lingerMs: number;
  /** Notices publishers that have begun anew. For a relay: a broadcast may have several sources. */
  readonly renewals?: Renewals;
  /** Which thread of the relay this is. Threads number their routes differently. Default: the only thread. */
  readonly place?: Place;
}

/** One of `count` threads, counted from 0. */
export interface Place {
  readonly index: number;
  readonly count: number;
}

export class Origin {
  readonly hop: HopId;
  readonly #options: OriginOptions;
  readonly #ofBroadcasts: BroadcastOptions;
  readonly #paths = new AnnouncedPaths();
  readonly #watchers: Watchers;
  /** Stands for the publishers of single tracks in the chains that others see. */
  readonly #stamp = randomHop();
  #offers: OriginOffers | undefined;
  #nodes: OriginNodes | undefined;
  readonly #lost = new LostPublishers();
  /** The highest order seen, here or at a sibling: what comes in after hearing of it counts as newer. */
  #order = 0;

  constructor(options: OriginOptions) {
    this.#options = options;
    this.hop = options.hop;
    const { context, lingerMs, renewals } = options;
    const onRenewed = (broadcast: Broadcast) => this.#watchers.renew(broadcast);
    this.#ofBroadcasts = { context, lingerMs, renewals, onRenewed };
    this.#watchers = new Watchers(this.#paths, options.context.clock);
  }

  get context(): TrackContext {
    return this.#options.context;
  }

  /** Paths announced now. */
  get size(): number {
    return this.#paths.size;
  }

  /**
   * Lets publishers offer tracks one by one here, and requests wait for them. Who speaks moq-transport calls it before
   * anything is announced with tracks. Harmless when they may already.
   */
  allowOffers(make: (host: OffersHost) => OriginOffers): void {
    this.#offers ??= make({
      context: this.context,
      paths: this.#paths,
      lost: this.#lost,
      forget: (broadcast) => this.#forget(broadcast),
    });
  }

  /**
   * Lets other nodes of a cluster announce here. A relay calls it before one does: without it their routes have no order of
   * their own, and what they are told does not depend on regions. Harmless when they may already.
   */
  allowNodes(make: (host: NodesHost) => OriginNodes): OriginNodes {
    return this.#watchers.nodes = this.#nodes ??= make({
      clock: this.context.clock,
      paths: this.#paths,
      watchers: this.#watchers,
    });
  }

  /**
   * Offers a broadcast. @returns `undefined` when it may not stand here: our own hop is in its chain or another stands there
   * twice (a loop), or the chain is too long.
   */
  announce(
    path: string,
    source: BroadcastSource,
    announcement: Announcement,
  ): Announced | undefined {
    const { hops } = announcement;
    if (this.#refuses(hops)) {
      this.context.stats.loopsRefused++;
      return undefined;
    }
    const at = normalizePath(path);
    const { tracks: first } = announcement;
    let last = first === undefined ? announcement : { ...announcement, tracks: new Set(first) };
    let held: Held | undefined = this.#place(at, source, last);
    let over = false;
    const change = ({ tracks: _, ...next }: Announcement, tracks = last.tracks) => {
      last = tracks === undefined ? next : { ...next, tracks };
      if (this.#refuses(next.hops)) {
        this.context.stats.loopsRefused++;
        if (held !== undefined) this.#withdraw(held, false);
        held = undefined;
        return;
      }
      if (held === undefined) { // it was a loop until now
        held = this.#place(at, source, last);
        return;
      }
      if (this.#publisher(next.hops) === held.broadcast.publisher) {
        this.#replace(held, this.#route(at, source, { order: held.route.order, ...last }));
      } else {
        const old = held;
        held = this.#place(at, source, last);
        this.#withdraw(old, false);
      }
    };
    const leave = announcement.peer === true
      ? this.#nodes?.entered({ path: at, told: () => last, again: () => held && change(last) })
      : undefined;
    const offer = (track: string) => {
      if (over || last.tracks?.has(track)) return;
      if (last.tracks === undefined) change(last, new Set());
      (last.tracks as Set<string>).add(track);
      if (held !== undefined) this.#offers?.add(held, track);
    };
    const retract = (track: string) => {
      if (over || !(last.tracks as Set<string> | undefined)?.delete(track)) return;
      if (held !== undefined) this.#offers?.delete(held, track);
    };
    return {
      path: at,
      update: (next) => {
        if (over) return;
        change(next);
        const { tracks } = next;
        if (tracks === undefined) return;
        for (const track of last.tracks ?? []) if (!tracks.has(track)) retract(track);
        for (const track of tracks) offer(track);
      },
      offer,
      retract,
      discourage: () => {
        if (!over) change({ ...last, warm: Infinity, cold: Infinity });
      },
      end: (abrupt = false) => {
        over = true;
        leave?.();
        if (held === undefined) return;
        this.#withdraw(held, abrupt);
        held = undefined;
      },
    };
  }

  /** Tells a listener what is announced below a prefix: at once what there is, then every change. */
  watch(options: WatchOptions, listener: (event: AnnounceEvent) => void): PacedWatch {
    return this.#watchers.add(options, listener);
  }

  /**
   * Tells a listener which tracks are offered one by one below a prefix: first those there are, then every change. A track
   * is told once, however many publishers offer it. `merged` changes nothing, and `ready` holds from the start.
   */
  watchTracks(options: WatchOptions, listener: (event: TrackEvent) => void): PacedWatch {
    return this.#offers?.watch(options, listener) ?? NO_WATCH;
  }

  /**
   * The broadcast that serves a path: the one announced there, else the one with the longest announced path above it whose
   * publisher may serve this path too.
   * @param excludeHop Broadcasts that can only be reached through this hop, or through SIBLINGS, are passed over.
   * @param track It serves this track. A publisher that has offered the very track goes first. Default: any track.
   * @param peer Another node of the cluster asks: what only a third node has is not found.
   */
  find(
    path: string,
    excludeHop: HopId = 0n,
    track?: string,
    peer = false,
  ): Broadcast | undefined {
    const wanted = normalizePath(path);
    const allowed = (route: Route, at: string) =>
      !isExcluded(route, excludeHop) && serves(route, at, wanted, track) &&
      (!peer || route.peer !== true || this.#nodes?.mayServe(route, excludeHop) === true);
    if (track !== undefined) {
      const offered = this.#offers?.find(wanted, track, (route) => allowed(route, wanted));
      if (offered !== undefined) return offered;
    }
    for (const at of prefixesOf(wanted)) {
      const found = this.#paths.current(at, allowed);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * Waits until {@link Origin.find} finds a broadcast for a track.
   * @param timeoutMs Gives up after this long, and after MAX_WAIT_MS. 0 does not wait. Too many that wait are refused, and
   *   counted.
   * @param asker Who asks, for a limit of its own.
   * @param peer As for {@link Origin.find}.
   */
  awaitRoute(
    path: string,
    track: string,
    timeoutMs: number,
    excludeHop?: HopId,
    asker: object = this,
    peer = false,
  ): AwaitedRoute {
    const find = () => this.find(path, excludeHop, track, peer);
    const found = find();
    const awaited = { path: normalizePath(path), track, timeoutMs, asker };
    const waits = found === undefined && timeoutMs > 0
      ? this.#offers?.wait(awaited, find)
      : undefined;
    return waits ?? { promise: Promise.resolve(found), cancel: () => {} };
  }

  /** Every path with the broadcasts that stand there, the served one first. */
  *broadcasts(): IterableIterator<readonly [string, readonly Broadcast[]]> {
    yield* this.#paths;
  }

  #place(path: string, source: BroadcastSource, announcement: Announcement): Held {
    const publisher = this.#publisher(announcement.hops);
    const route = this.#route(path, source, announcement);
    const here = this.#paths.at(path);
    const known = publisher === undefined ? undefined : here.find((b) => b.publisher === publisher);
    const broadcast = known ?? new Broadcast(path, publisher, this.#ofBroadcasts);
    // Somebody else has come: who waited for the lost publisher waits in vain. Its end is told before the new one, so that
    // peers of every version hear that their tracks have to be asked for again.
    if (known === undefined) {
      for (const lost of here) if (lost.lingering) this.#yield(lost, route);
    }
    broadcast.setRoute(route);
    this.#paths.rank(broadcast);
    this.#watchers.tell(path);
    const held: Held = { broadcast, route };
    const before = this.#lost.delete(broadcast);
    this.#offers?.placed(held, before);
    return held;
  }

  /** An announcement has changed, but not its publisher. */
  #replace(held: Held, route: Route): void {
    const { broadcast, route: old } = held;
    held.route = route;
    broadcast.setRoute(route, old);
    this.#paths.rank(broadcast);
    this.#watchers.tell(broadcast.path);
    this.#offers?.replaced(held);
  }

  /** A lost publisher gives its place to a new one: all of it, but tracks only to who offers the same. */
  #yield(lost: Broadcast, route: Route): void {
    const single = lost.lost?.onlyTracks === true && route.onlyTracks === true;
    if (single) this.#offers?.give(lost, route);
    else this.#forget(lost);
  }

  #route(path: string, source: BroadcastSource, announcement: Announcement): Route {
    const order = announcement.order ?? this.#nextOrder();
    this.#order = Math.max(this.#order, order);
    const route = { source, ...announcement, hops: this.#chain(announcement), order };
    return route.peer === true && this.#nodes?.priced(path, route) || route;
  }

  #nextOrder(): number {
    const { index, count } = this.#options.place ?? { index: 0, count: 1 };
    return (Math.floor(this.#order / count) + 1) * count + index;
  }

  /**
   * The chain that others see. All publishers of single tracks are one publisher to them: it does not change when one of
   * several at a path leaves.
   */
  #chain({ hops, onlyTracks = false }: Announcement): readonly HopId[] {
    return onlyTracks && hops.length > 0 ? [this.#stamp, ...hops.slice(1)] : hops;
  }

  #refuses(hops: readonly HopId[]): boolean {
    return hops.length > MAX_HOPS || isLoop(hops, this.hop);
  }

  #publisher(hops: readonly HopId[]): HopId | undefined {
    return hops.length === 0 ? this.hop : publisherOf(hops);
  }

  #withdraw(held: Held, abrupt: boolean): void {
    const { broadcast, route } = held;
    const now = this.context.clock.now();
    if (abrupt) broadcast.lostAtMs = now;
    // What is left after a loss may be echoes, which are withdrawn one after the other.
    const isLost = now - broadcast.lostAtMs < HOLD_BACK_MS;
    if (isLost && this.#mayReturn(held)) return this.#linger(held);
    broadcast.dropRoute(route);
    this.#offers?.withdrawn(held);
    if (broadcast.routes.length === 0) {
      this.#holdEchoes(broadcast, route);
      this.#forget(broadcast);
      return;
    }
    this.#paths.rank(broadcast);
    if (compareRoutes(route, broadcast.routes[0]!) < 0) {
      this.#watchers.keepQuiet(broadcast.path, HOLD_BACK_MS);
    }
    this.#watchers.tell(broadcast.path);
  }

  /** Whether a lost publisher may come back for something that no other one at its path serves. */
  #mayReturn(held: Held): boolean {
    const { broadcast, route } = held;
    const last = broadcast.routes.length === 1 && broadcast.routes[0] === route;
    if (!last || this.#options.lingerMs === 0) return false;
    const others = this.#paths.at(broadcast.path).filter((b) => b !== broadcast);
    if (route.onlyTracks !== true) return others.length === 0;
    return this.#offers?.mayReturn(held, others) === true;
  }

  #linger(held: Held): void {
    const { context, lingerMs } = this.#options;
    const { broadcast, route } = held;
    const cancel = context.clock.after(lingerMs, () => this.#forget(broadcast));
    this.#lost.add(held, cancel);
    broadcast.linger(route);
    this.#paths.rank(broadcast);
    this.#watchers.tell(broadcast.path);
    for (let old = this.#lost.tooMany; old !== undefined; old = this.#lost.tooMany) {
      this.#forget(old);
    }
  }

  /** With unknown hops in the chain, a longer chain at the same path may be an echo of the withdrawn one. */
  #holdEchoes(gone: Broadcast, route: Route): void {
    for (const other of this.#paths.at(gone.path)) {
      const { hops = [], onlyTracks = false } = other.routes[0] ?? {};
      if (onlyTracks || !isAnonymous(hops) || hops.length <= route.hops.length || other.heldBack) {
        continue;
      }
      other.heldBack = true;
      this.#offers?.heldBack(other);
      this.context.clock.after(HOLD_BACK_MS, () => {
        other.heldBack = false;
        this.#watchers.tell(gone.path);
        this.#offers?.heldBack(other);
      });
    }
  }

  #forget(broadcast: Broadcast): void {
    const { path } = broadcast;
    const lost = this.#lost.delete(broadcast);
    if (!this.#paths.delete(broadcast)) return;
    broadcast.abandon();
    if (lost !== undefined) this.#offers?.withdrawn(lost);
    broadcast.gone();
    this.#watchers.tell(path);
    this.#watchers.gone(broadcast);
  }
}

const NO_WATCH: PacedWatch = { catchUp() {}, left() {}, close() {} };
