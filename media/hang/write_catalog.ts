import {
  type AudioRendition as CatalogAudio,
  CONTAINER,
  type HangCatalog,
  type VideoRendition as CatalogVideo,
} from "./catalog.ts";
import { hex } from "../mp4/read_sample_entry.ts";
import type { Rendition } from "../rendition.ts";

/** The catalog of renditions whose frames are published as plain codec bytes, whatever container they came in. */
export function catalogOf(renditions: readonly Rendition[]): HangCatalog {
  const video: Record<string, CatalogVideo> = {};
  const audio: Record<string, CatalogAudio> = {};
  for (const rendition of renditions) {
    const { name, codec, description, bitrate, jitterMs } = rendition;
    const common = {
      codec,
      container: CONTAINER,
      ...(description !== undefined && { description: hex(description) }),
      ...(bitrate !== undefined && { bitrate }),
      ...(jitterMs !== undefined && { jitter: jitterMs }),
    };
    if (rendition.kind === "audio") {
      const { sampleRateHz: sampleRate, channels: numberOfChannels } = rendition;
      audio[name] = { ...common, sampleRate, numberOfChannels };
      continue;
    }
    const { width, height, framerate } = rendition;
    video[name] = {
      ...common,
      ...(width !== undefined && { codedWidth: width }),
      ...(height !== undefined && { codedHeight: height }),
      ...(framerate !== undefined && { framerate }),
    };
  }
  return {
    ...(Object.keys(video).length > 0 && { video: { renditions: video } }),
    ...(Object.keys(audio).length > 0 && { audio: { renditions: audio } }),
  };
}
