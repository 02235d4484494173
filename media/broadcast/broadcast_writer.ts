import type { BroadcastProducer, GroupProducer, TrackProducer } from "../../client/mod.ts";
import { CATALOG_TRACK, PRIORITY } from "../hang/catalog.ts";
import { MSF_CATALOG_TRACK } from "../hang/msf_catalog.ts";
import type { HangRecord } from "../hang/hang_broadcast.ts";

/** Media of an older group may still be shown for this long. */
const MEDIA_MAX_AGE_MS = 30_000;
/** Timestamps are in microseconds. */
const TIMESCALE = 1_000_000;

interface Writing {
  readonly track: TrackProducer;
  group: GroupProducer | undefined;
}

/** Puts the frames of a hang broadcast into the tracks of one publication of it. */
export class BroadcastWriter {
  readonly #broadcast: BroadcastProducer;
  readonly #writing = new Map<string, Writing>();

  constructor(broadcast: BroadcastProducer) {
    this.#broadcast = broadcast;
    // A player asks for one of them as soon as the broadcast is announced.
    this.#begin(CATALOG_TRACK);
    this.#begin(MSF_CATALOG_TRACK);
  }

  /** Has a track there that will be written, for whoever asks for it before its first frame. */
  begin(name: string, priority?: number): void {
    if (!this.#writing.has(name)) this.#begin(name, priority);
  }

  /** Adds a frame. One whose group began before this publication did is left out. */
  write(record: HangRecord): void {
    const writing = this.#writing.get(record.track) ?? this.#begin(record.track);
    if (writing.group?.sequence !== record.group) {
      if (!record.keyframe) return;
      writing.group?.close();
      writing.group = writing.track.group(record.group);
    }
    writing.group.write(record.payload, record.timestampUs);
    if (!record.endsGroup) return;
    writing.group.close();
    writing.group = undefined;
  }

  /** Subscriptions to all tracks together. */
  get subscriptions(): number {
    return this.#writing.values().reduce((sum, { track }) => sum + track.subscribers, 0);
  }

  /** Ends the groups that are open: no frame will follow in them. */
  endGroups(): void {
    for (const writing of this.#writing.values()) {
      writing.group?.close();
      writing.group = undefined;
    }
  }

  /** Ends every group and track in order. */
  end(): void {
    for (const { track, group } of this.#writing.values()) {
      group?.close();
      track.close();
    }
  }

  #begin(name: string, priority?: number): Writing {
    const info = infoOf(name);
    const track = this.#broadcast.track(name, { ...info, priority: priority ?? info.priority });
    const writing = { track, group: undefined };
    this.#writing.set(name, writing);
    return writing;
  }
}

/** Whether a track holds a catalog: hang's or MSF's. */
export function isCatalog(track: string): boolean {
  return track === CATALOG_TRACK || track === MSF_CATALOG_TRACK;
}

function infoOf(track: string) {
  if (isCatalog(track)) return { priority: PRIORITY.catalog, timescale: TIMESCALE };
  const priority = track.startsWith("audio") ? PRIORITY.audio : PRIORITY.video;
  return { priority, timescale: TIMESCALE, maxAgeMs: MEDIA_MAX_AGE_MS };
}
