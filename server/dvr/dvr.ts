/**
 * Records the broadcasts whose paths match, for as long as they are announced. The archive (`archive.ts`) gives the groups
 * to viewers that look back.
 *
 * @module
 */
import { Burst } from "../../base/burst.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import {
  type MediaStore,
  type Retention,
  type StoredGroup,
  TrackTaken,
} from "../../storage/store.ts";
import type { Watch } from "../../relay/origin.ts";
import type { Relay } from "../relay.ts";
import { CATALOG_TRACK } from "../../media/hang/catalog.ts";
import {
  MAX_RENDITIONS,
  type NamedTracks,
  parseCatalog,
  tracksNamed,
} from "../../media/hang/catalog_json.ts";
import { matcherOf } from "../../wire/path_pattern.ts";
import { TrackRecorder } from "./track_recorder.ts";

export interface DvrOptions {
  readonly relay: Relay;
  readonly store: MediaStore;
  /** Patterns of the broadcasts to record. */
  readonly record: readonly string[];
  /** Tracks to record besides those in the catalog. */
  readonly tracks: readonly string[];
  readonly retention: Retention;
  /** Most tracks that are recorded at one time, over all broadcasts. */
  readonly maxTracks: number;
  readonly log: Logger;
}

/** What is kept of a track. */
export interface KeptTrack {
  readonly track: string;
  readonly frames: number;
  readonly bytes: number;
  readonly first: StoredGroup;
  readonly last: StoredGroup;
}

/** Pause between two warnings. */
const COMPLAIN_MS = 10_000;
/** How many changes of its tracks a broadcast may make at once, and then one per interval. */
const CHANGES = 20;
const CHANGE_EVERY_MS = 2_000;

/** One broadcast that is recorded. */
interface Recorded {
  readonly recorders: Map<string, TrackRecorder>;
  readonly changes: Burst;
  /** Tracks that wait for the end of another one. */
  readonly waiting: Set<string>;
  /** Tracks of its catalog beyond the limit for one broadcast, or that changed too fast. */
  leftOut: number;
  /** Ends the wait for the next change. */
  cancel: () => void;
}

/** Its owner stops it before the store is closed. */
export class Dvr {
  /** Groups that could not be kept completely. */
  groupsLost = 0;
  readonly store: MediaStore;
  readonly #o: DvrOptions;
  readonly #broadcasts = new Map<string, Recorded>();
  /** Paths of broadcasts with waiting tracks. */
  readonly #short = new Set<string>();
  readonly #watch: Watch;
  readonly #asking = new Map<string, Promise<KeptTrack[]>>();
  #recording = 0;
  #complainedAtMs = -Infinity;
  #toldAtMs = -Infinity;
  #stopped = false;

