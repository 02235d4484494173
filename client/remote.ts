/**
 * The peer's broadcasts, over all sessions with it: those it announces, and those it was asked for. A broadcast can be kept
 * when its session is lost. Its subscriptions then continue in the next session, and watchers do not hear of a short loss.
 *
 * @module
 */
import { Broadcast } from "../relay/broadcast.ts";
import type { Renewals } from "../relay/feed/renewals.ts";
import type { AnnounceEvent, Watch } from "../relay/origin.ts";
import { type HopId, isAnonymous, publisherOf, type Route } from "../relay/route.ts";
import type { Track, TrackContext } from "../relay/track.ts";
import { hasPrefix, isHidden, prefixesOf, stripPrefix } from "../wire/path.ts";
import type { Link } from "./link.ts";

/** News of one broadcast. */
export interface BroadcastNews {
  /** Its path, without outer slashes. */
  readonly path: string;
  /** False when it is gone. */
  readonly active: boolean;
  /** Hop ids the broadcast came through, its publisher first. Empty when it is gone. */
  readonly hops: readonly bigint[];
}

interface Entry {
  readonly path: string;
  readonly broadcast: Broadcast;
  publisher: HopId | undefined;
  /** Its route through each link: because the peer announced it, or because it was asked for. */
  readonly announced: Map<Link, Route>;
  readonly asked: Map<Link, Route>;
  /** It was asked for without being announced. */
  wanted: boolean;
  /** The hops that watchers heard last. Absent if they heard nothing, or that it is gone. */
  told: readonly bigint[] | undefined;
  /** It was lost with its session, and may come back. */
  held: boolean;
}

interface Watcher {
  readonly prefix: string;
  readonly listener: (news: BroadcastNews) => void;
}

/** A track of the peer. Its broadcast need not be announced yet. */
export interface SoughtTrack {
  readonly path: string;
  readonly name: string;
  /** The track in the broadcast that serves the path now. */
  find(): Track;
  /** Whether this very broadcast is announced now. */
  readonly announced: boolean;
  /** There is no session, and none will follow. */
  readonly over: boolean;
  /** Calls back when the broadcast, or one above it, is announced or may be there, and when it is {@link over}. */
  watch(listener: () => void): Watch;
}

interface Seeker {
  readonly path: string;
  readonly listener: () => void;
}

export interface RemoteOptions {
  readonly context: TrackContext;
  /** How long a group that was interrupted with its session waits for the next session, in milliseconds. */
  readonly resumeMs: number;
  /** Notices publishers that have begun anew: for a client that may have more than one session. */
  readonly renewals?: Renewals | undefined;
}

/** How long to wait before a hidden broadcast is asked for again. */
const HIDDEN_MS = 1000;

