import type { BroadcastProducer, GroupProducer, TrackProducer } from "../../client/publish.ts";
import { CATALOG_TRACK, MSF_CATALOG_TRACK, trackInfoOf } from "../hang/catalog.ts";
import type { HangRecord } from "../hang/hang_broadcast.ts";

/** Shorter than any group lasts. */
const GROUP_MS = 10;

/**
 * Number of the first group of whatever is published now, by the time of day: what is published by the next start of the program
 * does not take the numbers of what is still kept of this one.
 */
export function firstGroupAt(wallMs: number): number {
  return Math.floor(wallMs / GROUP_MS);
}

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

  /** Ends every group and track in order, and takes the broadcast back. */
  withdraw(): void {
    this.end();
    this.#broadcast.close();
  }

  #begin(name: string, priority?: number): Writing {
    const info = trackInfoOf(name);
    const track = this.#broadcast.track(name, { ...info, priority: priority ?? info.priority });
    const writing = { track, group: undefined };
    this.#writing.set(name, writing);
    return writing;
  }
}
