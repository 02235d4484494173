/// <reference lib="dom" />
/** Looks into a broadcast that the player cannot play: its tracks, and what they send. */
import type { Client } from "../../client/client.ts";
import type { GroupReader } from "../../client/frames.ts";
import { type BroadcastKind, CATALOGS, kindOf, USUAL_TRACKS } from "./broadcast_kind.ts";
import { connectTo } from "../connect/connect_to.ts";
import { MOST_BYTES } from "./frame_text.ts";
import { pageAccess } from "../connect/page_access.ts";

/** A frame as it came. */
export interface SeenFrame {
  readonly group: number;
  /** Its place in the group, from 0. */
  readonly index: number;
  readonly size: number;
  /** Its first bytes, {@link MOST_BYTES} at most. */
  readonly bytes: Uint8Array;
}

/** A track that sends nothing for this long is given up. */
const FIRST_FRAME_MS = 3000;

/** A session of its own. Close it in the end. */
export class BroadcastProbe {
  readonly #client: Client;
  readonly #broadcast: string;

  /** @throws {Error} No session comes about. */
  static async open(broadcast: string): Promise<BroadcastProbe> {
    return new BroadcastProbe(
      await connectTo(pageAccess(), { reconnect: true }),
      broadcast,
    );
  }

  private constructor(client: Client, broadcast: string) {
    this.#client = client;
    this.#broadcast = broadcast;
  }

  /** Reads the catalogs. If they do not say what the broadcast is, asks for tracks by usual names. */
  async kind(): Promise<BroadcastKind> {
    const first = await this.#firstFrames(CATALOGS);
    const known = kindOf(first);
    if (known.kind === "media" || known.kind === "msf") return known;
    return kindOf(new Map([...first, ...await this.#firstFrames(USUAL_TRACKS)]));
  }

  async #firstFrames(tracks: readonly string[]): Promise<Map<string, Uint8Array>> {
    const frames = await Promise.all(
      tracks.map(async (track) => [track, await this.#firstFrame(track)] as const),
    );
    return new Map(frames.filter((each): each is [string, Uint8Array] => each[1] !== undefined));
  }

  async #firstFrame(track: string): Promise<Uint8Array | undefined> {
    const signal = AbortSignal.timeout(FIRST_FRAME_MS);
    const subscription = this.#client.subscribe(this.#broadcast, track, { signal });
    try {
      const group = await subscription.group({ signal });
      const frame = await group?.frame({ signal });
      group?.close();
      return frame?.payload;
    } catch { // There is no such track, or nothing comes.
      return undefined;
    } finally {
      subscription.close();
    }
  }

  /**
   * Reads a track until the signal or its end.
   * @throws {Error} There is no such track, or it was lost.
   */
  async read(track: string, onFrame: (frame: SeenFrame) => void, signal: AbortSignal) {
    const subscription = this.#client.subscribe(this.#broadcast, track, { signal });
    try {
      for await (const group of subscription) {
        // A group may stay open while newer ones come.
        void readGroup(group, onFrame, signal);
      }
    } finally {
      subscription.close();
    }
  }

  close(): void {
    void this.#client.close();
  }
}

async function readGroup(
  group: GroupReader,
  onFrame: (frame: SeenFrame) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (let index = group.startFrame;; index++) {
      const frame = await group.frame({ signal });
      if (frame === undefined) return;
      const { payload } = frame;
      const bytes = payload.slice(0, MOST_BYTES);
      onFrame({ group: group.sequence, index, size: payload.length, bytes });
    }
  } catch { // Cut short, or no longer looked at.
  } finally {
    group.close();
  }
}
