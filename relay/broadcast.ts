/**
 * What one publisher offers at one path: its routes, the best first, and the tracks that were asked for.
 *
 * @module
 */
import { NotFound, TooManyTracks } from "./errors.ts";
import { Feed, type FeedRoutes } from "./feed/feed.ts";
import type { Renewals, SourcesFollowed } from "./feed/renewals.ts";
import { type Fetches, fetching } from "./fetches/loading.ts";
import type { Group, Subgroup } from "./group/group.ts";
import type { BroadcastSource, FetchRequest, TrackInfo } from "./ports.ts";
import {
  compareRoutes,
  type HopId,
  isExcluded,
  isKept,
  preferred,
  type Route,
  serves,
  UPDATE_HOLD_MS,
} from "./route.ts";
import { Track, type TrackContext } from "./track.ts";
import { trackKey } from "../wire/path.ts";

/** How long a track that nobody reads is remembered, in milliseconds. */
const IDLE_TRACK_MS = 30_000;
/** Most of these in one broadcast. The one that lost its readers first is forgotten first. */
const MAX_IDLE_TRACKS = 32;

/**
 * How soon a source offers a broadcast again after its tracks have ended, if its publisher has begun anew. It says both at once,
 * on different streams.
 */
const RENEWED_MS = 2000;

export interface BroadcastOptions {
  readonly context: TrackContext;
  readonly lingerMs: number;
  /** Notices a publisher that has begun anew. Absent where a publisher is only ever heard through one source. */
  readonly renewals?: Renewals | undefined;
  /** Its publisher has begun anew: its tracks have ended, and whoever reads them asks again. Its routes stay. */
  readonly onRenewed?: (broadcast: Broadcast) => void;
}

interface Entry {
  readonly track: Track;
  readonly feed: Feed;
  readonly key: string;
  /** Routes through this hop do not serve it; 0n for none. */
  readonly exclude: HopId;
  forget: (() => void) | undefined;
}

export class Broadcast {
  /** Its publisher was lost. It stays announced for a while, as the publisher may come back. */
  lingering = false;
  /** When a route was last lost without a word. */
  lostAtMs = -Infinity;
  #isGone = false;
  /** It may be an echo of a route that has just been withdrawn. New readers do not see it for a moment. */
  heldBack = false;
  readonly #options: BroadcastOptions;
  #routes: Route[] = [];
  #lost: Route | undefined;
  /** By path and name; one entry for each hop that has to be left out. */
  readonly #entries = new Map<string, Entry[]>();
  /** Entries without readers, in the order in which they lost them. */
  readonly #idle = new Set<Entry>();
  /** Entries whose track was not confirmed when they were last checked. */
  readonly #asked = new Set<Entry>();
  #fetches: Fetches | undefined;
  /** Whether better routes are looked for in a moment. */
  #looksSoon = false;
  readonly #followed: SourcesFollowed | undefined;
  readonly #whenGone = new Set<() => void>();

  constructor(
    readonly path: string,
    readonly publisher: HopId | undefined,
    options: BroadcastOptions,
  ) {
    this.#options = options;
    this.#followed = options.renewals?.follow(options.context.clock, () => this.renew());
  }

