import {
  CATALOG_TRACK,
  type CatalogAudio,
  type CatalogVideo,
  CONTAINER,
  type HangCatalog,
  MSF_CATALOG_TRACK,
} from "./catalog.ts";
import { buildMsfCatalog } from "./msf_catalog.ts";
import { hex } from "../codec/hex.ts";
import type { Rendition } from "../rendition.ts";

/**
 * The catalog of these renditions. Their frames are published in the "legacy" container, whatever they came in. A kind without
 * renditions is left out.
 */
export function catalogOf(renditions: readonly Rendition[]): HangCatalog {
  const video: Record<string, CatalogVideo> = {};
  const audio: Record<string, CatalogAudio> = {};
  for (const rendition of renditions) {
    const { name, codec, description, bitrate, jitterMs } = rendition;
    const common = {
      codec,
      container: CONTAINER,
      ...(description !== undefined && { description: hex(description) }),
    };
    const timing = {
      ...(bitrate !== undefined && { bitrate }),
      ...(jitterMs !== undefined && { jitter: jitterMs }),
    };
    if (rendition.kind === "audio") {
      const { sampleRateHz: sampleRate, channels: numberOfChannels } = rendition;
      audio[name] = { ...common, sampleRate, numberOfChannels, ...timing };
      continue;
    }
    const { width, height, framerate } = rendition;
    video[name] = {
      ...common,
      ...(width !== undefined && { codedWidth: width }),
      ...(height !== undefined && { codedHeight: height }),
      ...(framerate !== undefined && { framerate }),
      ...timing,
    };
  }
  return {
    ...(Object.keys(video).length > 0 && { video: { renditions: video } }),
    ...(Object.keys(audio).length > 0 && { audio: { renditions: audio } }),
  };
}

/**
 * The payload of each catalog track: hang's and MSF's.
 * @param extra Further sections of hang's catalog.
 */
export function catalogPayloads(
  catalog: HangCatalog,
  extra: Readonly<Record<string, unknown>> = {},
): { readonly track: string; readonly payload: Uint8Array<ArrayBuffer> }[] {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return [
    { track: CATALOG_TRACK, payload: json({ ...catalog, ...extra }) },
    { track: MSF_CATALOG_TRACK, payload: json(buildMsfCatalog(catalog)) },
  ];
}
