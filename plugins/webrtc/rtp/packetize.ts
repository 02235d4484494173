/**
 * Makes RTP packets of the frames of a rendition, once for all viewers.
 *
 * @module
 */
import {
  Av1Packetizer,
  H264Packetizer,
  OpusPacketizer,
  parseAvcDecoderConfigurationRecord,
  type RtpPacket,
  Vp8Packetizer,
  Vp9Packetizer,
} from "werift";
import { MediaError } from "../../../media/media_error.ts";
import { familyOf } from "../../../media/codec/family.ts";
import type { MediaFrame, Rendition } from "../../../media/rendition.ts";

export type { RtpPacket } from "werift";

/** Leaves room for IP, UDP, SRTP and header extensions within 1,280 bytes, which every path carries. */
const MAX_PAYLOAD_BYTES = 1180;

/** Makes the packets of one frame. The sender sets their sequence numbers, times and SSRC. */
export type Packetize = (frame: Pick<MediaFrame, "payload" | "keyframe">) => RtpPacket[];

/**
 * @returns Throws when a frame is damaged.
 * @throws {MediaError} The codec cannot be sent, or its description is damaged.
 */
export function packetizerOf(rendition: Rendition): Packetize {
  const options = { maxPayloadSize: MAX_PAYLOAD_BYTES };
  switch (familyOf(rendition.codec)) {
    case "H264": {
      const packetizer = new H264Packetizer({ ...options, ...h264Layout(rendition) });
      return ({ payload, keyframe }) =>
        packetizer.packetize(bufferOf(payload), 0, { isKeyframe: keyframe });
    }
    case "VP8": {
      const packetizer = new Vp8Packetizer(options);
      return ({ payload }) => packetizer.packetize(bufferOf(payload), 0);
    }
    case "VP9": {
      const packetizer = new Vp9Packetizer(options);
      return ({ payload, keyframe }) =>
        packetizer.packetize(bufferOf(payload), 0, { isKeyframe: keyframe });
    }
    case "AV1": {
      const packetizer = new Av1Packetizer(options);
      return ({ payload, keyframe }) =>
        packetizer.packetize(bufferOf(payload), 0, { isKeyframe: keyframe });
    }
    case "OPUS": {
      const packetizer = new OpusPacketizer(options);
      return ({ payload }) => packetizer.packetize(bufferOf(payload), 0);
    }
    default:
      throw new MediaError(`Cannot send ${rendition.codec} by RTP`);
  }
}

/** Parameter sets stand before every keyframe, since a viewer may begin at any of them. */
function h264Layout({ codec, description }: Rendition) {
  if (description === undefined) return { inputFormat: "annexb" as const };
  try {
    const { naluLengthSize, parameterSets } = parseAvcDecoderConfigurationRecord(description);
    return { inputFormat: "length-prefixed" as const, naluLengthSize, parameterSets };
  } catch (cause) {
    throw new MediaError(`Cannot send ${codec} by RTP: its description is damaged`, { cause });
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
