/**
 * The RTP packets of one rendition, for all its viewers: it is read once and made into packets once. The newest group is
 * kept for viewers who join.
 *
 * @module
 */
import type { PluginStats } from "../plugin.ts";
import { packetizerOf, type RtpPacket } from "./rtp/packetize.ts";
import type { MediaFrame, Rendition } from "../../media/rendition.ts";

/** The packets of a frame. */
export interface PacketFrame {
  readonly packets: readonly RtpPacket[];
  /** Presentation time in ticks of the RTP clock, counted from the broadcast's zero. Not cut to 32 bits. */
  readonly ticks: number;
  /** The same in microseconds. */
  readonly timestampUs: number;
}

/** The frames of a group so far. */
export interface PacketGroup {
  readonly frames: PacketFrame[];
  bytes: number;
  /** It is too large to be sent from its start. */
  late: boolean;
}

/** Hears of frames, in decode order. */
export interface PacketReader {
  /** A frame has been added to the newest group. */
  frame(frame: PacketFrame): void;
  /** Nothing more comes. */
  end(): void;
}

/** A group larger than this is not kept for viewers who join. */
const MAX_GROUP_BYTES = 8 * 1024 * 1024;

export class PacketTrack {
  readonly clockRate: number;
  readonly #kind: Rendition["kind"];
  readonly #stats: PluginStats;
  readonly #readers = new Set<PacketReader>();
  #reordered: (() => void) | undefined;
  #group: PacketGroup | undefined;
  #sequence = -1;
  #lastTicks = -Infinity;
  #ended = false;

  /** @param options.reordered Called once, when frames are not shown in the order in which they come. */
  constructor(options: {
    readonly kind: Rendition["kind"];
    readonly stats: PluginStats;
    readonly reordered: () => void;
  }) {
    this.#kind = options.kind;
    this.#stats = options.stats;
    this.#reordered = options.reordered;
    this.clockRate = options.kind === "video" ? 90_000 : 48_000;
  }

  /** The newest group so far. */
  get newest(): PacketGroup | undefined {
    return this.#group;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** @returns Ends the reading. */
  read(reader: PacketReader): () => void {
    if (this.#ended) reader.end();
    else this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  /** Passes frames on until they end. @throws {MediaError} The rendition cannot be sent. */
  async pass(rendition: Rendition, frames: AsyncIterable<MediaFrame>): Promise<void> {
    const packetize = packetizerOf(rendition);
    this.#sequence = -1;
    for await (const frame of frames) {
      this.#stats.framesIn++;
      this.#stats.bytesIn += frame.payload.length;
      let packets: RtpPacket[];
      try {
        packets = packetize(frame);
      } catch { // A frame that contradicts itself would stop a decoder.
        this.#stats.skipped++;
        continue;
      }
      if (packets.length > 0) this.#add(frame, packets);
    }
  }

  /** Tells all readers that it is over. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  #add(frame: MediaFrame, packets: RtpPacket[]): void {
    const { timestampUs } = frame;
    const ticks = Math.round(timestampUs * this.clockRate / 1e6);
    const made: PacketFrame = { packets, ticks, timestampUs };
    if (this.#kind === "audio" || frame.group !== this.#sequence) {
      this.#group = { frames: [], bytes: 0, late: false };
      this.#sequence = frame.group;
    } else if (ticks < this.#lastTicks) {
      this.#reordered?.();
      this.#reordered = undefined;
    }
    this.#lastTicks = ticks;
    const group = this.#group!;
    group.bytes += frame.payload.length;
    if (group.bytes > MAX_GROUP_BYTES) {
      group.late = true;
      // Only the newest frame is of use to its viewers.
      group.frames.length = 0;
    }
    group.frames.push(made);
    for (const reader of this.#readers) reader.frame(made);
  }
}
