import {
  type Client,
  GroupCut,
  type GroupReader,
  QumoError,
  type Subscription,
} from "../../client/mod.ts";
import { isRenditionName, namedIn, parseCatalog } from "../../media/hang/catalog_json.ts";
import { CATALOG_TRACK } from "../../media/hang/catalog.ts";
import type { FrameSaver } from "./frame_saver.ts";

/** What came of a track so far. */
export interface TrackFigures {
  /** Groups received to their end. */
  groups: number;
  frames: number;
  /** Of payload. */
  bytes: number;
  /** Highest group number seen. */
  newest: number | undefined;
  /** Groups that were cut short, and numbers below the newest that did not come. */
  lost: number;
}

export interface ReceiverOptions {
  readonly broadcast: string;
  /** Ends after this many groups, all tracks together. */
  readonly maxGroups: number;
  readonly sink: FrameSaver;
}

class NoMedia extends QumoError {
  readonly code = "QUMO_CATALOG_INVALID";
}

/** Reads tracks of a broadcast to their end and counts. */
export class Receiver implements Disposable {
  readonly #client: Client;
  readonly #options: ReceiverOptions;
  readonly #counting = new Map<string, Counting>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #enough = Promise.withResolvers<void>();
  readonly #leftOut = new Set<string>();
  #groups = 0;

  constructor(client: Client, options: ReceiverOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Tracks that catalogs named and that were too many to be received; not more than were. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** Figures of each track. */
  *perTrack(): IterableIterator<[string, TrackFigures]> {
    for (const [name, counting] of this.#counting) yield [name, counting.figures()];
  }

  /** All tracks together; `newest` is that of the track with the highest. */
  figures(): TrackFigures {
    const sum: TrackFigures = { groups: 0, frames: 0, bytes: 0, newest: undefined, lost: 0 };
    for (const [, one] of this.perTrack()) {
      sum.groups += one.groups;
      sum.frames += one.frames;
      sum.bytes += one.bytes;
      sum.lost += one.lost;
      if (one.newest !== undefined) sum.newest = Math.max(sum.newest ?? 0, one.newest);
    }
    return sum;
  }

  /** Receives one track, until it ends or there were groups enough. @throws {TrackFailed} */
  async track(name: string): Promise<void> {
    await Promise.race([this.#read(name), this.#enough.promise]);
  }

  /** Receives the catalog and every track it names, those of later versions too. @throws {TrackFailed} @throws {NoMedia} */
  async catalogTracks(): Promise<void> {
    const reading: Promise<void>[] = [];
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    const catalog = this.#read(CATALOG_TRACK, (payload) => {
      for (const name of trackNames(payload)) {
        if (this.#counting.has(name)) continue;
        if (this.#counting.size > MAX_TRACKS) {
          this.#leftOut.add(name);
          if (this.#leftOut.size >= MAX_TRACKS) break;
          continue;
        }
        const track = this.#read(name);
        track.catch(failed.reject);
        reading.push(track);
      }
    });
    const all = catalog.then(() => Promise.all(reading));
    await Promise.race([all, failed.promise, this.#enough.promise]);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription.close();
  }

  async #read(name: string, onFrame?: (payload: Uint8Array) => void): Promise<void> {
    const counting = new Counting();
    this.#counting.set(name, counting);
    const { broadcast, sink } = this.#options;
    const subscription = this.#client.subscribe(broadcast, name);
    this.#subscriptions.add(subscription);
    const running: Promise<void>[] = [];
    for await (const group of subscription) {
      counting.began(group.sequence);
      const done = this.#readGroup(name, group, counting, onFrame);
      // Frame behind frame means group behind group too.
      if (sink.inOrder) await done;
      else running.push(done);
      if (running.length > 1000) await Promise.all(running.splice(0));
    }
    await Promise.all(running);
  }

  async #readGroup(
    track: string,
    group: GroupReader,
    counting: Counting,
    onFrame: ((payload: Uint8Array) => void) | undefined,
  ): Promise<void> {
    let index = group.startFrame;
    try {
      for await (const { payload } of group) {
        if (this.#groups >= this.#options.maxGroups) return;
        counting.frame(payload.length);
        onFrame?.(payload);
        await this.#options.sink.write(track, group.sequence, index++, payload);
      }
    } catch (error) {
      if (!(error instanceof GroupCut)) throw error;
      counting.cut++;
      return;
    }
    counting.groups++;
    if (++this.#groups >= this.#options.maxGroups) this.#enough.resolve();
  }
}

class Counting {
  groups = 0;
  cut = 0;
  #frames = 0;
  #bytes = 0;
  #begun = 0;
  #first: number | undefined;
  #newest: number | undefined;

  began(sequence: number): void {
    this.#begun++;
    this.#first = Math.min(this.#first ?? sequence, sequence);
    this.#newest = Math.max(this.#newest ?? sequence, sequence);
  }

  frame(bytes: number): void {
    this.#frames++;
    this.#bytes += bytes;
  }

  figures(): TrackFigures {
    const expected = this.#newest === undefined ? 0 : this.#newest - this.#first! + 1;
    return {
      groups: this.groups,
      frames: this.#frames,
      bytes: this.#bytes,
      newest: this.#newest,
      lost: this.cut + Math.max(0, expected - this.#begun),
    };
  }
}

/** Tracks of one run, over all versions of the catalog. */
const MAX_TRACKS = 256;

/** The names of all tracks in a hang catalog. @throws {NoMedia} */
function trackNames(payload: Uint8Array): string[] {
  try {
    const { video, audio } = parseCatalog(payload);
    return [video, audio].flatMap(namedIn).map(([name]) => name).filter(isRenditionName);
  } catch (cause) {
    throw new NoMedia(
      `Cannot read ${CATALOG_TRACK}: it is no JSON, or too large or deep; name a track with --track`,
      { cause },
    );
  }
}
