/**
 * Stores a live broadcast in the bucket: its segments in order, and after each the playlist that names it.
 *
 * @module
 */
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import type { PluginStats } from "../../plugin.ts";
import { concat } from "../../../base/bytes.ts";
import type { FrameSink } from "../../../media/broadcast/read_into.ts";
import { BroadcastSegmenter, Epoch } from "../../../media/segment/broadcast_segmenter.ts";
import type { Part, SegmentOutput } from "../../../media/segment/segmenter.ts";
import { masterPlaylist } from "../playlist.ts";
import { fileName } from "../file_name.ts";
import type { Bucket } from "./bucket.ts";
import { StoredPlaylist } from "./stored_playlist.ts";
import type { Uploads } from "./upload.ts";
import type { Rendition } from "../../../media/rendition.ts";

const PLAYLIST = "application/vnd.apple.mpegurl";

export interface ArchivePorts {
  readonly bucket: Bucket;
  readonly uploads: Uploads;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stats: Pick<PluginStats, "framesOut" | "bytesOut" | "skipped">;
  /** Key of the broadcast, with a slash at its end. */
  readonly prefix: string;
  readonly segmentMs: number;
  /** How far back playlists reach, in milliseconds; 0 means to the beginning. */
  readonly windowMs: number;
  /** Aborts to give up segments that are not stored yet. */
  readonly giveUp: AbortSignal;
  /** Bytes of the segments that are being made, of all renditions together. A segment is cut when it exceeds its share. */
  readonly segmentBytes: number;
}

/** A whole segment. */
interface Ready {
  readonly track: StoredTrack;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly durationUs: number;
  readonly wallMs: number;
  /** A new header before it, if there is one. */
  readonly init: Uint8Array<ArrayBuffer> | undefined;
}

export class BucketArchive {
  readonly #ports: ArchivePorts;
  /** By the name of the rendition. They outlive a catalog. */
  readonly #tracks = new Map<string, StoredTrack>();
  #current: readonly StoredTrack[] = [];
  #master = "";
  #ended = false;
  /** Bytes of the segments that are in the bucket. */
  #bytes = 0;
  #storing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(ports: ArchivePorts) {
    this.#ports = ports;
  }

  /** A new version of the catalog. @returns `undefined` when none of it can be carried. */
  begin(renditions: readonly Rendition[]): FrameSink | undefined {
    const { clock, log, stats, segmentMs, segmentBytes } = this.#ports;
    const epoch = new Epoch();
    const segmenter = new BroadcastSegmenter(renditions, {
      ...{ targetMs: segmentMs, partMs: segmentMs, epoch, clock, log },
      maxBytes: Math.max(LEAST_BYTES, segmentBytes / renditions.length),
      outputOf: (rendition) =>
        new Assembler(this.#trackOf(rendition), epoch, clock, (ready) => this.#queue(ready)),
    });
    if (segmenter.outputs.size === 0) return undefined;
    this.#current = [...segmenter.outputs.values()].map(({ track }) => track);
    return {
      frame: (rendition, frame) => {
        if (this.#failure !== undefined) throw this.#failure.error;
        stats[segmenter.push(rendition, frame) ? "framesOut" : "skipped"]++;
      },
      end: () => segmenter.end(),
    };
  }

  /** The playlist with that key, if this archive writes it. */
  listAt(key: string): StoredPlaylist | undefined {
    return this.#tracks.values().find((track) => track.listKey === key)?.list;
  }

  /** Removes from the playlists the segments that began before a time. */
  forget(beforeMs: number): Promise<void> {
    return this.#next(async () => {
      for (const track of this.#tracks.values()) {
        if (!track.list?.forget(beforeMs)) continue;
        await this.#put(track.listKey, track.list.text(this.#ended));
      }
    });
  }

  /**
   * Stores the last segments, and says in the playlists that nothing follows.
   * @returns Bytes of segments that were stored; `undefined` if the bucket lacks some.
   * @throws {BucketFailed} The bucket refuses a request.
   */
  async end(): Promise<number | undefined> {
    this.#ended = true;
    let whole = true;
    await this.#next(async () => {
      if (this.#failure !== undefined) return;
      for (const { listKey, list } of this.#tracks.values()) {
        if (list !== undefined) whole = await this.#put(listKey, list.text(true)) && whole;
      }
      await this.#putMaster();
    });
    if (this.#failure !== undefined) throw this.#failure.error;
    return whole && this.#master !== "" ? this.#bytes : undefined;
  }

  #trackOf(rendition: Rendition): StoredTrack {
    const before = this.#tracks.get(rendition.name);
    const track = before ?? new StoredTrack(this.#ports.prefix, rendition.name);
    track.rendition = rendition;
    this.#tracks.set(rendition.name, track);
    return track;
  }

  /** @throws {UploadsFull} */
  #queue(ready: Ready): void {
    const { uploads } = this.#ports;
    uploads.reserve(this, ready.bytes.length);
    void this.#next(() => this.#store(ready)).catch((error) => {
      this.#failure ??= { error };
    }).finally(() => uploads.release(this, ready.bytes.length));
  }

  /** Does one piece of work after another. A failure goes to the caller of that piece. */
  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#storing.then(work);
    this.#storing = done.catch(() => {});
    return done;
  }

  async #store({ track, bytes, durationUs, wallMs, init }: Ready): Promise<void> {
    if (this.#failure !== undefined) return;
    const { bucket, uploads, giveUp, stats, windowMs } = this.#ports;
    const insist = (work: () => Promise<void>) => uploads.insist(work, giveUp);
    const loaded = await insist(async () => {
      if (track.list !== undefined) return;
      track.list = StoredPlaylist.parse(await bucket.text(track.listKey) ?? "");
      track.discontinuity = track.list.segments.length > 0;
    });
    if (!loaded) return;
    const name = track.nameOf(wallMs);
    const type = `${track.rendition.kind}/mp4`;
    if (init !== undefined) {
      const uri = `init-${name}.mp4`;
      if (!await insist(() => bucket.put(track.prefix + uri, init, type))) return;
      if (track.initUri !== "") track.discontinuity = true;
      track.initUri = uri;
    }
    const uri = `${name}.m4s`;
    if (!await insist(() => bucket.put(track.prefix + uri, bytes, type))) return;
    stats.bytesOut += bytes.length;
    this.#bytes += bytes.length;
    const list = track.list!;
    const { initUri, discontinuity } = track;
    list.add({ uri, durationUs, wallMs, initUri, discontinuity });
    track.discontinuity = false;
    track.peakBitrate = Math.max(track.peakBitrate, bytes.length * 8e6 / durationUs);
    if (windowMs > 0) list.forget(wallMs - windowMs);
    await this.#put(track.listKey, list.text(false));
    await this.#putMaster();
  }

  async #putMaster(): Promise<void> {
    const stored = this.#current.filter((track) => track.list !== undefined);
    // Only when all are there: players keep to the renditions that they find first.
    if (stored.length === 0 || stored.length < this.#current.length) return;
    const text = masterPlaylist(
      stored.map(({ rendition, folder, peakBitrate }) => {
        // Rounded up, so it need not be written with each segment.
        const bitrate = roundedUp(Math.max(peakBitrate, rendition.bitrate ?? 1));
        const uri = `${encodeURIComponent(folder)}/media.m3u8`;
        return { rendition, uri, peakBitrate: bitrate, meanBitrate: bitrate };
      }),
    );
    if (text === this.#master) return;
    if (await this.#put(`${this.#ports.prefix}master.m3u8`, text)) this.#master = text;
  }

  #put(key: string, text: string): Promise<boolean> {
    const { bucket, uploads, giveUp } = this.#ports;
    return uploads.insist(() => bucket.put(key, text, PLAYLIST), giveUp);
  }
}

