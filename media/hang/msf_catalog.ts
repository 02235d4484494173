/**
 * The catalog of MSF, the streaming format of the IETF (draft-ietf-moq-msf-01).
 *
 * @module
 */
import type { CatalogAudio, CatalogVideo, HangCatalog } from "./catalog.ts";

/** Readers look at this. Those of draft-00 accept it too. */
const VERSION = "draft-01";

interface MsfTrack {
  readonly name: string;
  /** "legacy" is hang's container, under the name that its players agreed on. */
  readonly packaging: "legacy";
  readonly isLive: true;
  readonly role: "video" | "audio";
  /** All tracks belong to one presentation. */
  readonly renderGroup: 1;
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: number;
  readonly samplerate?: number;
  readonly channelConfig?: string;
  /** In bit/s. */
  readonly bitrate?: number;
  /** In milliseconds, as in hang's catalog. */
  readonly jitter?: number;
  /** Names an entry of `initDataList`. */
  readonly initRef?: string;
}

export interface MsfCatalog {
  readonly version: string;
  readonly tracks: readonly MsfTrack[];
  readonly initDataList?: readonly {
    readonly id: string;
    readonly type: "inline";
    readonly data: string;
  }[];
}

/** The same renditions as an MSF catalog. */
export function buildMsfCatalog(catalog: HangCatalog): MsfCatalog {
  const initDataList: { id: string; type: "inline"; data: string }[] = [];
  const tracks: MsfTrack[] = [];
  const add = (
    name: string,
    role: MsfTrack["role"],
    from: CatalogVideo | CatalogAudio,
    own: Partial<MsfTrack>,
  ) => {
    const { codec, description, bitrate, jitter } = from;
    const id = `init${initDataList.length}`;
    if (description !== undefined) {
      initDataList.push({ id, type: "inline", data: Uint8Array.fromHex(description).toBase64() });
    }
    tracks.push({
      name,
      packaging: "legacy",
      isLive: true,
      role,
      renderGroup: 1,
      codec,
      ...own,
      ...(bitrate !== undefined && { bitrate }),
      ...(jitter !== undefined && { jitter }),
      ...(description !== undefined && { initRef: id }),
    });
  };
  for (const [name, from] of Object.entries(catalog.video?.renditions ?? {})) {
    const { codedWidth: width, codedHeight: height, framerate } = from;
    add(name, "video", from, {
      ...(width !== undefined && { width }),
      ...(height !== undefined && { height }),
      ...(framerate !== undefined && { framerate }),
    });
  }
  for (const [name, from] of Object.entries(catalog.audio?.renditions ?? {})) {
    add(name, "audio", from, {
      samplerate: from.sampleRate,
      channelConfig: String(from.numberOfChannels),
    });
  }
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
