/**
 * One track of the memory store: its frames in order, and where each group begins.
 *
 * @module
 */
import { groupWindow } from "./group_window.ts";
import type { NewFrame, Retention, StoredFrame, StoredGroup, TrackKey } from "./store.ts";

interface Entry {
  readonly group: number;
  /** Whether its first frame is kept. */
  readonly fromStart: boolean;
  readonly first: number;
  last: number;
  readonly timestamp: number;
  readonly storedAtMs: number;
  whole: boolean;
  /** Payload bytes of the track before it, from the beginning. */
  readonly bytesBefore: number;
}

export class MemoryTrack {
  last: number;
  #frames: StoredFrame[] = [];
  /** Removed frames at the front of the array. */
  #gone = 0;
  #first: number;
  #totalBytes = 0;
  #goneBytes = 0;
  /** In the order in which they began. */
  #order: Entry[] = [];
  readonly #byNumber = new Map<number, Entry>();
  readonly #waiting = new Set<() => void>();

  constructor(readonly key: TrackKey, floor: number) {
    this.last = floor;
    this.#first = floor + 1;
  }

  get first(): number {
    return this.#first;
  }
  get frames(): number {
    return this.last - this.#first + 1;
  }
  get bytes(): number {
    return this.#totalBytes - this.#goneBytes;
  }
  get oldestMs(): number {
    return this.#order[0]?.storedAtMs ?? Infinity;
  }
  get newestMs(): number {
    return this.#order.at(-1)?.storedAtMs ?? -Infinity;
  }
  /** The position where the second oldest group begins. */
  get secondGroup(): number | undefined {
    return this.#order[1]?.first;
  }

  append(frame: NewFrame, nowMs: number): number {
    const { group, timestamp, keyframe, endsGroup = false } = frame;
    const sequence = ++this.last;
    const payload = frame.payload.slice();
    const about = { sequence, group, timestamp, keyframe, endsGroup, storedAtMs: nowMs };
    this.#frames.push({ ...about, payload });
    let entry = this.#byNumber.get(group);
    if (entry === undefined || keyframe) {
      if (entry !== undefined) this.#order.splice(this.#order.indexOf(entry), 1);
      entry = {
        group,
        fromStart: keyframe,
        first: sequence,
        last: sequence,
        timestamp,
        storedAtMs: nowMs,
        whole: false,
        bytesBefore: this.#totalBytes,
      };
      this.#order.push(entry);
      this.#byNumber.set(group, entry);
    }
    entry.last = sequence;
    entry.whole ||= endsGroup;
    this.#totalBytes += payload.length;
    this.wake();
    return sequence;
  }

  range(from: number, to: number, limit: number): StoredFrame[] {
    const start = Math.max(from, this.#first);
    const end = Math.min(to, this.last, start + limit - 1);
    const at = this.#gone - this.#first;
    return end < start ? [] : this.#frames.slice(at + start, at + end + 1);
  }

  group(group: number): StoredFrame[] {
    const entry = this.#byNumber.get(group);
    if (entry?.fromStart !== true) return [];
    const frames = this.range(entry.first, entry.last, Infinity);
    return frames.filter((frame) => frame.group === group);
  }

  groups(atMs: number, limit: number): StoredGroup[] {
    const listed = this.#order.filter((entry) => entry.fromStart);
    return groupWindow(listed, atMs, limit).map((
      { group, first, last, timestamp, storedAtMs, whole },
    ) => ({ group, first, last, timestamp, storedAtMs, whole }));
  }

  /** The first sequence from which everything fits the limits. */
  cutFor(limits: Retention, nowMs: number): number {
    const { maxAgeMs = Infinity, maxFrames = Infinity, maxBytes = Infinity } = limits;
    const fits = (first: number, bytesBefore: number) =>
      this.last - first + 1 <= maxFrames && this.#totalBytes - bytesBefore <= maxBytes;
    let cut = this.#first;
    let enough = fits(cut, this.#goneBytes);
    for (const entry of this.#order) {
      // Looking back as far as the limit leads into the group before it, so that group stays.
      const tooOld = entry.storedAtMs <= nowMs - maxAgeMs;
      if (enough && !tooOld) break;
      cut = Math.max(cut, entry.first);
      enough = fits(entry.first, entry.bytesBefore);
    }
    return cut;
  }

  /** Removes the frames before a sequence. @returns How many, and their payload bytes. */
  cut(before: number): { readonly frames: number; readonly bytes: number } {
    let bytes = 0;
    const frames = Math.max(0, before - this.#first);
    for (let i = 0; i < frames; i++) {
      bytes += this.#frames[this.#gone]!.payload.length;
      this.#frames[this.#gone++] = undefined as never; // its bytes can be freed at once
    }
    this.#first += frames;
    this.#goneBytes += bytes;
    if (this.#gone > 64 && this.#gone > this.#frames.length / 2) {
      this.#frames = this.#frames.slice(this.#gone);
      this.#gone = 0;
    }
    const kept = this.#order.findIndex((entry) => entry.first >= this.#first);
    for (const entry of this.#order.splice(0, kept < 0 ? this.#order.length : kept)) {
      this.#byNumber.delete(entry.group);
    }
    return { frames, bytes };
  }

  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Fulfils at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }
}
