/**
 * Fragmented MP4 as it comes out of a pipe, split into samples while it arrives.
 *
 * This code walks the boxes itself; docs/adr/0005 says why. A sample leaves as soon as its last byte has arrived, memory is
 * bounded by the largest sample whatever sizes the input claims, and nothing of the past is kept. The tests compare the
 * codec strings with those of `mp4box`.
 */
import { sameBytes } from "../../base/bytes.ts";
import { Box, fourccOf } from "./box.ts";
import { ByteQueue } from "./byte_queue.ts";
import { MediaError } from "../media_error.ts";
import type { InitEvent, MediaEvent, MediaTrack, SampleEvent } from "./media_track.ts";
import { type PlannedSample, readMoof } from "./moof.ts";
import { readMoov, type TrackState } from "./moov.ts";
import { isPlausible, seekFragment } from "./resync.ts";

export interface SplitterOptions {
  /** Damage after the `moov` becomes an event, and reading goes on at the next fragment. Default: damage throws. */
  readonly resync?: boolean;
}

/** Largest `moov` or `moof`, and largest sample, in bytes. Input beyond it is refused, so memory stays bounded. */
const MAX_HEADER_BYTES = 2 ** 20;
const MAX_SAMPLE_BYTES = 16 * 2 ** 20;

/** The box that is being read; `end` counts from the first byte of the stream. */
interface OpenBox {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** With `resync`, a data box may end with this many bytes that belong to no sample. */
const MAX_SLACK_BYTES = 64 * 1024;
const STREAM_STARTS = ["ftyp", "styp", "moov"];

/** Reads one stream as it arrives. After an error every further call fails. */
export class Splitter {
  readonly #resync: boolean;
  readonly #queue = new ByteQueue();
  #position = 0;
  #open: OpenBox | undefined;
  #moov: Uint8Array | undefined;
  #tracks: Map<number, TrackState> | undefined;
  #planned: PlannedSample[] = [];
  #nextPlanned = 0;
  #failure: MediaError | undefined;
  /** Looking for the next fragment. */
  #lost = false;
  /** Where the search found the last fragment. */
  #foundAt = -1;

  constructor({ resync = false }: SplitterOptions = {}) {
    this.#resync = resync;
  }

