/**
 * What a broadcast offers to players of MSF beside hang's tracks: the catalog, and its renditions as CMAF.
 *
 * @module
 */
import { sameBytes } from "../../base/bytes.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { BroadcastProducer, TrackProducer } from "../../client/publish.ts";
import { MSF_CATALOG_TRACK, PRIORITY, trackInfoOf } from "../hang/catalog.ts";
import { MediaError } from "../media_error.ts";
import { FragmentMuxer } from "../mp4/fragment_muxer.ts";
import type { Rendition } from "../rendition.ts";
import { CmafTrack } from "./cmaf_track.ts";
import { type CmafEntry, msfCatalogOf } from "./msf_catalog.ts";

/**
 * The catalog is written again this often while somebody reads it. A player of moq-transport that joins with the filter
 * "Largest Object" gets nothing of a group that is complete: it waits for the next.
 */
const REPEAT_MS = 2_000;

/** Whoever made the broadcast closes it. */
export class MsfBroadcast {
  readonly #broadcast: BroadcastProducer;
  readonly #clock: Clock;
  readonly #catalog: TrackProducer;
  readonly #cmaf = new Map<string, { readonly made: CmafTrack; readonly entry: CmafEntry }>();
  /** How many tracks each rendition has had. */
  readonly #versions = new Map<string, number>();
  #written:
    | { readonly text: string; readonly timestampUs: number; readonly atMs: number }
    | undefined;
  #cancelRepeat: (() => void) | undefined;

  constructor(broadcast: BroadcastProducer, clock: Clock = systemClock) {
    this.#broadcast = broadcast;
    this.#clock = clock;
    this.#catalog = broadcast.track(MSF_CATALOG_TRACK, trackInfoOf(MSF_CATALOG_TRACK));
    this.#catalog.onsubscribed = (any) => any ? this.#repeatLater() : this.#stopRepeating();
  }

  /**
   * Publishes the catalog of these renditions.
   * @param sourceOf The track of a rendition, in hang's container.
   * @param at.timestampUs Of the catalog's frame. @param at.group The lowest number its group gets. Default: the next.
   */
  describe(
    renditions: readonly Rendition[],
    sourceOf: (rendition: Rendition) => TrackProducer,
    at: { readonly timestampUs: number; readonly group?: number },
  ): void {
    const { timestampUs, group = 0 } = at;
    const entries = new Map<string, CmafEntry>();
    for (const rendition of renditions) {
      const init = initOf(rendition);
      if (init !== undefined) {
        entries.set(rendition.name, this.#cmafOf(rendition, init, sourceOf(rendition)));
      }
    }
    const text = JSON.stringify(msfCatalogOf(renditions, entries));
    this.#written = { text, timestampUs, atMs: this.#clock.now() };
    this.#catalog.skip(Math.max(0, group - this.#catalog.nextGroup));
    this.#write();
    // The catalog goes first, so players change before a track ends.
    for (const [name, { made }] of this.#cmaf) {
      if (entries.has(name)) continue;
      made.stop();
      this.#cmaf.delete(name);
    }
  }

  /** Ends the catalog and all tracks. Call it when their sources have ended. */
  close(): void {
    this.#stopRepeating();
    this.#catalog.onsubscribed = undefined;
    this.#catalog.close();
    for (const { made } of this.#cmaf.values()) made.close();
    this.#cmaf.clear();
  }

  /** The CMAF track of a rendition: the one it has, unless its header is another now. */
  #cmafOf(rendition: Rendition, init: Uint8Array, source: TrackProducer): CmafEntry {
    const { name, kind } = rendition;
    const before = this.#cmaf.get(name);
    if (before !== undefined && sameBytes(before.entry.init, init)) return before.entry;
    before?.made.stop();
    const version = (this.#versions.get(name) ?? 0) + 1;
    this.#versions.set(name, version);
    const track = `${name}.cmaf${version > 1 ? version : ""}`;
    const producer = this.#broadcast.track(track, {
      ...trackInfoOf(name),
      priority: PRIORITY[kind],
    });
    const made = new CmafTrack({ rendition, source, track: producer });
    const entry = { track, init };
    this.#cmaf.set(name, { made, entry });
    return entry;
  }

  #write(): void {
    if (this.#written === undefined) return;
    const { text, timestampUs, atMs } = this.#written;
    const sinceUs = Math.round((this.#clock.now() - atMs) * 1000);
    this.#catalog.write(text, timestampUs + sinceUs);
  }

  #repeatLater(): void {
    this.#stopRepeating();
    this.#cancelRepeat = this.#clock.after(REPEAT_MS, () => {
      this.#write();
      this.#repeatLater();
    });
  }

  #stopRepeating(): void {
    this.#cancelRepeat?.();
    this.#cancelRepeat = undefined;
  }
}

/** The header of a rendition's MP4; `undefined` when it has none, or not yet. */
function initOf(rendition: Rendition): Uint8Array | undefined {
  try {
    const muxer = new FragmentMuxer([rendition]);
    return muxer.ready ? muxer.init() : undefined;
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return undefined;
  }
}
