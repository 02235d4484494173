/**
 * The catalog of MSF, the streaming format of the IETF (draft-ietf-moq-msf-01).
 *
 * @module
 */
import type { Rendition } from "../rendition.ts";

/** Readers look at this. Those of draft-00 accept it too. */
const VERSION = "draft-01";

/** An MSF catalog of these renditions. Fields that are `undefined` are absent in the JSON. */
export function msfCatalogOf(renditions: readonly Rendition[]) {
  const initDataList: { id: string; type: "inline"; data: string }[] = [];
  const videoFirst = Map.groupBy(renditions, ({ kind }) => kind);
  const tracks = [...videoFirst.get("video") ?? [], ...videoFirst.get("audio") ?? []].map((one) => {
    const { name, kind: role, codec, description, bitrate, jitterMs: jitter } = one;
    const initRef = description && `init${initDataList.length}`;
    if (description && initRef) {
      initDataList.push({ id: initRef, type: "inline", data: description.toBase64() });
    }
    return {
      name,
      // hang's container, under the name that its players agreed on.
      packaging: "legacy",
      isLive: true,
      role,
      // All tracks belong to one presentation.
      renderGroup: 1,
      codec,
      ...(role === "video"
        ? { width: one.width, height: one.height, framerate: one.framerate }
        : { samplerate: one.sampleRateHz, channelConfig: String(one.channels) }),
      // In bit/s, and in milliseconds.
      bitrate,
      jitter,
      initRef,
    };
  });
  return { version: VERSION, tracks, ...(initDataList.length > 0 && { initDataList }) };
}

/** The tracks in an MSF catalog, with their fields as they are; `undefined` when it has no list. */
export function msfTracks(catalog: Readonly<Record<string, unknown>>) {
  if (!Array.isArray(catalog.tracks)) return undefined;
  return catalog.tracks.filter((
    track,
  ): track is { readonly name: string; [key: string]: unknown } =>
    typeof track?.name === "string" && track.name !== ""
  );
}