  /**
   * Takes the next bytes and yields what they complete: `init` once, then samples. Iterate to the end;
   * however the stream is cut into chunks, the same events come out before the same error.
   *
   * @param bytes Taken over: samples may be views of it, so it must not be written to afterwards.
   * @throws {MediaError} The stream is not a fragmented MP4, damaged, or beyond a limit.
   */
  *push(bytes: Uint8Array): Generator<MediaEvent, void, undefined> {
    if (this.#failure) throw this.#failure;
    this.#queue.push(bytes);
    for (;;) {
      if (this.#lost && !this.#seek()) return;
      try {
        yield* this.#walk();
        return;
      } catch (thrown) {
        if (!(thrown instanceof MediaError)) throw thrown;
        if (!this.#resync || this.#tracks === undefined) {
          this.#failure = thrown;
          throw thrown;
        }
        this.#lost = true;
        yield { type: "damage", reason: thrown.message };
      }
    }
  }

  *#walk(): Generator<MediaEvent, void, undefined> {
    while (this.#open || this.#openBox()) {
      const open = this.#open as unknown as OpenBox;
      if (open.type === "moov" || open.type === "moof") {
        if (this.#queue.length < open.end - this.#position) return;
        const init = this.#readHeader(open);
        if (init) yield init;
      } else if (open.type === "mdat") {
        for (let next = this.#sample(open); next; next = this.#sample(open)) yield next;
      } else {
        this.#skipTo(open.end);
      }
      if (this.#position < open.end) return;
      this.#closeBox(open);
    }
  }

  /** Forgets the damaged fragment and goes to the next. @returns Whether that has arrived. */
  #seek(): boolean {
    this.#open = undefined;
    this.#planned = [];
    this.#nextPlanned = 0;
    // It looked like a fragment there and was none.
    if (this.#position === this.#foundAt) this.#skipTo(this.#position + 1);
    const { found, dropped } = seekFragment(this.#queue);
    this.#position += dropped;
    if (found) this.#foundAt = this.#position;
    this.#lost = !found;
    return found;
  }

  /**
   * The stream is over: checks that it ended between two boxes with nothing owing.
   *
   * @throws {MediaError} The stream was cut off. Everything before that has been delivered.
   */
  end(): void {
    if (this.#failure) throw this.#failure;
    const endless = this.#open?.end === Infinity;
    if (!this.#tracks) throw new MediaError("Cannot split the MP4: it ends before its moov box");
    if ((this.#open && !endless) || this.#queue.length > 0 || this.#owing) {
      throw new MediaError("Cannot split the MP4: it ends in the middle of a fragment");
    }
  }

  /** Whether the header has come: what follows is media. */
  get started(): boolean {
    return this.#tracks !== undefined;
  }

  get #owing(): boolean {
    return this.#nextPlanned < this.#planned.length;
  }

  /** Reads the next box header if it has arrived, and refuses what may not stand here. */
  #openBox(): boolean {
    if (this.#queue.length < 8) return false;
    let head = this.#queue.peek(8);
    const type = fourccOf(head, 4);
    let size = u32(head, 0);
    let headBytes = 8;
    if (size === 1) {
      if (this.#queue.length < 16) return false;
      head = this.#queue.peek(16);
      size = u32(head, 8) * 2 ** 32 + u32(head, 12);
      headBytes = 16;
    } else if (size === 0 && type === "mdat") {
      size = Infinity;
    }
    const start = this.#position;
    const first = start === 0;
    if (first && !STREAM_STARTS.includes(type)) {
      throw new MediaError("Cannot split the stream: it does not begin as an MP4 does (ftyp)");
    }
    if (size < headBytes || !/^[\x20-\x7e\xa9]{4}$/.test(type)) {
      throw new MediaError(`Cannot split the MP4: no box begins at byte ${start}`);
    }
    this.#checkOrder(type, size);
    if (this.#resync && this.#tracks) this.#checkPlausible(type, start + size);
    this.#queue.skip(headBytes);
    this.#position += headBytes;
    this.#open = { type, start, end: start + size };
    return true;
  }

  #checkOrder(type: string, sizeBytes: number): void {
    if (type === "moov" || type === "moof") {
      if (sizeBytes > MAX_HEADER_BYTES) {
        throw new MediaError(
          `Cannot split the MP4: a "${type}" box of ${sizeBytes} bytes is too big`,
        );
      }
      if (this.#owing) throw new MediaError("Cannot split the MP4: data of a fragment is missing");
    }
    if ((type === "moof" || type === "mdat") && !this.#tracks) {
      throw new MediaError(
        `Cannot split the MP4: "${type}" comes before "moov"; write it with -movflags cmaf+delay_moov`,
      );
    }
  }

  /** A damaged size would swallow the media after it. */
  #checkPlausible(type: string, end: number): void {
    const last = this.#planned.at(-1);
    const beyond = type === "mdat" && last &&
      end > last.position + last.sizeBytes + MAX_SLACK_BYTES;
    if (beyond || !isPlausible(type, end - this.#position)) {
      throw new MediaError(`Cannot split the MP4: no box begins at byte ${this.#position}`);
    }
  }

  #readHeader(open: OpenBox): InitEvent | undefined {
    const body = this.#queue.take(open.end - this.#position);
    this.#position = open.end;
    const box = new Box(open.type, body);
    if (open.type === "moov") return this.#readMoov(box);
    this.#planned = readMoof(box, {
      position: open.start,
      tracks: this.#tracks ?? new Map<number, TrackState>(),
    });
    this.#nextPlanned = 0;
    const biggest = this.#planned.reduce((most, sample) => Math.max(most, sample.sizeBytes), 0);
    if (biggest > MAX_SAMPLE_BYTES) {
      throw new MediaError(`Cannot split the MP4: a sample of ${biggest} bytes is too big`);
    }
    return undefined;
  }

  #readMoov(box: Box): InitEvent | undefined {
    if (this.#moov) {
      // Some segmenters repeat the header before each segment, for players that join late.
      if (sameBytes(this.#moov, box.body)) return undefined;
      throw new MediaError(
        "Cannot split the MP4: a second, different moov box appears in mid-stream",
      );
    }
    this.#tracks = readMoov(box);
    this.#moov = box.body.slice();
    const tracks: MediaTrack[] = [];
    const ignored: { id: number; reason: string }[] = [];
    for (const track of this.#tracks.values()) {
      if (track.media) tracks.push(track.media);
      else ignored.push({ id: track.id, reason: track.ignoredBecause ?? "unknown" });
    }
    return { type: "init", tracks, ignored };
  }

  /** The next sample of the open `mdat` that is complete; bytes of no sample are dropped. */
  #sample(open: OpenBox): SampleEvent | undefined {
    for (;;) {
      const next = this.#planned[this.#nextPlanned];
      if (!next || next.position >= open.end && next.sizeBytes > 0) {
        this.#skipTo(open.end);
        return undefined;
      }
      if (next.position < this.#position || next.position + next.sizeBytes > open.end) {
        throw new MediaError("Cannot split the MP4: a sample lies outside of its data box");
      }
      this.#skipTo(next.position);
      if (this.#position < next.position || this.#queue.length < next.sizeBytes) return undefined;
      const data = this.#queue.take(next.sizeBytes);
      this.#position += next.sizeBytes;
      this.#nextPlanned++;
      const { track, position: _, sizeBytes: __, ...times } = next;
      if (track.media) return { type: "sample", trackId: track.id, ...times, data };
    }
  }

  #skipTo(position: number): void {
    const bytes = Math.min(position - this.#position, this.#queue.length);
    this.#queue.skip(bytes);
    this.#position += bytes;
  }

  #closeBox(open: OpenBox): void {
    this.#open = undefined;
    const next = this.#planned[this.#nextPlanned];
    if (open.type === "mdat" && next && next.position < open.end) {
      throw new MediaError("Cannot split the MP4: a sample lies outside of its data box");
    }
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}
