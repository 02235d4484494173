/**
 * Handlers by broadcast path: one object that serves many broadcasts, of a client or a server.
 *
 * @module
 */
import { reasonOf } from "../base/errors.ts";
import { NotFound } from "../relay/errors.ts";
import type { Announced, Origin } from "../relay/origin.ts";
import {
  type BroadcastSource,
  type FetchRequest,
  OWN_TRACK_INFO,
  type TrackInfo,
  type TrackRequest,
} from "../relay/ports.ts";
import { Track, type TrackFeed } from "../relay/track.ts";
import { normalizePath } from "../wire/path.ts";
import { refuse, TrackProducer } from "./publish.ts";

/** A request for a track. */
export interface MuxRequest {
  /** The path of the broadcast. */
  readonly path: string;
  /** The name of the track. */
  readonly track: string;
  /** The values of the pattern's wildcards, in order; `**` is one text. */
  readonly wildcards: readonly string[];
  /** The merged request of all current readers: priority, latency, range of groups. It can change: `track.wanted` has the current one. */
  readonly wanted: TrackRequest;
  /** Aborts when the track has ended, or has no reader any more. Stop writing then. */
  readonly signal: AbortSignal;
}

/**
 * Writes one track while it has readers. It is called once for all readers, and again when a reader comes after all have
 * left. It may return at once and write later. Throwing {@link NotFound} refuses the track; any other error ends it.
 */
export type TrackHandler = (request: MuxRequest, track: TrackProducer) => void | Promise<void>;

/** How a handler is registered. */
export interface HandleOptions {
  /** Properties of its tracks. */
  readonly info?: Partial<TrackInfo>;
}

/** A registered handler. */
export interface Registration extends Disposable {
  /** The pattern, without outer slashes. */
  readonly pattern: string;
  /** Withdraws the announcement. Tracks that are served go on to their end. */
  close(): void;
}

/** The handler of a path, and the values of its wildcards. */
interface Found {
  readonly route: Route;
  readonly wildcards: readonly string[];
}

interface Route {
  readonly pattern: readonly string[];
  readonly announce: string;
  readonly handler: TrackHandler;
  readonly info: Partial<TrackInfo>;
}

/** How long a track without readers is kept, in milliseconds. Until then its groups can be fetched. */
const IDLE_MS = 30_000;

/**
 * Calls the handler of a requested path. A pattern is a path with wildcards: `*` stands for exactly one segment; `**` is the
 * last segment and stands for any number of segments, even none. `room/*` matches `room/alice`. `room/**` also matches
 * `room/alice/screen` and `room`. If several patterns match, the first segment in which they differ decides: a fixed segment
 * goes before `*`, and `*` before `**`.
 *
 * Each pattern is announced up to its first wildcard. Relays ask for everything below the announced path.
 */
export class TrackMux {
  readonly #routes = new Map<string, Route>();
  readonly #bound = new Set<Bound>();

