/**
 * A hang catalog as its readers use it.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { MediaError } from "./fmp4/media_error.ts";
import type { MediaTrack } from "./fmp4/media_track.ts";
import { Splitter } from "./fmp4/splitter.ts";

interface CommonRendition {
  /** The track it is read from. */
  readonly name: string;
  /** WebCodecs codec string. */
  readonly codec: string;
  /**
   * What a WebCodecs decoder takes as `description`: avcC, hvcC, AudioSpecificConfig. Without it H.264 and H.265 are in
   * Annex B, and AAC is in ADTS.
   */
  readonly description?: Uint8Array;
  /** What a frame of the track is: a time and the codec's bytes, or a fragment of MP4. */
  readonly container: "legacy" | "cmaf";
  /** Header of the MP4 that the fragments of "cmaf" belong to. */
  readonly init?: Uint8Array;
  /** In bit/s. */
  readonly bitrate?: number;
  /** How long a frame may be held back behind one that follows it, in milliseconds. */
  readonly jitterMs?: number;
}

export interface VideoRendition extends CommonRendition {
  readonly kind: "video";
  /** Coded size in pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: number;
}

export interface AudioRendition extends CommonRendition {
  readonly kind: "audio";
  readonly sampleRateHz: number;
  readonly channels: number;
}

export type Rendition = VideoRendition | AudioRendition;

type Json = Record<string, unknown>;

/**
 * Reads the root of `catalog.json`. What this program cannot carry (another container, another broadcast's track) is left
 * out; unknown sections are not looked at.
 * @throws {MediaError} It is no catalog.
 */
export function readCatalog(catalog: unknown): Rendition[] {
  if (!isMap(catalog)) throw new MediaError("Cannot read the catalog: it is no JSON object");
  const found: Rendition[] = [];
  for (const kind of ["video", "audio"] as const) {
    for (const [name, fields] of renditionsOf(catalog[kind])) {
      const rendition = readRendition(kind, name, fields);
      if (rendition !== undefined) found.push(rendition);
    }
  }
  return found;
}

/** Older catalogs have a list of tracks where newer ones have renditions by name. */
function renditionsOf(section: unknown): [string, Json][] {
  if (Array.isArray(section)) {
    return section.flatMap((entry) =>
      isMap(entry) && isMap(entry.track) && isMap(entry.config) &&
        typeof entry.track.name === "string"
        ? [[entry.track.name, entry.config] as [string, Json]]
        : []
    );
  }
  if (!isMap(section) || !isMap(section.renditions)) return [];
  return Object.entries(section.renditions).filter((e): e is [string, Json] => isMap(e[1]));
}

function readRendition(kind: "video" | "audio", name: string, from: Json): Rendition | undefined {
  const { codec } = from;
  if (typeof codec !== "string" || from.broadcast !== undefined) return undefined;
  const container = isMap(from.container) ? from.container.kind : "legacy";
  if (container !== "legacy" && container !== "cmaf") return undefined;
  const init = container === "cmaf" ? initOf((from.container as Json).init) : undefined;
  if (container === "cmaf" && init === undefined) return undefined;
  const description = init?.track.description ?? fromHex(from.description);
  const bitrate = numberOf(from.bitrate);
  const jitterMs = numberOf(from.jitter);
  const common = {
    name,
    codec,
    container,
    ...(init !== undefined && { init: init.bytes }),
    ...(description !== undefined && { description }),
    ...(bitrate !== undefined && { bitrate }),
    ...(jitterMs !== undefined && { jitterMs }),
  } as const;
  if (kind === "audio") {
    return {
      ...common,
      kind,
      sampleRateHz: numberOf(from.sampleRate) ?? 48_000,
      channels: numberOf(from.numberOfChannels) ?? 2,
    };
  }
  const width = numberOf(from.codedWidth);
  const height = numberOf(from.codedHeight);
  const framerate = numberOf(from.framerate);
  return {
    ...common,
    kind,
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(framerate !== undefined && { framerate }),
  };
}

function initOf(base64: unknown): { bytes: Uint8Array; track: MediaTrack } | undefined {
  try {
    const bytes = Uint8Array.fromBase64(String(base64));
    for (const event of new Splitter().push(bytes)) {
      const track = event.type === "init" ? event.tracks[0] : undefined;
      if (track !== undefined) return { bytes, track };
    }
  } catch { // Neither base64 nor MP4: nobody can play it.
  }
  return undefined;
}

function fromHex(text: unknown): Uint8Array | undefined {
  try {
    return typeof text === "string" ? Uint8Array.fromHex(text) : undefined;
  } catch {
    return undefined;
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The versions of a catalog within one group of its track: the first frame is whole, each further one a JSON merge patch
 * (RFC 7396) of what is before it.
 */
export class CatalogVersions {
  #root: unknown;

  /** @throws {MediaError} The frame is no JSON, or no catalog. */
  next(payload: Uint8Array, first: boolean): Rendition[] {
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(payload));
    } catch (cause) {
      throw new MediaError(`Cannot read the catalog: ${reasonOf(cause)}`, { cause });
    }
    this.#root = first ? json : patched(this.#root, json);
    return readCatalog(this.#root);
  }
}

function patched(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result: Json = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else {Object.defineProperty(result, key, {
        value: patched(Object.hasOwn(result, key) ? result[key] : undefined, value),
        enumerable: true,
        configurable: true,
        writable: true,
      });}
  }
  return result;
}
