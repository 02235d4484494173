/**
 * The JSON of a catalog, hang's or MSF's, and the tracks it names. A publisher may write anything into it, so every reader keeps
 * to these limits.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { MediaError } from "../media_error.ts";
import { isCatalog } from "./catalog.ts";

export type Json = Readonly<Record<string, unknown>>;

/** At most this many renditions of one broadcast are read, video and audio together. */
export const MAX_RENDITIONS = 32;
/** Real catalogs have a few kilobytes, including the MP4 headers that some hold. */
export const MAX_CATALOG_BYTES = 256 * 1024;
export const MAX_CATALOG_DEPTH = 16;
/** A longer name cannot be subscribed to. */
export const MAX_TRACK_NAME_BYTES = 1024;

/** The catalog is not read. */
export class CatalogRefused extends MediaError {
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot read the catalog: ${why}`, options);
  }
}

/**
 * The JSON of a catalog, or of a patch of one.
 * @throws {CatalogRefused} It is too large, too deep, or no JSON object.
 */
export function parseCatalog(bytes: Uint8Array): Json {
  if (bytes.length > MAX_CATALOG_BYTES) {
    throw new CatalogRefused(`it is ${bytes.length} bytes long, more than ${MAX_CATALOG_BYTES}`);
  }
  if (depthOf(bytes) > MAX_CATALOG_DEPTH) {
    throw new CatalogRefused(`it is more than ${MAX_CATALOG_DEPTH} levels deep`);
  }
  let catalog: unknown;
  try {
    catalog = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CatalogRefused(reasonOf(cause), { cause });
  }
  if (!isMap(catalog)) throw new CatalogRefused("it is no JSON object");
  return catalog;
}

/**
 * The renditions in a section of a hang catalog, with the names of their tracks. Older catalogs have a list of tracks, newer ones
 * have renditions by name.
 */
export function namedIn(section: unknown): [name: string, config: unknown][] {
  if (Array.isArray(section)) {
    return section.flatMap((entry) =>
      isMap(entry) && isMap(entry.track) && typeof entry.track.name === "string"
        ? [[entry.track.name, entry.config] as [string, unknown]]
        : []
    );
  }
  return isMap(section) && isMap(section.renditions) ? Object.entries(section.renditions) : [];
}

/** Tracks of a catalog that can be subscribed to. */
export interface NamedTracks {
  /** At most {@link MAX_RENDITIONS}. */
  readonly names: readonly string[];
  /** How many more it names. */
  readonly leftOut: number;
}

/** The renditions in all sections of a hang catalog. */
export function tracksNamed(catalog: Json): NamedTracks {
  const all = new Set(Object.values(catalog).flatMap(namedIn).map(([name]) => name));
  const names = all.values().filter(isRenditionName).take(MAX_RENDITIONS).toArray();
  return { names, leftOut: all.size - names.length };
}

export function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a rendition can have this name. The names of the catalogs are taken. */
export function isRenditionName(name: string): boolean {
  return name !== "" && name !== "__proto__" && !isCatalog(name) && name.isWellFormed() &&
    name.length <= MAX_TRACK_NAME_BYTES &&
    new TextEncoder().encode(name).length <= MAX_TRACK_NAME_BYTES;
}

/** How deep brackets are nested. Brackets in texts do not count. */
function depthOf(json: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0, inText = false; at < json.length; at++) {
    const byte = json[at];
    if (inText) {
      if (byte === 0x5c) at++; // `\"` does not end it
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return deepest;
}
