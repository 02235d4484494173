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
 * An MSF catalog of these renditions: each as CMAF where `cmaf` has it, and then each in hang's container. Fields that are
 * `undefined` are absent in the JSON.
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
  const ofKind = Map.groupBy(renditions, ({ kind }) => kind);
  const videoFirst = [...ofKind.get("video") ?? [], ...ofKind.get("audio") ?? []];
  // Players without a word for hang's container take the first track of a kind, so CMAF goes first. moq-dev's take no track
  // without a role: they would take both of each rendition, and cannot read H.264 in CMAF.
  const fragmented = videoFirst.flatMap((one) => {
    const made = cmaf.get(one.name);
    if (made === undefined) return [];
    const mimeType = `${one.kind}/mp4`;
    const initRef = refer(made.init);
    return [{ name: made.track, packaging: "cmaf", mimeType, ...fieldsOf(one), initRef }];
  });
  // Under the name that hang's players agreed on.
  const legacy = videoFirst.map((one) => ({
    ...{ name: one.name, packaging: "legacy", role: one.kind, ...fieldsOf(one) },
    initRef: refer(one.description),
  }));
  const tracks = [...fragmented, ...legacy];
  return { version: VERSION, tracks, ...(initDataList.length > 0 && { initDataList }) };
}

function fieldsOf(one: Rendition) {
  const { codec, bitrate, jitterMs: jitter } = one;
  return {
    isLive: true,
    // All tracks belong to one presentation.
    renderGroup: 1,
    altGroup: ALT_GROUP[one.kind],
    codec,
    ...(one.kind === "video"
      ? { width: one.width, height: one.height, framerate: one.framerate }
      : { samplerate: one.sampleRateHz, channelConfig: String(one.channels) }),
    // In bit/s, and in milliseconds.
    bitrate,
    jitter,
  };
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
