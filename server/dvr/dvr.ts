/**
 * Looking back: broadcasts whose path matches are recorded for as long as they are announced, and groups that the relay's
 * cache no longer has are answered from there.
 *
 * @module
 */
import { matchesPattern } from "../../base/path_pattern.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import {
  type MediaStore,
  type Retention,
  type StoredGroup,
  TrackTaken,
} from "../../plugins/storage/store.ts";
import type { Watch } from "../../relay/origin.ts";
import type { Relay } from "../relay.ts";
import { StoreArchive } from "./archive.ts";
import { TrackRecorder } from "./track_recorder.ts";

export interface DvrOptions {
  readonly relay: Relay;
  readonly store: MediaStore;
  /** Patterns of paths. */
  readonly record: readonly string[];
  /** Tracks that are kept besides those that a catalogue names. */
  readonly tracks: readonly string[];
  readonly retention: Retention;
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

const CATALOG = "catalog.json";
/** How often it is said that something could not be kept. */
const COMPLAIN_MS = 10_000;

/** Its owner stops it before the store is closed. */
export class Dvr {
  /** Groups that could not be kept, or not to their end. */
  groupsLost = 0;
  readonly store: MediaStore;
  readonly #o: DvrOptions;
  readonly #recorders = new Map<string, Map<string, TrackRecorder>>();
  readonly #watch: Watch;
  readonly #asking = new Map<string, Promise<KeptTrack[]>>();
  #complainedAtMs = -Infinity;

  constructor(options: DvrOptions) {
    this.#o = options;
    this.store = options.store;
    const { relay, store, record } = options;
    relay.context.archive = new StoreArchive(store);
    this.#watch = relay.origin.watch({}, ({ kind, path }) => {
      if (!record.some((pattern) => matchesPattern(pattern, path))) return;
      if (kind === "ended") this.#end(path);
      else if (!this.#recorders.has(path)) this.#begin(path);
    });
  }

  /** Tracks that are recorded now. */
  get recording(): number {
    let count = 0;
    for (const tracks of this.#recorders.values()) count += tracks.size;
    return count;
  }

  /** What is kept of a broadcast. Those who ask the same at once share the answer. @throws {StorageUnavailable} */
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
    for (const path of [...this.#recorders.keys()]) this.#end(path);
  }

  #begin(path: string): void {
    this.#recorders.set(path, new Map());
    this.#record(path, CATALOG);
    for (const track of this.#o.tracks) this.#record(path, track);
  }

  #end(path: string): void {
    for (const recorder of this.#recorders.get(path)?.values() ?? []) recorder.stop();
    this.#recorders.delete(path);
  }

  #record(path: string, track: string): void {
    const recorders = this.#recorders.get(path);
    if (recorders === undefined || recorders.has(track)) return;
    const { relay, store, retention } = this.#o;
    recorders.set(
      track,
      new TrackRecorder({
        key: { broadcast: path, track },
        broadcast: () => relay.origin.find(path),
        store,
        retention,
        clock: relay.context.clock,
        onLost: (error) => this.#lost(path, track, error),
        ...(track === CATALOG && {
          onFirst: (payload: Uint8Array) => {
            for (const name of tracksNamed(payload)) this.#record(path, name);
          },
        }),
      }),
    );
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

/** Most tracks of one broadcast: a catalogue is its publisher's word. */
const MAX_TRACKS = 32;

/** The renditions of a hang catalogue, of whatever kind. A text that is none names nothing. */
export function tracksNamed(catalog: Uint8Array): string[] {
  try {
    const sections = Object.values(JSON.parse(new TextDecoder().decode(catalog)) as object);
    return sections.flatMap((section) =>
      Object.keys((section as { renditions?: object } | null)?.renditions ?? {})
    ).slice(0, MAX_TRACKS);
  } catch {
    return [];
  }
}
