import type { BroadcastProducer, GroupProducer, TrackProducer } from "../../client/publish.ts";
import { CATALOG_TRACK, PRIORITY, trackInfoOf } from "../hang/catalog.ts";
import type { HangRecord } from "../hang/hang_broadcast.ts";
import type { Rendition } from "../rendition.ts";
import { MsfBroadcast } from "../msf/msf_broadcast.ts";

/** Group numbers grow by one in this time at most: every group is longer. */
const GROUP_MS = 10;

/**
 * Number of the first group of a broadcast that begins now. It comes from the time of day: after a restart of the program, group
 * numbers are higher than those that relays still keep.
 */
export function firstGroupAt(wallMs: number): number {
  return Math.floor(wallMs / GROUP_MS);
}

interface Writing {
  readonly track: TrackProducer;
  group: GroupProducer | undefined;
}

/** Writes the frames of a hang broadcast to its tracks, and offers it to players of MSF. */
export class BroadcastWriter {
  readonly #broadcast: BroadcastProducer;
  readonly #msf: MsfBroadcast;
  readonly #writing = new Map<string, Writing>();

  constructor(broadcast: BroadcastProducer) {
    this.#broadcast = broadcast;
    // A player asks for a catalog as soon as the broadcast is announced.
    this.#begin(CATALOG_TRACK);
    this.#msf = new MsfBroadcast(broadcast);
  }

  /** Makes a track before its first frame, so subscribers are not refused. */
  begin(name: string, priority?: number): void {
    if (!this.#writing.has(name)) this.#begin(name, priority);
  }

  /** Writes a frame. A frame is left out if its group began before this writer did. */
  write(record: HangRecord): void {
    const writing = this.#writing.get(record.track) ?? this.#begin(record.track);
    if (writing.group?.sequence !== record.group) {
      if (!record.keyframe) return;
      writing.group?.close();
      writing.group = writing.track.group(record.group);
    }
    writing.group.write(record.payload, record.timestampUs);
    if (record.renditions !== undefined) {
      const sourceOf = ({ name, kind }: Rendition) =>
        (this.#writing.get(name) ?? this.#begin(name, PRIORITY[kind])).track;
      this.#msf.describe(record.renditions, sourceOf, record);
    }
    if (!record.endsGroup) return;
    writing.group.close();
    writing.group = undefined;
  }

  /** Subscriptions to all tracks together. */
  get subscriptions(): number {
    return this.#writing.values().reduce((sum, { track }) => sum + track.subscribers, 0);
  }

  /** Ends the open groups. */
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
    this.#msf.close();
  }

  /** Ends every group and track in order, and takes the announcement back. */
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
