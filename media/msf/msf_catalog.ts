/**
 * The catalog of MSF, the streaming format of the IETF (draft-ietf-moq-msf-01, draft-ietf-moq-cmsf-00).
 *
 * @module
 */
import type { Rendition } from "../rendition.ts";

/** Readers look at this. Those of draft-00 accept it too. */
const VERSION = "draft-01";
/** Tracks that show the same at the same time: players choose one of them. */
const ALT_GROUP = { video: 1, audio: 2 } as const;

/** A rendition as CMAF. */
export interface CmafEntry {
  /** The track of its fragments. */
  readonly track: string;
  /** The header: `ftyp` and `moov`. */
  readonly init: Uint8Array;
}

/**
 * An MSF catalog of these renditions. Each is in it as hang's container, and once more as CMAF where `cmaf` has it. Fields that
 * are `undefined` are absent in the JSON.
 * @param cmaf By the name of the rendition.
 */
export function msfCatalogOf(
  renditions: readonly Rendition[],
  cmaf: ReadonlyMap<string, CmafEntry> = new Map(),
) {
  const initDataList: { id: string; type: "inline"; data: string }[] = [];
  const refer = (data: Uint8Array | undefined) => {
    if (data === undefined) return undefined;
    const id = `init${initDataList.length}`;
    initDataList.push({ id, type: "inline", data: data.toBase64() });
    return id;
  };
  const videoFirst = Map.groupBy(renditions, ({ kind }) => kind);
  const tracks = [...videoFirst.get("video") ?? [], ...videoFirst.get("audio") ?? []]
    .flatMap((one) => {
      const { name, kind: role, codec, description, bitrate, jitterMs: jitter } = one;
      const common = {
        isLive: true,
        role,
        // All tracks belong to one presentation.
        renderGroup: 1,
        altGroup: ALT_GROUP[role],
        codec,
        ...(role === "video"
          ? { width: one.width, height: one.height, framerate: one.framerate }
          : { samplerate: one.sampleRateHz, channelConfig: String(one.channels) }),
        // In bit/s, and in milliseconds.
        bitrate,
        jitter,
      };
      // hang's container, under the name that its players agreed on.
      const legacy = { name, packaging: "legacy", ...common, initRef: refer(description) };
      const made = cmaf.get(name);
      if (made === undefined) return [legacy];
      return [legacy, {
        ...{ name: made.track, packaging: "cmaf", ...common },
        initRef: refer(made.init),
      }];
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