  /** Registers a handler and announces its pattern. @throws {RangeError} The pattern is taken, or has `**` before its end. */
  handle(pattern: string, handler: TrackHandler, options: HandleOptions = {}): Registration {
    const text = normalizePath(pattern);
    const parts = text === "" ? [] : text.split("/");
    const any = parts.indexOf("**");
    if (any >= 0 && any < parts.length - 1) {
      throw new RangeError(`Cannot handle "${pattern}": ** may only be its last segment`);
    }
    if (this.#routes.has(text)) throw new RangeError(`Cannot handle "${pattern}": it is taken`);
    const wild = parts.findIndex((part) => part === "*" || part === "**");
    const announce = parts.slice(0, wild < 0 ? parts.length : wild).join("/");
    this.#routes.set(text, { pattern: parts, announce, handler, info: options.info ?? {} });
    for (const bound of this.#bound) bound.announce(announce);
    const close = () => {
      if (!this.#routes.delete(text)) return;
      for (const bound of this.#bound) bound.retract(announce);
    };
    return { pattern: text, close, [Symbol.dispose]: close };
  }

  /**
   * Announces and serves everything in an origin, until the result is disposed of.
   * @internal
   */
  bind(origin: Origin): Disposable {
    const bound = new Bound((path) => this.#find(path), origin);
    this.#bound.add(bound);
    for (const { announce } of this.#routes.values()) bound.announce(announce);
    return {
      [Symbol.dispose]: () => {
        this.#bound.delete(bound);
        bound.close();
      },
    };
  }

  #find(path: string): Found | undefined {
    const parts = path === "" ? [] : path.split("/");
    let best: Found | undefined;
    for (const route of this.#routes.values()) {
      const wildcards = match(route.pattern, parts);
      if (wildcards === undefined) continue;
      if (best === undefined || rank(route.pattern) < rank(best.route.pattern)) {
        best = { route, wildcards };
      }
    }
    return best;
  }
}

/** Sorts the closest match first: per segment fixed, `*`, `**`. */
function rank(pattern: readonly string[]): string {
  return pattern.map((part) => part === "**" ? "3" : part === "*" ? "2" : "1").join("") + "0";
}

/** The values of the wildcards, or `undefined` if the pattern does not match. */
function match(pattern: readonly string[], path: readonly string[]): string[] | undefined {
  const open = pattern.at(-1) === "**";
  const fixed = open ? pattern.length - 1 : pattern.length;
  if (open ? path.length < fixed : path.length !== fixed) return undefined;
  const wildcards: string[] = [];
  for (let i = 0; i < fixed; i++) {
    if (pattern[i] === "*") wildcards.push(path[i]!);
    else if (pattern[i] !== path[i]) return undefined;
  }
  if (open) wildcards.push(path.slice(fixed).join("/"));
  return wildcards;
}

/** A mux in one origin: the source of all its broadcasts there. */
class Bound implements BroadcastSource {
  readonly label = "mux";
  readonly #find: (path: string) => Found | undefined;
  readonly #origin: Origin;
  readonly #announced = new Map<string, { readonly place: Announced | undefined; uses: number }>();
  readonly #tracks = new Map<string, Demand>();

  constructor(find: (path: string) => Found | undefined, origin: Origin) {
    this.#find = find;
    this.#origin = origin;
  }

  announce(path: string): void {
    const known = this.#announced.get(path);
    if (known !== undefined) return void known.uses++;
    const place = this.#origin.announce(path, this, { hops: [], warm: 0, cold: 0 });
    this.#announced.set(path, { place, uses: 1 });
  }

  retract(path: string): void {
    const known = this.#announced.get(path);
    if (known === undefined || --known.uses > 0) return;
    this.#announced.delete(path);
    known.place?.end();
  }

  close(): void {
    for (const { place } of this.#announced.values()) place?.end();
    this.#announced.clear();
  }

  ownTrack(path: string, name: string): Track | undefined {
    const key = `${path}\0${name}`;
    const known = this.#tracks.get(key);
    if (known !== undefined) return known.track;
    const found = this.#find(path);
    if (found === undefined) return undefined;
    const track = new Track(path, name, this.#origin.context);
    track.info = { ...OWN_TRACK_INFO, ...found.route.info };
    const demand = new Demand(track, found, () => this.#tracks.delete(key));
    this.#tracks.set(key, demand);
    return track;
  }

  trackInfo(path: string, name: string): Promise<TrackInfo> {
    const own = this.ownTrack(path, name);
    if (own !== undefined) return Promise.resolve(own.info);
    return Promise.reject(new NotFound(`track ${name} of ${path}`));
  }

  subscribe(...[path, track, , sink]: Parameters<BroadcastSource["subscribe"]>) {
    return refuse(path, track, sink);
  }

  fetch(path: string, track: string, { group }: FetchRequest): Promise<void> {
    return Promise.reject(new NotFound(`group ${group} of track ${track} of ${path}`, "group"));
  }
}

/** One track, written by its handler while there are readers. */
class Demand implements TrackFeed {
  readonly #found: Found;
  readonly #forget: () => void;
  #running: { readonly over: AbortController; readonly producer: TrackProducer } | undefined;
  #cancelForget: (() => void) | undefined;

  constructor(readonly track: Track, found: Found, forget: () => void) {
    this.#found = found;
    this.#forget = forget;
    track.feed = this;
    this.#forgetLater();
  }

  start(): void {
    this.#cancelForget?.();
    this.#running?.producer.supersede();
    const over = new AbortController();
    const producer = new TrackProducer(this.track, () => {
      over.abort();
      this.#forgetLater();
    });
    this.#running = { over, producer };
    // Later, when the new reader has been counted.
    queueMicrotask(() => void this.#run(producer, over.signal));
  }

  stop(): void {
    this.#running?.over.abort();
    this.#forgetLater();
  }

  update(): void {} // the handler looks at `wanted` when it likes

  async #run(producer: TrackProducer, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { route: { handler }, wildcards } = this.#found;
    const { broadcast: path, name: track } = this.track;
    try {
      await handler({ path, track, wildcards, wanted: producer.wanted, signal }, producer);
    } catch (error) {
      if (signal.aborted) return; // it was told to stop, and has
      producer.abort(reasonOf(error), error instanceof NotFound ? "not-found" : "lost");
    }
  }

  #forgetLater(): void {
    this.#cancelForget?.();
    this.#cancelForget = this.track.context.clock.after(IDLE_MS, () => {
      if (this.track.readers > 0) return;
      this.track.clear();
      this.#running?.producer.supersede();
      this.#forget();
    });
  }
}