  constructor(options: DvrOptions) {
    this.#o = options;
    this.store = options.store;
    const wanted = matcherOf(options.record);
    this.#watch = options.relay.origin.watch({}, ({ kind, path }) => {
      if (!wanted(path)) return;
      if (kind === "ended") this.#end(path);
      else if (!this.#broadcasts.has(path)) this.#begin(path);
    });
  }

  /** Tracks that are recorded now. */
  get recording(): number {
    return this.#recording;
  }

  /** Tracks that should be recorded and are not, because there are too many. */
  get notRecorded(): number {
    return this.#broadcasts.values().reduce((sum, one) => sum + missing(one), 0);
  }

  /** The same of one broadcast. */
  notRecordedOf(path: string): number {
    const recorded = this.#broadcasts.get(path);
    return recorded === undefined ? 0 : missing(recorded);
  }

  /** The kept tracks of a broadcast. Callers at the same time share the answer. @throws {StorageUnavailable} */
  kept(path: string): Promise<KeptTrack[]> {
    const under = this.#asking.get(path);
    if (under !== undefined) return under;
    const asking = this.#kept(path).finally(() => this.#asking.delete(path));
    this.#asking.set(path, asking);
    return asking;
  }

  async #kept(path: string): Promise<KeptTrack[]> {
    const tracks = await this.store.list(path);
    const found = await Promise.all(tracks.map(async ({ track, frames, bytes }) => {
      const key = { broadcast: path, track };
      const [first] = await this.store.groups(key, 0, 1);
      const [last] = await this.store.groups(key, Infinity, 1);
      return first && last && { track, frames, bytes, first, last };
    }));
    return found.filter((track) => track !== undefined);
  }

  stop(): void {
    this.#watch.close();
    this.#stopped = true;
    for (const path of [...this.#broadcasts.keys()]) this.#end(path);
  }

  #begin(path: string): void {
    const recorders = new Map<string, TrackRecorder>();
    const changes = new Burst(CHANGES, CHANGE_EVERY_MS);
    this.#broadcasts.set(path, { recorders, changes, waiting: new Set(), leftOut: 0, cancel() {} });
    this.#record(path, CATALOG_TRACK);
    for (const track of this.#o.tracks) this.#record(path, track);
  }

  #end(path: string): void {
    const recorded = this.#broadcasts.get(path);
    if (recorded === undefined) return;
    this.#broadcasts.delete(path);
    this.#short.delete(path);
    recorded.cancel();
    for (const recorder of recorded.recorders.values()) recorder.stop();
    this.#recording -= recorded.recorders.size;
    this.#fill();
  }

  /** Records the tracks of a catalog, and ends those that are no longer in it. */
  #follow(path: string, catalog: Uint8Array): void {
    const recorded = this.#broadcasts.get(path);
    if (recorded === undefined) return;
    const { recorders, changes, waiting } = recorded;
    const { names, leftOut } = namedBy(catalog);
    const wanted = new Set([CATALOG_TRACK, ...this.#o.tracks, ...names]);
    const gone = [...recorders.keys(), ...waiting].filter((track) => !wanted.has(track));
    const come = names.filter((track) => !recorders.has(track) && !waiting.has(track));
    recorded.leftOut = leftOut;
    if (gone.length + come.length > 0) {
      const { clock } = this.#o.relay.context;
      const waitMs = changes.waitMs(clock.now());
      recorded.cancel();
      if (waitMs > 0) {
        recorded.leftOut += come.length;
        recorded.cancel = clock.after(waitMs, () => this.#follow(path, catalog));
        return this.#tell(path, recorded);
      }
      changes.took(clock.now());
      for (const track of gone) {
        waiting.delete(track);
        const recorder = recorders.get(track);
        if (recorder === undefined) continue;
        recorder.stop();
        recorders.delete(track);
        this.#recording--;
      }
      for (const track of come) this.#record(path, track);
      this.#fill();
    }
    this.#tell(path, recorded);
  }

  #record(path: string, track: string): void {
    const recorded = this.#broadcasts.get(path);
    if (recorded === undefined || recorded.recorders.has(track)) return;
    const { relay, store, retention, maxTracks } = this.#o;
    if (this.#recording >= maxTracks) {
      recorded.waiting.add(track);
      this.#short.add(path);
      return this.#tell(path, recorded);
    }
    recorded.waiting.delete(track);
    this.#recording++;
    recorded.recorders.set(
      track,
      new TrackRecorder({
        key: { broadcast: path, track },
        broadcast: () => relay.origin.find(path, 0n, track),
        store,
        retention,
        clock: relay.context.clock,
        onLost: (error) => this.#lost(path, track, error),
        ...(track === CATALOG_TRACK && {
          onFirst: (payload: Uint8Array) => this.#follow(path, payload),
        }),
      }),
    );
  }

  /** Records waiting tracks, as many as there is room for. */
  #fill(): void {
    if (this.#stopped) return;
    for (const path of this.#short) {
      for (const track of [...this.#broadcasts.get(path)?.waiting ?? []]) {
        if (this.#recording >= this.#o.maxTracks) return;
        this.#record(path, track);
      }
      this.#short.delete(path);
    }
  }

  #tell(broadcast: string, recorded: Recorded): void {
    const count = missing(recorded);
    const now = this.#o.relay.context.clock.now();
    if (count === 0 || now - this.#toldAtMs < COMPLAIN_MS) return;
    this.#toldAtMs = now;
    this.#o.log.warn("tracks of a broadcast are not recorded", {
      broadcast,
      count,
      hint:
        `of one catalogue ${MAX_RENDITIONS} are recorded, of all broadcasts ${this.#o.maxTracks} ` +
        "(storage.record_max_tracks)",
    });
  }

  #lost(broadcast: string, track: string, error: unknown): void {
    if (error instanceof TrackTaken) return; // another relay keeps it
    this.groupsLost++;
    const now = this.#o.relay.context.clock.now();
    if (now - this.#complainedAtMs < COMPLAIN_MS) return;
    this.#complainedAtMs = now;
    this.#o.log.warn("a group was not kept", { broadcast, track, reason: reasonOf(error) });
  }
}

function missing({ waiting, leftOut }: Recorded): number {
  return waiting.size + leftOut;
}

/** A text that is not a catalog has no tracks. */
function namedBy(catalog: Uint8Array): NamedTracks {
  try {
    return tracksNamed(parseCatalog(catalog));
  } catch {
    return { names: [], leftOut: 0 };
  }
}