/** Rounded up to two digits. */
function roundedUp(value: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / step) * step;
}

/** One rendition in the bucket. */
class StoredTrack {
  rendition!: Rendition;
  /** The playlist in the bucket. It is read before the first segment is stored. */
  list: StoredPlaylist | undefined;
  initUri = "";
  discontinuity = false;
  peakBitrate = 0;
  readonly folder: string;
  readonly prefix: string;
  #last = "";

  constructor(prefix: string, name: string) {
    this.folder = fileName(name);
    this.prefix = `${prefix}${this.folder}/`;
  }

  get listKey(): string {
    return `${this.prefix}media.m3u8`;
  }

  /** A name that tells when a segment began, in UTC. No name comes twice. */
  nameOf(wallMs: number): string {
    const time = new Date(wallMs).toISOString().replaceAll(/[-:.]/g, "");
    let name = time;
    for (let serial = 1; name === this.#last || this.#listed(name); serial++) {
      name = `${time}-${serial}`;
    }
    this.#last = name;
    return name;
  }

  #listed(name: string): boolean {
    return this.list?.segments.some(({ uri }) => uri === `${name}.m4s`) ?? false;
  }
}

/** Room for the largest real frame. */
const LEAST_BYTES = 1024 * 1024;
/** A segment cannot have begun longer ago. */
const OLDEST_MS = 120_000;

/** Puts the parts of segments together. */
class Assembler implements SegmentOutput {
  readonly track: StoredTrack;
  readonly #epoch: Epoch;
  readonly #clock: Clock;
  readonly #ready: (ready: Ready) => void;
  #parts: Part[] = [];
  #init: Uint8Array<ArrayBuffer> | undefined;
  #lastMs = 0;

  constructor(
    track: StoredTrack,
    epoch: Epoch,
    clock: Clock,
    ready: (ready: Ready) => void,
  ) {
    this.track = track;
    this.#clock = clock;
    this.#epoch = epoch;
    this.#ready = ready;
  }

  init(bytes: Uint8Array<ArrayBuffer>): void {
    this.#init = bytes;
  }

  part(part: Part): void {
    this.#parts.push(part);
  }

  endSegment(): void {
    const parts = this.#parts.splice(0);
    if (parts.length === 0) return;
    const init = this.#init;
    this.#init = undefined;
    // Names are in order, however the clocks are set.
    const nowMs = Math.round(this.#clock.wallMs());
    const beganMs = Math.round(this.#epoch.ms + parts[0]!.startUs / 1000);
    // An impossible time is not believed: a name from another century would never be too old.
    const possible = beganMs > nowMs - OLDEST_MS && beganMs <= nowMs;
    this.#lastMs = Math.max(this.#lastMs + 1, possible ? beganMs : nowMs);
    this.#ready({
      track: this.track,
      bytes: concat(parts.map(({ bytes }) => bytes)),
      durationUs: parts.reduce((us, part) => us + part.durationUs, 0),
      wallMs: this.#lastMs,
      init,
    });
  }
}
