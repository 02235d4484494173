/**
 * WHIP: answers the offers of publishers, and makes broadcasts of their media.
 *
 * @module
 */
import {
  type MediaStreamTrack,
  RtcpSrPacket,
  type RTCRtpTransceiver,
  type RtpPacket,
} from "werift";
import type { MediaTrack } from "../../media/mp4/media_track.ts";
import { MediaPublisher } from "../../media/broadcast/media_publisher.ts";
import type { PluginContext } from "../plugin.ts";
import { codecOf, Depacketizer, type ReceivedFrame } from "./rtp/depacketize.ts";
import type { CodecFamily } from "../../media/codec/family.ts";
import { WebRtcRefused } from "./errors.ts";
import { Offer, type OfferedCodec, type OfferedMedia, parameter } from "./offer.ts";
import { type PeerPlace, RtcPeer } from "./peer.ts";
import type { Opened } from "./resources.ts";

export type WhipVideo = "h264" | "vp8" | "vp9" | "av1";

export interface WhipOptions extends PeerPlace {
  readonly timeoutMs: number;
  readonly iceTimeoutMs: number;
  /** Accepted video codecs, the preferred first. */
  readonly video: readonly WhipVideo[];
  /** How often a keyframe is asked for, in milliseconds. */
  readonly keyframeMs: number;
}

export class Whip {
  readonly #ctx: PluginContext;
  readonly #options: WhipOptions;
  readonly #publishing = new Map<string, MediaPublisher>();
  readonly #busy = new Set<string>();

  constructor(ctx: PluginContext, options: WhipOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** @throws {WebRtcRefused} 409: somebody publishes there already. */
  readonly open = async (path: string, sdp: string): Promise<Opened> => {
    const offer = Offer.read(sdp);
    const chosen = this.#choose(offer);
    if (this.#busy.has(path)) {
      throw new WebRtcRefused(409, `Somebody publishes "${path}" already`);
    }
    this.#busy.add(path);
    try {
      const peer = await this.#answer(offer, chosen);
      const receiving = new Receiving(this.#ctx, this.#publisher(path), peer, {
        keyframeMs: this.#options.keyframeMs,
        ...(chosen.video !== undefined && { video: chosen.video.name as CodecFamily }),
        audio: chosen.audio !== undefined,
      });
      const end = () => {
        receiving.close();
        this.#busy.delete(path);
      };
      if (peer.over.aborted) end();
      else peer.over.addEventListener("abort", end, { once: true });
      return { peer };
    } catch (error) {
      this.#busy.delete(path);
      throw error;
    }
  };

  /** The publisher of a path. Group numbers continue when another client publishes at the path. */
  #publisher(path: string): MediaPublisher {
    const { client, stats, clock, log } = this.#ctx;
    const found = this.#publishing.get(path);
    const publisher = found ?? new MediaPublisher({ client, path, stats, clock, log });
    this.#publishing.delete(path);
    this.#publishing.set(path, publisher);
    // Publishers that have been away for longest are forgotten.
    for (const [other, { live }] of this.#publishing) {
      if (this.#publishing.size <= MAX_REMEMBERED) break;
      if (!live && !this.#busy.has(other)) this.#publishing.delete(other);
    }
    return publisher;
  }

  #choose(offer: Offer): { video?: OfferedCodec; audio?: OfferedCodec } {
    for (const kind of ["video", "audio"] as const) {
      if (offer.media(kind)?.direction === "recvonly") {
        throw new WebRtcRefused(
          400,
          `Cannot take this offer: its ${kind} is recvonly, not sendonly`,
        );
      }
    }
    const pictures = offer.media("video");
    const video = pictures && this.#video(pictures);
    const audio = offer.media("audio")?.codecs.find(({ name }) => name === "OPUS");
    if (
      pictures !== undefined && video === undefined || video === undefined && audio === undefined
    ) {
      const taken = this.#options.video.map((name) => name.toUpperCase()).join(", ");
      throw new WebRtcRefused(406, `Cannot take this offer: only ${taken} and Opus are taken`);
    }
    return { ...(video !== undefined && { video }), ...(audio !== undefined && { audio }) };
  }

