/**
 * Somebody who watches one track at one node and writes down which groups came.
 *
 * @module
 */
import type { Subgroup } from "../../relay/group/group.ts";
import type { TrackReader, TrackRequest } from "../../relay/ports.ts";
import type { Track } from "../../relay/track.ts";
import type { Node } from "./node.ts";
import type { SimulatedTime } from "./simulated_time.ts";

/** How soon a viewer looks again for a broadcast that is not there. */
const LOOK_AGAIN_MS = 100;

/** What one viewer got. */
export interface Watched {
  readonly seen: number;
  /** Groups between its first and the last one that did not come, or not whole. */
  readonly lost: number;
  /** Groups that came twice. */
  readonly repeated: number;
}

export class Viewer implements TrackReader {
  request: TrackRequest = { priority: 100, maxLatencyMs: 0 };
  node: Node;
  /** How often its track ended, though the broadcast went on. */
  ends = 0;
  /** How often it had to go to another node. */
  moves = 0;
  readonly #time: SimulatedTime;
  readonly #path: string;
  readonly #groups = new Map<number, Subgroup>();
  #repeated = 0;
  #newest = -1;
  #track: Track | undefined;

  constructor(time: SimulatedTime, path: string, node: Node) {
    this.#time = time;
    this.#path = path;
    this.node = node;
    this.#look();
  }

  /** Its node is gone: it goes on at another one, behind the last group that it got whole. */
  move(node: Node): void {
    this.moves++;
    this.#track?.remove(this);
    this.#track = undefined;
    this.node = node;
    this.#again();
  }

  onGroup(subgroup: Subgroup): void {
    const { sequence } = subgroup;
    const before = this.#groups.get(sequence);
    if (before !== undefined && before.state !== "cut") this.#repeated++;
    this.#groups.set(sequence, subgroup);
    this.#newest = Math.max(this.#newest, sequence);
  }

  onEnd(): void {
    this.ends++;
    this.#track = undefined;
    this.#time.after(LOOK_AGAIN_MS, () => this.#again());
  }

  /** @param last The last group that must have come. @param frames How many frames each has. */
  watched(last: number, frames: number): Watched {
    const first = Math.min(...this.#groups.keys(), last + 1);
    let lost = 0;
    for (let sequence = first; sequence <= last; sequence++) {
      const group = this.#groups.get(sequence);
      if (group?.state !== "complete" || group.frames !== frames) lost++;
    }
    return { seen: this.#groups.size, lost, repeated: this.#repeated };
  }

  #again(): void {
    if (this.#newest >= 0) {
      const next = this.#newest + Number(this.#groups.get(this.#newest)!.state === "complete");
      this.request = { ...this.request, startGroup: next, maxLatencyMs: 5000 };
    }
    this.#look();
  }

  #look(): void {
    if (this.#track !== undefined || !this.node.up) return;
    const track = this.node.origin.find(this.#path)?.track(this.#path, "video");
    if (track === undefined) {
      this.#time.after(LOOK_AGAIN_MS, () => this.#look());
    } else {
      this.#track = track;
      track.add(this);
    }
  }
}
