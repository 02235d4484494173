import {
  CATALOG_TRACK,
  type CatalogAudio,
  type CatalogVideo,
  CONTAINER,
  MSF_CATALOG_TRACK,
} from "./catalog.ts";
import { msfCatalogOf } from "./msf_catalog.ts";
import { hex } from "../codec/hex.ts";
import type { Rendition } from "../rendition.ts";

/**
 * The root of `catalog.json` for these renditions, as the schema of `@moq/hang` 0.3 reads it. Their frames are published in the
 * "legacy" container, whatever they came in. Fields that are `undefined` are absent in the JSON.
 */
export function catalogOf(renditions: readonly Rendition[]) {
  const section = (kind: Rendition["kind"]) => {
    const ofKind = renditions.filter((rendition) => rendition.kind === kind);
    return ofKind.length === 0
      ? undefined
      : { renditions: Object.fromEntries(ofKind.map((one) => [one.name, entryOf(one)])) };
  };
  return { video: section("video"), audio: section("audio") };
}

function entryOf(rendition: Rendition): CatalogVideo | CatalogAudio {
  const { kind, codec, description, bitrate, jitterMs: jitter } = rendition;
  return {
    codec,
    container: CONTAINER,
    description: description && hex(description),
    ...(kind === "video"
      ? {
        codedWidth: rendition.width,
        codedHeight: rendition.height,
        framerate: rendition.framerate,
      }
      : { sampleRate: rendition.sampleRateHz, numberOfChannels: rendition.channels }),
    bitrate,
    jitter,
  };
}

export interface CatalogText {
  readonly track: string;
  readonly text: string;
}

/**
 * The payload of each catalog track: hang's and MSF's.
 * @param extra Further sections of hang's catalog.
 */
export function catalogTexts(
  renditions: readonly Rendition[],
  extra: Readonly<Record<string, unknown>> = {},
): readonly [hang: CatalogText, msf: CatalogText] {
  return [
    { track: CATALOG_TRACK, text: JSON.stringify({ ...catalogOf(renditions), ...extra }) },
    { track: MSF_CATALOG_TRACK, text: JSON.stringify(msfCatalogOf(renditions)) },
  ];
}