  /** It is not announced any more, and does not come back. */
  gone(): void {
    this.#isGone = true;
    for (const then of this.#whenGone) then();
    this.#whenGone.clear();
  }

  /** Calls back if it is gone, now or within a moment: the end of a track may come before that of its broadcast. */
  whenGone(then: () => void): void {
    if (this.#isGone) return then();
    this.#whenGone.add(then);
    this.#options.context.clock.after(RENEWED_MS, () => this.#whenGone.delete(then));
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  /**
   * Every track that has readers, or had them a moment ago, and those that a source writes by itself; each with the route that
   * it comes by now.
   */
  *tracks(): IterableIterator<{ readonly track: Track; readonly route: Route | undefined }> {
    for (const { track, feed } of this.#fed()) yield { track, route: feed.route };
    for (const route of this.#routes) {
      for (const track of route.source.ownTracks?.(this.path) ?? []) yield { track, route };
    }
  }

  *#fed(): IterableIterator<Entry> {
    for (const entries of this.#entries.values()) yield* entries;
  }

  /** The route that its publisher was lost with, while it lingers. */
  get lost(): Route | undefined {
    return this.#lost;
  }

  /**
   * The best route that does not run through `excludeHop` and may serve `path`: this path or one below it.
   * @param track It serves this track. A route that has offered the very track goes first. Default: any.
   */
  best(excludeHop: HopId = 0n, path: string = this.path, track?: string): Route | undefined {
    return this.#usable(path, excludeHop, track)[0];
  }

  #usable(path: string, excludeHop: HopId, track?: string): readonly Route[] {
    const usable = this.#routes.filter((route) =>
      !isExcluded(route, excludeHop) && serves(route, this.path, path, track)
    );
    if (track === undefined || path !== this.path || usable.length < 2) return usable;
    return usable.sort((a, b) => Number(preferred(b, track)) - Number(preferred(a, track)));
  }

  /** Adds a route, or replaces an older one of the same source. */
  setRoute(route: Route, instead?: Route): void {
    const at = instead === undefined ? -1 : this.#routes.indexOf(instead);
    if (at >= 0) this.#routes.splice(at, 1);
    this.#routes.push(route);
    this.#routes.sort(compareRoutes);
    const returned = this.lingering;
    this.lingering = false;
    this.#lost = undefined;
    if (at < 0) { for (const { feed } of this.#fed()) feed.welcome(route.source); }
    if (route.peer === true) this.#rerouteSoon();
    else this.#reroute();
    if (returned && route.onlyTracks === true) this.#abandonUnserved();
    if (at < 0) this.#followed?.offered(route.source);
  }

  /** Its publisher has begun anew: every track ends for its readers, and then the broadcast for those who watch it. */
  renew(): void {
    this.#followed?.begun();
    for (const { feed } of [...this.#fed()]) feed.renew();
    this.#options.onRenewed?.(this);
  }

  dropRoute(route: Route): void {
    const at = this.#routes.indexOf(route);
    if (at < 0) return;
    this.#routes.splice(at, 1);
    this.#followed?.withdrawn(route.source);
    this.#reroute();
  }

  /** The publisher was lost with its last route. It may come back. */
  linger(route: Route): void {
    this.lingering = true;
    this.#lost = route;
    this.dropRoute(route);
  }

  /** The publisher does not come back. What still runs continues to its own end. */
  abandon(): void {
    this.lingering = false;
    this.#lost = undefined;
    for (const { feed } of [...this.#fed()]) feed.forsake();
  }

  /** The feeds of one of its tracks. */
  feedsOf(track: string): readonly Feed[] {
    return (this.#entries.get(trackKey(this.path, track)) ?? []).map(({ feed }) => feed);
  }

  /** Whether the lost publisher may come back with this track. */
  #awaits(path: string, track: string): boolean {
    const lost = this.#lost;
    return this.lingering && (lost === undefined || serves(lost, this.path, path, track));
  }

  /** The publisher is back without some of its tracks: nobody waits for these any more. */
  #abandonUnserved(): void {
    for (const { track: { broadcast, name }, feed } of [...this.#fed()]) {
      if (this.best(0n, broadcast, name) === undefined) feed.abandon();
    }
  }

  /**
   * A track of this broadcast. The first call makes it.
   * @param path The broadcast asked for: this path, or one below it that the publisher may serve too.
   * @param excludeHop The hop of the reader: no route through it may serve the reader. {@link SIBLINGS} for another thread
   *   of this relay: no third thread is asked for it.
   * @throws {TooManyTracks} Too many tracks wait for the publisher to confirm them.
   */
  track(path: string, name: string, excludeHop: HopId = 0n): Track {
    const own = this.best(excludeHop, path, name)?.source.ownTrack?.(path, name);
    if (own !== undefined) return own;
    const key = trackKey(path, name);
    const exclude = this.#excluded(path, name, excludeHop);
    const known = this.#entries.get(key)?.find((entry) => entry.exclude === exclude);
    if (known !== undefined) {
      this.#keep(known);
      return known.track;
    }
    this.#mayAsk();
    const track = new Track(path, name, this.#options.context);
    const feed = new Feed(track, this.#feedRoutes(track, exclude));
    track.feed = feed;
    const entry: Entry = { track, feed, exclude, key, forget: undefined };
    track.onReaders = (any) => any ? this.#keep(entry) : this.#left(entry);
    track.onHop = (any) => {
      if (any && feed.route !== undefined && this.#isSound(feed.route.source)) feed.reroute();
      else this.#lookSoon();
    };
    this.#asked.add(entry);
    this.#keep(entry);
    return track;
  }

  /**
   * Which hop a feed for this reader has to leave out. The feed that all others share serves it too, but for one whose route
   * runs through the reader. If it is about to take a better route that does not, it serves the reader and takes that one now.
   */
  #excluded(path: string, name: string, excludeHop: HopId): HopId {
    if (excludeHop === 0n) return 0n;
    const shared = this.#entries.get(trackKey(path, name))?.find(({ exclude }) => exclude === 0n);
    const source = shared?.feed.route?.source;
    const used = this.#routes.find((route) => route.source === source) ??
      this.best(0n, path, name);
    if (used === undefined || !isExcluded(used, excludeHop)) return 0n;
    const other = this.best(excludeHop, path, name);
    return other !== undefined && compareRoutes(other, used) < 0 ? 0n : excludeHop;
  }

  /** A track's properties, from the source that serves it. @throws {NotFound} @throws {SourceLost} */
  async trackInfo(path: string, name: string, excludeHop: HopId = 0n): Promise<TrackInfo> {
    const route = this.best(excludeHop, path, name);
    if (route === undefined) throw new NotFound(`a route to broadcast ${path}`, "broadcast");
    const told = this.#entries.get(trackKey(path, name))?.find(({ track }) =>
      track.infoTold && track.readers > 0
    );
    if (told !== undefined) return told.track.info;
    return await route.source.trackInfo(path, name);
  }

  /** As {@link Fetches.fetch}. */
  async fetch(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId = 0n,
  ): Promise<Subgroup> {
    const code = fetching.get();
    return await this.#fetching("then" in code ? await code : code)
      .fetch(path, name, request, excludeHop);
  }

  /**
   * As {@link Fetches.fetchGroup}.
   * @param excludeHop The hop of the reader, as in {@link Broadcast.track}.
   */
  async fetchGroup(
    path: string,
    name: string,
    request: FetchRequest,
    excludeHop: HopId = 0n,
  ): Promise<Group> {
    const code = fetching.get();
    return await this.#fetching("then" in code ? await code : code)
      .fetchGroup(path, name, request, excludeHop);
  }

  #fetching({ fetchesOf }: Exclude<ReturnType<typeof fetching.get>, Promise<unknown>>): Fetches {
    return this.#fetches ??= fetchesOf({
      context: this.#options.context,
      usable: (path, excludeHop, track) => this.#usable(path, excludeHop, track),
      isPassedBy: (hop) => this.#routes.some((route) => isExcluded(route, hop)),
      kept: (path, name, excludeHop) => {
        const own = this.best(excludeHop, path, name)?.source.ownTrack?.(path, name);
        if (own !== undefined) return [own];
        return (this.#entries.get(trackKey(path, name)) ?? []).map(({ track }) => track);
      },
      trackInfo: (path, name, excludeHop) => this.trackInfo(path, name, excludeHop),
    });
  }

  /** A route through a reader is the last choice. */
  #feedRoutes(track: Track, excludeHop: HopId): FeedRoutes {
    const { broadcast: path, name } = track;
    const find = (except: ReadonlySet<BroadcastSource>, used?: BroadcastSource) => {
      const usable = this.#usable(path, excludeHop, name).filter((r) => !except.has(r.source));
      const good = usable.filter((route) => !isThroughOne(route, track.hops));
      const [best] = good.length > 0 ? good : usable;
      const kept = good.find(({ source }) => source === used);
      return best !== undefined && kept !== undefined && isKept(kept, best) ? kept : best;
    };
    const awaited = () => this.#awaits(path, name);
    return {
      best: find,
      get awaited() {
        return awaited();
      },
      resumeMs: this.#options.lingerMs,
      isSound: (source) => this.#isSound(source),
      renew: () => this.renew(),
      renewals: this.#options.renewals,
      ended: () => this.#followed?.ended(),
    };
  }

  #reroute(): void {
    for (const { feed } of [...this.#fed()]) feed.reroute();
  }

  /** Feeds with a sound source take a better route of another node in a moment: they do not run after each of its changes. */
  #rerouteSoon(): void {
    for (const { feed } of [...this.#fed()]) {
      if (feed.route === undefined || !this.#isSound(feed.route.source)) feed.reroute();
    }
    this.#lookSoon();
  }

  /**
   * Looks for better routes in a moment. Relays that have lost the publisher read from each other: each takes another route
   * when the other one comes or leaves, and that would go on for ever in one moment.
   */
  #lookSoon(): void {
    if (this.#looksSoon || this.#entries.size === 0) return;
    this.#looksSoon = true;
    this.#options.context.clock.after(UPDATE_HOLD_MS, () => {
      this.#looksSoon = false;
      this.#reroute();
    });
  }

  /** Whether a source still offers the broadcast, has not lost its own source, and does not leave. */
  #isSound(source: BroadcastSource): boolean {
    return this.#routes.some((route) => route.source === source && route.warm !== Infinity);
  }

  /** Limits the tracks that are not confirmed, so that requests for ever new names do not fill the memory. */
  #mayAsk(): void {
    const { maxAskedTracks = Infinity, stats } = this.#options.context;
    if (this.#asked.size < maxAskedTracks) return;
    for (const entry of this.#asked) if (entry.track.known) this.#asked.delete(entry);
    if (this.#asked.size < maxAskedTracks) return;
    stats.tracksRefused++;
    throw new TooManyTracks(this.path, maxAskedTracks);
  }

  /** Keeps the entry, and starts the time anew after which it is forgotten without readers. */
  #keep(entry: Entry): void {
    const entries = this.#entries.get(entry.key) ?? [];
    if (!entries.includes(entry)) this.#entries.set(entry.key, [...entries, entry]);
    entry.forget?.();
    this.#idle.delete(entry);
    entry.forget = this.#options.context.clock.after(IDLE_TRACK_MS, () => {
      if (entry.track.readers > 0) return this.#keep(entry);
      this.#drop(entry);
    });
  }

  /** Its last reader has left. An entry that never had a group is forgotten at once. */
  #left(entry: Entry): void {
    if (this.#entries.get(entry.key)?.includes(entry) !== true) return;
    if (entry.track.groupsIn === 0) return this.#drop(entry);
    this.#idle.delete(entry);
    this.#idle.add(entry);
    if (this.#idle.size <= MAX_IDLE_TRACKS) return;
    const [oldest] = this.#idle;
    this.#drop(oldest!);
  }

  #drop(entry: Entry): void {
    entry.forget?.();
    entry.track.clear();
    this.#idle.delete(entry);
    this.#asked.delete(entry);
    const left = (this.#entries.get(entry.key) ?? []).filter((other) => other !== entry);
    if (left.length > 0) this.#entries.set(entry.key, left);
    else this.#entries.delete(entry.key);
  }
}

function isThroughOne(route: Route, hops: Iterable<HopId>): boolean {
  for (const hop of hops) if (isExcluded(route, hop)) return true;
  return false;
}
