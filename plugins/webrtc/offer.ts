/**
 * Reads an SDP offer before there is a peer for it: the codecs of each section.
 *
 * @module
 */
import { WebRtcRefused } from "./errors.ts";

/** A codec of a section. */
export interface OfferedCodec {
  readonly payloadType: number;
  /** In capitals: "H264", "OPUS". */
  readonly name: string;
  readonly clockRate: number;
  readonly channels?: number;
  /** Its `a=fmtp`, unchanged. */
  readonly parameters?: string;
}

export interface OfferedMedia {
  readonly kind: "audio" | "video";
  readonly direction: "sendrecv" | "sendonly" | "recvonly" | "inactive";
  readonly codecs: readonly OfferedCodec[];
}

interface Section {
  readonly media: OfferedMedia;
  readonly lines: readonly string[];
}

/** Feedback that is understood. The answer leaves out all other. */
const FEEDBACK = /^a=rtcp-fb:\S+ (nack|nack pli)$/;
const MAX_SECTIONS = 8;

/** A well-formed offer. */
export class Offer {
  readonly #header: readonly string[];
  readonly #sections: readonly Section[];

  private constructor(header: readonly string[], sections: readonly Section[]) {
    this.#header = header;
    this.#sections = sections;
  }

  /** @throws {WebRtcRefused} 400: it is no offer, or asks for something that is not supported. */
  static read(sdp: string): Offer {
    const lines = sdp.split(/\r\n|\n/).filter((line) => line !== "");
    if (!lines[0]?.startsWith("v=0")) throw bad("it does not begin with v=0");
    const wrong = lines.find((line) => !/^[a-z]=/.test(line));
    if (wrong !== undefined) throw bad(`"${wrong.slice(0, 40)}" is no line of SDP`);
    const starts = lines.flatMap((line, i) => line.startsWith("m=") ? [i] : []);
    if (starts.length === 0) throw bad("it has no media section");
    if (starts.length > MAX_SECTIONS) throw bad("it has too many media sections");
    const header = lines.slice(0, starts[0]);
    const sections = starts.map((at, i) => sectionOf(lines.slice(at, starts[i + 1]), header));
    for (const kind of ["audio", "video"]) {
      if (sections.filter(({ media }) => media.kind === kind).length > 1) {
        throw bad(`it has more than one section of ${kind}`);
      }
    }
    for (const needed of ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"]) {
      const given = (all: readonly string[]) => all.some((line) => line.startsWith(needed));
      if (!given(header) && !sections.some((section) => given(section.lines))) {
        throw bad(`${needed.slice(2, -1)} is missing`);
      }
    }
    return new Offer(header, sections);
  }

  /** The section of a kind; `undefined` when it is absent or switched off. */
  media(kind: "audio" | "video"): OfferedMedia | undefined {
    const found = this.#sections.find(({ media }) => media.kind === kind)?.media;
    return found?.direction === "inactive" ? undefined : found;
  }

  /** The offer with these payload types alone: one of each kind, or several in order of preference. */
  only(kept: Readonly<Partial<Record<"audio" | "video", readonly number[]>>>): string {
    const sections = this.#sections.flatMap(({ media, lines }) => {
      const types = kept[media.kind];
      return types === undefined ? lines : reduced(lines, types);
    });
    return [...this.#header, ...sections].map((line) => `${line}\r\n`).join("");
  }
}

function bad(why: string): WebRtcRefused {
  return new WebRtcRefused(400, `Cannot take this offer: ${why}`);
}

function sectionOf(lines: readonly string[], header: readonly string[]): Section {
  const [, kind, port, protocol, formats] =
    lines[0]!.match(/^m=(\S+) (\d+)(?:\/\d+)? (\S+) (.+)$/) ?? [];
  if (kind !== "audio" && kind !== "video") {
    throw bad(`a section of ${kind ?? "no kind"}: there is only audio and video`);
  }
  if (!/^(UDP|TCP)\/TLS\/RTP\/SAVPF$/.test(protocol ?? "")) {
    throw bad(`${protocol} is not supported, only UDP/TLS/RTP/SAVPF`);
  }
  const codecs = formats!.split(" ").flatMap((format): OfferedCodec[] => {
    const found = lines.map((line) => line.match(/^a=rtpmap:(\d+) ([^/\s]+)\/(\d+)(?:\/(\d+))?$/))
      .find((match) => match?.[1] === format);
    if (!found) return [];
    const fmtp = lines.find((line) => line.startsWith(`a=fmtp:${format} `));
    return [{
      payloadType: Number(format),
      name: found[2]!.toUpperCase(),
      clockRate: Number(found[3]),
      ...(found[4] !== undefined && { channels: Number(found[4]) }),
      ...(fmtp !== undefined && { parameters: fmtp.slice(fmtp.indexOf(" ") + 1) }),
    }];
  });
  const direction = [...lines, ...header].map((line) =>
    line.match(/^a=(sendrecv|sendonly|recvonly|inactive)$/)?.[1]
  ).find((found) => found !== undefined) as OfferedMedia["direction"] | undefined;
  return {
    media: { kind, direction: port === "0" ? "inactive" : direction ?? "sendrecv", codecs },
    lines,
  };
}

function reduced(lines: readonly string[], types: readonly number[]): string[] {
  return lines.flatMap((line) => {
    if (line.startsWith("m=")) {
      return [`${line.split(" ").slice(0, 3).join(" ")} ${types.join(" ")}`];
    }
    const type = line.match(/^a=(?:rtpmap|fmtp|rtcp-fb):(\d+|\*)/)?.[1];
    if (type === undefined) return [line];
    if (type !== "*" && !types.includes(Number(type))) return [];
    return line.startsWith("a=rtcp-fb") && !FEEDBACK.test(line) ? [] : [line];
  });
}

/** One value of an `a=fmtp`. */
export function parameter(codec: OfferedCodec, name: string): string | undefined {
  for (const pair of codec.parameters?.split(";") ?? []) {
    const [key, value] = pair.trim().split("=");
    if (key?.toLowerCase() === name) return value;
  }
  return undefined;
}
