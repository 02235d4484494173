/**
 * HLS playlists as text (RFC 8216bis).
 *
 * @module
 */
import type { AudioRendition, Rendition, VideoRendition } from "../../media/rendition.ts";

export interface PlaylistPart {
  readonly uri: string;
  readonly durationUs: number;
  readonly independent: boolean;
}

export interface PlaylistSegment {
  readonly uri: string;
  readonly durationUs: number;
  /** When its first frame came, in milliseconds since 1970. */
  readonly wallMs: number;
  /** Its header. It is listed where it differs from that of the segment before. */
  readonly initUri: string;
  /** Times or codecs begin anew here. */
  readonly discontinuity: boolean;
  /** Listed for the newest segments only. */
  readonly parts?: readonly PlaylistPart[];
}

export interface MediaPlaylist {
  readonly targetS: number;
  /** Number of the first segment. */
  readonly sequence: number;
  /** Discontinuities before the first segment. */
  readonly discontinuitySequence: number;
  readonly segments: readonly PlaylistSegment[];
  /** The segment that is being made, and how parts are asked for. */
  readonly lowLatency?: {
    readonly partTargetS: number;
    readonly open: Omit<PlaylistSegment, "uri" | "durationUs"> | undefined;
    readonly hintUri: string | undefined;
    readonly reports: readonly { uri: string; sequence: number; part: number }[];
  };
  /** Nothing follows. */
  readonly ended: boolean;
}

const SECONDS = (us: number) => (us / 1e6).toFixed(5);

export function mediaPlaylist(list: MediaPlaylist): string {
  const { targetS, lowLatency } = list;
  const lines = ["#EXTM3U", "#EXT-X-VERSION:9", `#EXT-X-TARGETDURATION:${targetS}`];
  if (lowLatency !== undefined) {
    const { partTargetS } = lowLatency;
    lines.push(
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${(partTargetS * 3).toFixed(3)}` +
        `,HOLD-BACK=${targetS * 3}`,
      `#EXT-X-PART-INF:PART-TARGET=${partTargetS}`,
    );
  }
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${list.sequence}`);
  if (list.discontinuitySequence > 0) {
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${list.discontinuitySequence}`);
  }
  let initUri: string | undefined;
  const begin = (segment: Omit<PlaylistSegment, "uri" | "durationUs">) => {
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    if (segment.initUri !== initUri) lines.push(`#EXT-X-MAP:URI="${segment.initUri}"`);
    initUri = segment.initUri;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.wallMs).toISOString()}`);
    for (const { uri, durationUs, independent } of segment.parts ?? []) {
      const key = independent ? ",INDEPENDENT=YES" : "";
      lines.push(`#EXT-X-PART:DURATION=${SECONDS(durationUs)},URI="${uri}"${key}`);
    }
  };
  for (const segment of list.segments) {
    begin(segment);
    lines.push(`#EXTINF:${SECONDS(segment.durationUs)},`, segment.uri);
  }
  if (lowLatency !== undefined && !list.ended) {
    if (lowLatency.open !== undefined) begin(lowLatency.open);
    if (lowLatency.hintUri !== undefined) {
      lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${lowLatency.hintUri}"`);
    }
    for (const { uri, sequence, part } of lowLatency.reports) {
      lines.push(`#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${sequence},LAST-PART=${part}`);
    }
  }
  if (list.ended) lines.push("#EXT-X-ENDLIST");
  return lines.join("\n") + "\n";
}

/** A rendition as the master playlist names it. */
export interface Variant {
  readonly rendition: Rendition;
  readonly uri: string;
  /** Highest and mean rate of its segments, in bit/s. */
  readonly peakBitrate: number;
  readonly meanBitrate: number;
}

/** The master playlist: each video with each codec of the sound, or the sound alone. */
export function masterPlaylist(variants: readonly Variant[]): string {
  const lines = ["#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-INDEPENDENT-SEGMENTS"];
  const videos = variants.filter(({ rendition }) => rendition.kind === "video");
  const audios = variants.filter(({ rendition }) => rendition.kind === "audio");
  if (videos.length === 0) {
    for (const audio of audios) lines.push(streamInf(audio, []), audio.uri);
    return lines.join("\n") + "\n";
  }
  const groups = Map.groupBy(audios, ({ rendition }) => codecOf(rendition));
  for (const [codec, members] of groups) {
    members.forEach(({ rendition, uri }, i) => {
      const { name, channels } = rendition as AudioRendition;
      const first = i === 0 ? "YES" : "NO";
      lines.push(
        `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${codec}",NAME="${attribute(name)}",DEFAULT=${first}` +
          `,AUTOSELECT=YES,CHANNELS="${channels}",URI="${uri}"`,
      );
    });
  }
  for (const video of videos) {
    if (groups.size === 0) lines.push(streamInf(video, []), video.uri);
    for (const [codec, members] of groups) {
      lines.push(`${streamInf(video, members)},AUDIO="${codec}"`, video.uri);
    }
  }
  return lines.join("\n") + "\n";
}

function streamInf(variant: Variant, sound: readonly Variant[]): string {
  const rate = (of: (variant: Variant) => number) =>
    Math.max(1, Math.ceil(of(variant) + Math.max(0, ...sound.map(of))));
  const codecs = [variant, ...sound.slice(0, 1)].map(({ rendition }) => codecOf(rendition));
  const parts = [
    `BANDWIDTH=${rate((v) => v.peakBitrate)}`,
    `AVERAGE-BANDWIDTH=${rate((v) => v.meanBitrate)}`,
    `CODECS="${codecs.join(",")}"`,
  ];
  if (variant.rendition.kind === "video") {
    const { width, height, framerate } = variant.rendition as VideoRendition;
    if (width && height) parts.push(`RESOLUTION=${width}x${height}`);
    if (framerate) parts.push(`FRAME-RATE=${framerate.toFixed(3)}`);
  }
  return `#EXT-X-STREAM-INF:${parts.join(",")}`;
}

/** Our header holds the parameter sets, wherever the publisher had them. */
function codecOf({ codec }: Rendition): string {
  return attribute(codec.replace(/^avc3/, "avc1").replace(/^hev1/, "hvc1"));
}

/** A publisher's text without what may not be between quotes. */
function attribute(text: string): string {
  return text.replaceAll(/["\p{Cc}\p{Zl}\p{Zp}]/gu, "");
}
