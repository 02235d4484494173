/**
 * Chooses the renditions that a viewer gets, by its offer.
 *
 * @module
 */
import { familyOf } from "../../media/codec/family.ts";
import { WebRtcRefused } from "./errors.ts";
import { type Offer, type OfferedCodec, type OfferedMedia, parameter } from "./offer.ts";
import type { AudioRendition, Rendition, VideoRendition } from "../../media/rendition.ts";

/** A rendition, and the codec that it is sent as. */
export interface Chosen<R extends Rendition> {
  readonly rendition: R;
  readonly codec: OfferedCodec;
}

export interface ChosenRenditions {
  readonly video?: Chosen<VideoRendition>;
  /** Sent as Opus, whatever its own codec. */
  readonly audio?: Chosen<AudioRendition>;
}

export interface ChoiceOptions {
  /** Audio that is not Opus can be transcoded to it. */
  readonly transcodes: boolean;
  /** The name of the only rendition of its kind that is wanted. */
  readonly video?: string;
  readonly audio?: string;
}

/**
 * The best rendition of each kind that the viewer takes.
 * @throws {WebRtcRefused} 400: it wants to send. 406: it can take nothing, or not the video.
 */
export function choose(
  offer: Offer,
  renditions: readonly Rendition[],
  options: ChoiceOptions,
): ChosenRenditions {
  for (const kind of ["video", "audio"] as const) {
    if (offer.media(kind)?.direction === "sendonly") {
      throw new WebRtcRefused(
        400,
        `Cannot take this offer: its ${kind} is sendonly, not recvonly`,
      );
    }
  }
  const named = <R extends Rendition>(kind: R["kind"], name: string | undefined) =>
    renditions.filter((r): r is R => r.kind === kind && (name === undefined || r.name === name));
  const pictures = named<VideoRendition>("video", options.video).sort(larger);
  const sounds = named<AudioRendition>("audio", options.audio).sort(opusFirst);
  const video = bestVideo(offer.media("video"), pictures);
  const audio = bestAudio(offer.media("audio"), sounds, options.transcodes);
  if (video === undefined && offer.media("video") !== undefined && pictures.length > 0) {
    throw new WebRtcRefused(406, noVideo(pictures, offer.media("video")!));
  }
  if (video === undefined && audio === undefined) {
    throw new WebRtcRefused(406, nothing(renditions));
  }
  return { ...(video !== undefined && { video }), ...(audio !== undefined && { audio }) };
}

function larger(a: VideoRendition, b: VideoRendition): number {
  return (b.height ?? 0) - (a.height ?? 0) || (b.bitrate ?? 0) - (a.bitrate ?? 0);
}

function opusFirst(a: AudioRendition, b: AudioRendition): number {
  const cost = (r: AudioRendition) => isPlainOpus(r) ? 0 : 1;
  return cost(a) - cost(b) || (b.bitrate ?? 0) - (a.bitrate ?? 0);
}

/** Whether it can be sent as it is: more than two channels need a mapping that browsers do not offer. */
export function isPlainOpus(rendition: AudioRendition): boolean {
  return familyOf(rendition.codec) === "OPUS" && rendition.channels <= 2;
}

function bestVideo(
  media: OfferedMedia | undefined,
  renditions: readonly VideoRendition[],
): Chosen<VideoRendition> | undefined {
  for (const rendition of media === undefined ? [] : renditions) {
    const codec = payloadOf(rendition, media!.codecs);
    if (codec !== undefined) return { rendition, codec };
  }
  return undefined;
}

function bestAudio(
  media: OfferedMedia | undefined,
  renditions: readonly AudioRendition[],
  transcodes: boolean,
): Chosen<AudioRendition> | undefined {
  const codec = media?.codecs.find(({ name }) => name === "OPUS");
  const rendition = renditions.find((r) =>
    isPlainOpus(r) || transcodes && /^(AAC|OPUS)$/.test(familyOf(r.codec) ?? "")
  );
  return codec === undefined || rendition === undefined ? undefined : { rendition, codec };
}

/** Without H.265 on purpose: few browsers take it by WebRTC, and others would show black. */
function payloadOf(rendition: VideoRendition, codecs: readonly OfferedCodec[]) {
  const family = familyOf(rendition.codec);
  if (family === "H265") return undefined;
  const same = codecs.filter(({ name }) => name === family);
  switch (family) {
    case "H264":
      return h264(rendition.codec, same);
    case "VP9": {
      const profile = Number(rendition.codec.split(".")[1] ?? 0);
      return same.find((codec) => Number(parameter(codec, "profile-id") ?? 0) === profile);
    }
    case "AV1": {
      const profile = Number(rendition.codec.split(".")[1] ?? 0);
      return same.find((codec) => Number(parameter(codec, "profile") ?? 0) === profile);
    }
    default:
      return same[0];
  }
}

/**
 * The offered H.264 of the same profile, else any. Browsers that offer Constrained Baseline alone decode Main and High as
 * well.
 */
function h264(codec: string, offered: readonly OfferedCodec[]): OfferedCodec | undefined {
  const profile = codec.split(".")[1]?.slice(0, 2).toLowerCase();
  const level = (c: OfferedCodec) => parameter(c, "profile-level-id")?.toLowerCase() ?? "42001f";
  // Frames larger than a packet need its fragmentation.
  const fragmented = offered.filter((c) => parameter(c, "packetization-mode") === "1");
  return fragmented.find((c) => profile !== "42" && level(c).startsWith(profile ?? "")) ??
    fragmented.find((c) => level(c).startsWith("42e0")) ?? fragmented[0];
}

function noVideo(renditions: readonly VideoRendition[], media: OfferedMedia): string {
  const have = renditions.map(({ codec }) => codec).join(", ");
  if (renditions.every(({ codec }) => familyOf(codec) === "H265")) {
    return `Cannot send this broadcast: its video is H.265 (${have}), which browsers do not take by WebRTC; ` +
      "transcode it to H.264";
  }
  const offered = [...new Set(media.codecs.map(({ name }) => name))].join(", ");
  return `Cannot send this broadcast: its video is ${have}, the offer takes ${
    offered || "nothing"
  }`;
}

function nothing(renditions: readonly Rendition[]): string {
  const have = renditions.map(({ kind, name, codec }) => `${kind} ${name} in ${codec}`).join(", ");
  return `Cannot send this broadcast: it has ${
    have || "no media"
  }, and none of it is what the offer takes`;
}