  #video({ codecs }: OfferedMedia): OfferedCodec | undefined {
    for (const wanted of this.#options.video) {
      const found = codecs.filter(({ name }) => name === wanted.toUpperCase()).find((codec) =>
        wanted === "h264"
          ? parameter(codec, "packetization-mode") === "1"
          : Number(parameter(codec, wanted === "av1" ? "profile" : "profile-id") ?? 0) === 0
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #answer(offer: Offer, chosen: { video?: OfferedCodec; audio?: OfferedCodec }): Promise<RtcPeer> {
    const { video, audio } = chosen;
    return RtcPeer.answer({
      ...this.#options,
      clock: this.#ctx.clock,
      sdp: offer.only({
        ...(video !== undefined && { video: [video.payloadType] }),
        ...(audio !== undefined && { audio: [audio.payloadType] }),
      }),
      codecs: {
        ...(video !== undefined && { video: [video] }),
        ...(audio !== undefined && { audio: [audio] }),
      },
      direction: "recvonly",
    });
  }
}

const MAX_REMEMBERED = 1000;
const VIDEO_ID = 1;
const AUDIO_ID = 2;
/** Audio is moved by so much per frame to get in sync with video: too little to be heard. */
const SLEW_US = 500;

interface ReceivingOptions {
  readonly video?: CodecFamily;
  readonly audio: boolean;
  readonly keyframeMs: number;
}

/** The media of one peer on its way into a broadcast. */
class Receiving {
  readonly #ctx: PluginContext;
  readonly #publisher: MediaPublisher;
  readonly #options: ReceivingOptions;
  readonly #lines: Partial<Record<"video" | "audio", Line>> = {};
  #startMs: number | undefined;
  #begun = false;
  #closed = false;

  constructor(
    ctx: PluginContext,
    publisher: MediaPublisher,
    peer: RtcPeer,
    options: ReceivingOptions,
  ) {
    this.#ctx = ctx;
    this.#publisher = publisher;
    this.#options = options;
    for (const transceiver of peer.connection.getTransceivers()) {
      const { kind } = transceiver;
      if (kind === "video" && options.video === undefined || kind === "audio" && !options.audio) {
        continue;
      }
      const family = kind === "video" ? options.video! : "OPUS";
      const line = new Line(family, transceiver, (frame) => this.#frame(line, frame), ctx);
      this.#lines[kind as "video" | "audio"] = line;
    }
    const { video } = this.#lines;
    if (video === undefined) return;
    void peer.connected.then(() => video.askForKeyframe());
    const again = setInterval(() => video.askForKeyframe(), options.keyframeMs);
    peer.over.addEventListener("abort", () => clearInterval(again), { once: true });
    if (peer.over.aborted) clearInterval(again);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#publisher.withdraw();
  }

  #frame(line: Line, frame: ReceivedFrame): void {
    if (this.#closed) return;
    const nowMs = this.#ctx.clock.now();
    this.#startMs ??= nowMs;
    if (!this.#begun && !this.#begin(line, frame)) return;
    const timestampUs = line.timeOf(frame.ticks, (nowMs - this.#startMs) * 1000, this.#lines.video);
    this.#publisher.push({
      type: "sample",
      trackId: line.id,
      timestampUs,
      decodeTimeUs: timestampUs,
      durationUs: line.frameUs,
      fragmentUs: line.frameUs,
      keyframe: frame.keyframe,
      data: frame.payload,
    });
  }

  /** The tracks are known with the first keyframe; audio alone is known at once. */
  #begin(line: Line, { payload }: ReceivedFrame): boolean {
    const { video, audio } = this.#options;
    const tracks: MediaTrack[] = [];
    if (video !== undefined) {
      const codec = line.id === VIDEO_ID ? codecOf(video, payload) : undefined;
      if (codec === undefined) return false;
      tracks.push({ id: VIDEO_ID, kind: "video", codec, timescale: 90_000 });
    }
    if (audio) {
      const opus = { codec: "opus", timescale: 48_000, sampleRateHz: 48_000, channels: 2 };
      tracks.push({ id: AUDIO_ID, kind: "audio", ...opus });
    }
    this.#publisher.push({ type: "init", tracks, ignored: [] });
    this.#begun = true;
    return true;
  }
}

/** One section of the peer: its packets, and its clock. */
class Line {
  readonly id: number;
  /** Length of a frame: the distance of the last two. */
  frameUs: number;
  readonly #clockRate: number;
  readonly #transceiver: RTCRtpTransceiver;
  readonly #depacketizer: Depacketizer;
  #firstTimestamp: number | undefined;
  #offsetUs: number | undefined;
  #lastTicks: number | undefined;
  /** The moment of its first frame by the sender's wall clock, in microseconds. */
  #wallUs: number | undefined;

