/**
 * Makes frames of RTP packets: puts packets in order, and reports what is lost.
 *
 * @module
 */
import { type DepacketizerCodec, dePacketizeRtpPackets, type RtpPacket } from "werift";
import { joinAnnexB, splitAnnexB } from "../../../media/codec/annexb.ts";
import type { CodecFamily } from "../../../media/codec/family.ts";
import { Reorder } from "./reorder.ts";

export interface ReceivedFrame {
  readonly keyframe: boolean;
  /** In ticks of the RTP clock since the first frame. Not cut to 32 bits. */
  readonly ticks: number;
  readonly payload: Uint8Array;
}

const CODECS: Readonly<Partial<Record<CodecFamily, DepacketizerCodec>>> = {
  H264: "MPEG4/ISO/AVC",
  VP8: "VP8",
  VP9: "VP9",
  AV1: "AV1",
  OPUS: "OPUS",
};
/** A packet that is later counts as lost, even if it was sent again. */
const MISSING_MS = 200;
/** Most packets of a frame. */
const MAX_PACKETS = 4096;

export class Depacketizer {
  /** Frames and packets that were dropped. */
  skipped = 0;
  readonly #codec: DepacketizerCodec;
  readonly #family: CodecFamily;
  readonly #order: Reorder;
  readonly #onlost: () => void;
  #packets: RtpPacket[] = [];
  #awaitsKeyframe: boolean;
  #ticks = 0;
  #lastTimestamp: number | undefined;
  #parameterSets: Uint8Array[] = [];

  /** @param onlost Called when a keyframe is needed. */
  constructor(family: CodecFamily, onlost: () => void) {
    this.#family = family;
    this.#codec = CODECS[family]!;
    this.#order = new Reorder(MISSING_MS, () => this.#lost());
    this.#onlost = onlost;
    this.#awaitsKeyframe = family !== "OPUS";
  }

  /** @returns The frames that this packet completes, in decode order. */
  push(packet: RtpPacket, nowMs: number): ReceivedFrame[] {
    const frames: ReceivedFrame[] = [];
    this.#order.push(packet, nowMs, (next) => this.#take(next, frames));
    return frames;
  }

  #take(packet: RtpPacket, frames: ReceivedFrame[]): void {
    const { header: { timestamp, marker }, payload } = packet;
    // Probes for bandwidth have no media.
    if (payload.length === 0) return;
    // Some senders leave out the marker at the end of a frame.
    if (this.#packets[0] && this.#packets[0].header.timestamp !== timestamp) this.#finish(frames);
    this.#packets.push(packet);
    if (marker || this.#family === "OPUS") this.#finish(frames);
    else if (this.#packets.length > MAX_PACKETS) this.#lost();
  }

  #lost(): void {
    this.skipped++;
    this.#packets = [];
    if (this.#family === "OPUS") return;
    this.#awaitsKeyframe = true;
    this.#onlost();
  }

  #finish(frames: ReceivedFrame[]): void {
    const packets = this.#packets;
    this.#packets = [];
    try {
      const { data, isKeyframe } = dePacketizeRtpPackets(this.#codec, packets);
      const ticks = this.#unwrapped(packets[0]!.header.timestamp);
      const keyframe = isKeyframe || this.#family === "OPUS";
      if (this.#awaitsKeyframe && !keyframe) {
        this.skipped++;
        return;
      }
      const payload = this.#family === "H264" ? this.#h264(data, keyframe) : data;
      if (payload === undefined || payload.length === 0) return;
      this.#awaitsKeyframe = false;
      frames.push({ keyframe, ticks, payload });
    } catch { // The packet contradicts itself.
      this.#lost();
    }
  }

  #unwrapped(timestamp: number): number {
    // The difference as a signed number of 32 bits.
    this.#ticks += (timestamp - (this.#lastTimestamp ?? timestamp)) | 0;
    this.#lastTimestamp = timestamp;
    return this.#ticks;
  }

  /** A frame in Annex B, with the parameter sets before each keyframe: it may change the size of the picture. */
  #h264(data: Uint8Array, keyframe: boolean): Uint8Array | undefined {
    // Delimiters and padding mean nothing outside their stream.
    const units = splitAnnexB(data).filter((unit) => ![9, 12].includes(unit[0]! & 31));
    const sets = units.filter((unit) => [7, 8].includes(unit[0]! & 31));
    if (sets.length > 0) this.#parameterSets = sets;
    if (!keyframe) return joinAnnexB(units);
    if (this.#parameterSets.length === 0) return undefined;
    return joinAnnexB(sets.length > 0 ? units : [...this.#parameterSets, ...units]);
  }
}

/** The codec string of frames as they leave here. @returns `undefined` for a keyframe without its parameters. */
export function codecOf(family: CodecFamily, keyframe: Uint8Array): string | undefined {
  switch (family) {
    case "H264": {
      const sps = splitAnnexB(keyframe).find((unit) => (unit[0]! & 31) === 7);
      if (sps === undefined || sps.length < 4) return undefined;
      // "avc3": the parameter sets are in the stream.
      return `avc3.${sps.slice(1, 4).toHex()}`;
    }
    case "VP8":
      return "vp8";
    case "VP9":
      return "vp09.00.10.08";
    case "AV1":
      return "av01.0.05M.08";
    default:
      return undefined;
  }
}
