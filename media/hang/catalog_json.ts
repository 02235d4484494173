/**
 * What is read of a catalog at most. It is the word of whoever publishes: everything that reads one keeps to these numbers.
 *
 * @module
 */
import { QumoError, reasonOf } from "../../base/errors.ts";

/** Renditions of one broadcast that are read at most, pictures and sounds together. */
export const MAX_RENDITIONS = 32;
/** With the headers of MP4 that some hold it is a few kilobytes. */
export const MAX_CATALOG_BYTES = 256 * 1024;
export const MAX_CATALOG_DEPTH = 16;
/** A longer name cannot be subscribed to. */
export const MAX_TRACK_NAME_BYTES = 1024;

/** It is not read. */
export class CatalogRefused extends QumoError {
  readonly code = "QUMO_CATALOG_REFUSED";
  constructor(why: string, options?: ErrorOptions) {
    super(`Cannot read the catalog: ${why}`, options);
  }
}

/**
 * The JSON of a catalog, or of a patch of one.
 * @throws {CatalogRefused} It is too large, too deep, or no JSON.
 */
export function parseCatalog(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_CATALOG_BYTES) {
    throw new CatalogRefused(`it is ${bytes.length} bytes long, more than ${MAX_CATALOG_BYTES}`);
  }
  if (depthOf(bytes) > MAX_CATALOG_DEPTH) {
    throw new CatalogRefused(`it is more than ${MAX_CATALOG_DEPTH} levels deep`);
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CatalogRefused(reasonOf(cause), { cause });
  }
}

/** Whether a name can be that of a rendition: catalogs themselves are none. */
export function isRenditionName(name: string): boolean {
  return name !== "" && name !== "catalog.json" && name !== "catalog" && name !== "__proto__" &&
    name.isWellFormed() && name.length <= MAX_TRACK_NAME_BYTES &&
    new TextEncoder().encode(name).length <= MAX_TRACK_NAME_BYTES;
}

/** Brackets within each other, those in texts left out. */
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