  constructor(
    family: CodecFamily,
    transceiver: RTCRtpTransceiver,
    onframe: (frame: ReceivedFrame) => void,
    { stats, clock }: PluginContext,
  ) {
    const audio = family === "OPUS";
    this.id = audio ? AUDIO_ID : VIDEO_ID;
    this.#clockRate = audio ? 48_000 : 90_000;
    this.frameUs = audio ? 20_000 : 33_333;
    this.#transceiver = transceiver;
    this.#depacketizer = new Depacketizer(family, () => this.askForKeyframe());
    const receive = (packet: RtpPacket) => {
      this.#firstTimestamp ??= packet.header.timestamp;
      const before = this.#depacketizer.skipped;
      for (const frame of this.#depacketizer.push(packet, clock.now())) onframe(frame);
      stats.skipped += this.#depacketizer.skipped - before;
    };
    const listen = (track: MediaStreamTrack) => void track.onReceiveRtp.subscribe(receive);
    const { tracks } = transceiver.receiver;
    if (tracks.length > 0) tracks.forEach(listen);
    else transceiver.onTrack.subscribe(listen);
    transceiver.receiver.onRtcp.subscribe((packet) => {
      if (packet.type === RtcpSrPacket.type) this.#report(packet as RtcpSrPacket);
    });
  }

  askForKeyframe(): void {
    for (const { ssrc } of this.#transceiver.receiver.tracks) {
      if (ssrc !== undefined) void this.#transceiver.receiver.sendRtcpPLI(ssrc);
    }
  }

  /** When a frame is shown. Audio moves towards the place beside the video that the sender's reports give it. */
  timeOf(ticks: number, arrivedUs: number, video: Line | undefined): number {
    const sinceUs = ticks * 1e6 / this.#clockRate;
    this.#offsetUs ??= arrivedUs - sinceUs;
    if (this.#lastTicks !== undefined && ticks > this.#lastTicks) {
      this.frameUs = Math.round((ticks - this.#lastTicks) * 1e6 / this.#clockRate);
    }
    this.#lastTicks = ticks;
    const wallUs = video === undefined || video === this ? undefined : video.#wallUs;
    if (wallUs !== undefined && this.#wallUs !== undefined && video !== undefined) {
      const beside = (video.#offsetUs ?? 0) + this.#wallUs - wallUs;
      this.#offsetUs += Math.max(-SLEW_US, Math.min(SLEW_US, beside - this.#offsetUs));
    }
    return Math.round(sinceUs + this.#offsetUs);
  }

  #report({ senderInfo: { ntpTimestamp, rtpTimestamp } }: RtcpSrPacket): void {
    if (this.#firstTimestamp === undefined) return;
    const ntpUs = Number(ntpTimestamp >> 32n) * 1e6 +
      Number(ntpTimestamp & 0xffffffffn) / 4294.967296;
    const since = (rtpTimestamp - this.#firstTimestamp) | 0;
    this.#wallUs ??= ntpUs - since * 1e6 / this.#clockRate;
  }
}