export class Remote {
  readonly #options: RemoteOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #links = new Map<Link, Map<string, Watch>>();
  readonly #watchers = new Set<Watcher>();
  readonly #seekers = new Set<Seeker>();
  /** The newest link, also after its end: a request then fails with its reason. */
  #last: Link | undefined;
  #holding = false;
  #over = false;
  #order = 0;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** Adds a session and follows its announcements. */
  attach(link: Link): void {
    this.#links.set(link, new Map());
    this.#last = link;
    for (const entry of this.#entries.values()) if (entry.wanted) this.#ask(entry, link);
    this.#follow(link, "");
    for (const { prefix } of this.#watchers) if (isHidden(prefix)) this.#follow(link, prefix);
  }

  /** Removes a session. Broadcasts that only it offered are gone, or are kept after {@link hold}. */
  detach(link: Link): void {
    for (const watch of this.#links.get(link)?.values() ?? []) watch.close();
    this.#links.delete(link);
    for (const entry of [...this.#entries.values()]) {
      const asked = entry.asked.get(link);
      entry.asked.delete(link);
      this.#lose(entry, link, this.#holding);
      if (asked !== undefined) entry.broadcast.dropRoute(asked);
    }
  }

  /** From now on lost broadcasts are expected back: their readers wait, and watchers are not told. */
  hold(): void {
    this.#holding = true;
    for (const { broadcast } of this.#entries.values()) broadcast.lingering = true;
  }

  /** Broadcasts that have not come back by now are gone. */
  settle(): void {
    if (!this.#holding) return;
    this.#holding = false;
    for (const entry of [...this.#entries.values()]) {
      if (entry.held) this.#gone(entry);
      entry.broadcast.abandon();
    }
  }

  /** No session follows. Tells everybody who waits for an announcement. */
  end(): void {
    this.#over = true;
    for (const { listener } of [...this.#seekers]) listener();
  }

  /** Tells a listener what there is below a prefix, then every change. */
  watch(prefix: string, listener: (news: BroadcastNews) => void): Watch {
    const watcher: Watcher = { prefix, listener };
    this.#watchers.add(watcher);
    for (const { path, told } of this.#entries.values()) {
      if (told !== undefined && sees(watcher, path)) listener({ path, active: true, hops: told });
    }
    if (isHidden(prefix)) { for (const link of this.#links.keys()) this.#follow(link, prefix); }
    return { close: () => this.#watchers.delete(watcher) };
  }

  /** The broadcast that serves a path: one announced at the path or above it. If there is none, the peer is asked for it. */
  broadcast(path: string): Broadcast {
    for (const at of prefixesOf(path)) {
      const entry = this.#entries.get(at);
      if (entry?.told !== undefined) return entry.broadcast;
    }
    const entry = this.#entries.get(path) ?? this.#enter(path);
    if (!entry.wanted) {
      entry.wanted = true;
      const links = this.#links.size > 0 ? this.#links.keys() : this.#last ? [this.#last] : [];
      for (const link of links) this.#ask(entry, link);
    }
    return entry.broadcast;
  }

  /** Whether this very broadcast is announced now. */
  announces(path: string): boolean {
    return this.#entries.get(path)?.told !== undefined;
  }

  /** A track to subscribe to, now or when its broadcast is announced. */
  seek(path: string, name: string): SoughtTrack {
    const announced = () => this.announces(path);
    const over = () => this.#over;
    return {
      path,
      name,
      find: () => this.broadcast(path).track(path, name),
      get announced() {
        return announced();
      },
      get over() {
        return over();
      },
      watch: (listener) => this.#seek({ path, listener }),
    };
  }

  #seek(seeker: Seeker): Watch {
    this.#seekers.add(seeker);
    // A hidden broadcast is not announced to us, so it is asked for again.
    const cancel = isHidden(seeker.path)
      ? this.#options.context.clock.after(HIDDEN_MS, seeker.listener)
      : undefined;
    const close = () => {
      this.#seekers.delete(seeker);
      cancel?.();
    };
    return { close };
  }

  #follow(link: Link, prefix: string): void {
    const watches = this.#links.get(link)!;
    if (watches.has(prefix)) return;
    const hear = (event: AnnounceEvent) => this.#hear(link, event);
    watches.set(prefix, link.arrivals.watch({ prefix }, hear));
  }

  #hear(link: Link, event: AnnounceEvent): void {
    if (event.route === undefined) {
      const entry = this.#entries.get(event.path);
      if (entry !== undefined) this.#lose(entry, link, link.leaving && this.#holding);
      return;
    }
    const { hops, warm, cold } = event.route;
    // A session makes up the id of a publisher that gave none, so that id cannot be compared across sessions.
    const publisher = isAnonymous(hops) ? undefined : publisherOf(hops);
    let entry = this.#entries.get(event.path);
    if (entry !== undefined && differ(entry.publisher, publisher)) {
      // Readers of the earlier broadcast keep it as long as it lasts.
      entry.wanted = false;
      entry.told = undefined;
      this.#gone(entry);
      const before = entry.announced.get(link);
      if (before !== undefined) entry.broadcast.dropRoute(before);
      entry = undefined;
    }
    entry ??= this.#enter(event.path);
    entry.publisher ??= publisher;
    const route: Route = { source: link.source, hops, warm, cold, order: ++this.#order };
    const old = entry.announced.get(link);
    entry.announced.set(link, route);
    this.#route(entry, route, old);
    const returned = entry.held || this.#links.size > 1;
    entry.held = false;
    if (entry.told !== undefined && (returned || same(entry.told, hops))) entry.told = hops;
    else this.#tell(entry, hops);
  }

  /** A link no longer announces it. */
  #lose(entry: Entry, link: Link, hold: boolean): void {
    const route = entry.announced.get(link);
    if (route === undefined) return;
    entry.announced.delete(link);
    if (entry.announced.size === 0 && hold) entry.held = true;
    entry.broadcast.dropRoute(route);
    if (entry.announced.size === 0 && !hold) this.#gone(entry);
  }

  /** Nobody announces it any more, and it is not expected back. */
  #gone(entry: Entry): void {
    entry.held = false;
    if (this.#entries.get(entry.path) === entry && !entry.wanted) this.#entries.delete(entry.path);
    if (entry.told !== undefined) this.#tell(entry, undefined);
    if (!entry.wanted) entry.broadcast.abandon();
  }

  #enter(path: string): Entry {
    const { context, resumeMs: lingerMs, renewals } = this.#options;
    const onRenewed = () => this.#renewed(entry);
    const broadcast = new Broadcast(path, undefined, { context, lingerMs, renewals, onRenewed });
    broadcast.lingering = this.#holding;
    const [announced, asked] = [new Map<Link, Route>(), new Map<Link, Route>()];
    const rest = { publisher: undefined, wanted: false, told: undefined, held: false };
    const entry: Entry = { path, broadcast, announced, asked, ...rest };
    this.#entries.set(path, entry);
    return entry;
  }

  /** Its publisher has begun anew while we had no session, or came to another node. */
  #renewed(entry: Entry): void {
    const { told } = entry;
    if (told === undefined) return;
    this.#tell(entry, undefined);
    this.#tell(entry, told);
  }

  /** It is not announced, or not yet. Only the peer can have it. */
  #ask(entry: Entry, link: Link): void {
    if (entry.announced.has(link)) return;
    const order = ++this.#order;
    const route: Route = { source: link.source, hops: [0n], warm: 0, cold: Infinity, order };
    entry.asked.set(link, route);
    this.#route(entry, route);
  }

  #route(entry: Entry, route: Route, instead?: Route): void {
    entry.broadcast.setRoute(route, instead);
    entry.broadcast.lingering = this.#holding;
  }

  #tell(entry: Entry, hops: readonly bigint[] | undefined): void {
    entry.told = hops;
    const news = { path: entry.path, active: hops !== undefined, hops: hops ?? [] };
    for (const watcher of this.#watchers) if (sees(watcher, entry.path)) watcher.listener(news);
    if (!news.active) return;
    for (const { path, listener } of [...this.#seekers]) {
      if (hasPrefix(path, entry.path)) listener();
    }
  }
}

/** A hidden broadcast is shown only to those who ask below its hidden segment. */
function sees({ prefix }: Watcher, path: string): boolean {
  return hasPrefix(path, prefix) && !isHidden(stripPrefix(path, prefix)!);
}

function same(a: readonly bigint[], b: readonly bigint[]): boolean {
  return a.length === b.length && a.every((hop, i) => hop === b[i]);
}

/** Whether these are certainly two publishers. */
function differ(a: HopId | undefined, b: HopId | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
