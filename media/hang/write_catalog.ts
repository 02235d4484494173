import { type CatalogAudio, type CatalogVideo, CONTAINER } from "./catalog.ts";
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

/**
 * The payload of `catalog.json`.
 * @param extra Further sections.
 */
export function catalogText(
  renditions: readonly Rendition[],
  extra: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({ ...catalogOf(renditions), ...extra });
}
