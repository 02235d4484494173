/**
 * Reads a hang catalog, and its versions within a group.
 *
 * @module
 */
import {
  CatalogRefused,
  isMap,
  isRenditionName,
  type Json,
  MAX_CATALOG_BYTES,
  MAX_RENDITIONS,
  namedIn,
  parseCatalog,
} from "./catalog_json.ts";
import type { MediaTrack } from "../mp4/media_track.ts";
import { Splitter } from "../mp4/splitter.ts";
import type { Rendition } from "../rendition.ts";

/** The part of a catalog that can be carried. */
export interface ReadCatalog {
  readonly renditions: Rendition[];
  /** How many more renditions it names. */
  readonly leftOut: number;
}

/**
 * Reads the root of `catalog.json`. It leaves out what this program cannot carry: another container, a track of another
 * broadcast, senseless numbers or names, and renditions beyond {@link MAX_RENDITIONS}. It ignores unknown sections.
 * @throws {CatalogRefused} It is no catalog.
 */
export function readCatalog(catalog: unknown): ReadCatalog {
  if (!isMap(catalog)) throw new CatalogRefused("it is no JSON object");
  const found = new Map<string, Rendition>();
  let count = 0;
  for (const kind of ["video", "audio"] as const) {
    for (const [name, fields] of namedIn(catalog[kind])) {
      if (!isMap(fields)) continue;
      count++;
      if (found.has(name) || !isRenditionName(name)) continue;
      const rendition = readRendition(kind, name, fields);
      if (rendition !== undefined) found.set(name, rendition);
    }
  }
  const [video, audio] = (["video", "audio"] as const).map((wanted) =>
    [...found.values()].filter(({ kind }) => kind === wanted)
  ) as [Rendition[], Rendition[]];
  // If there are many of both kinds, each gets half.
  const most = Math.max(MAX_RENDITIONS / 2, MAX_RENDITIONS - video.length);
  const sounds = audio.slice(0, most);
  const renditions = [...video.slice(0, MAX_RENDITIONS - sounds.length), ...sounds];
  return { renditions, leftOut: count - renditions.length };
}

/** Names as WebCodecs registers them. They have no character with a meaning in a playlist or on a command line. */
const CODEC = /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/;
/** Limits of what decoders and containers can hold. */
const MAX_SIDE = 16_384;
const MAX_PIXELS = 8192 * 4352;
const MAX_DESCRIPTION_BYTES = 64 * 1024;

function readRendition(kind: "video" | "audio", name: string, from: Json): Rendition | undefined {
  const { codec } = from;
  if (typeof codec !== "string" || !CODEC.test(codec) || from.broadcast !== undefined) {
    return undefined;
  }
  const container = isMap(from.container) ? from.container.kind : "legacy";
  if (container !== "legacy" && container !== "cmaf") return undefined;
  const init = container === "cmaf" ? initOf((from.container as Json).init) : undefined;
  if (container === "cmaf" && init === undefined) return undefined;
  const description = init?.track.description ?? fromHex(from.description);
  const bitrate = numberOf(from.bitrate, 0, 1e11);
  const jitterMs = numberOf(from.jitter, 0, 60_000);
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
    const sampleRateHz = wholeOf(from.sampleRate ?? 48_000, 1000, 768_000);
    const channels = wholeOf(from.numberOfChannels ?? 2, 1, 64);
    if (sampleRateHz === undefined || channels === undefined) return undefined;
    return { ...common, kind, sampleRateHz, channels };
  }
  const [width, height] = [from.codedWidth, from.codedHeight].map((n) => wholeOf(n, 1, MAX_SIDE));
  // A reader that believes an impossible size would allocate it.
  const possible = (width ?? 1) * (height ?? 1) <= MAX_PIXELS;
  const framerate = numberOf(from.framerate, 0.1, 1000);
  return {
    ...common,
    kind,
    ...(possible && width !== undefined && { width }),
    ...(possible && height !== undefined && { height }),
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
    return typeof text === "string" && text.length <= 2 * MAX_DESCRIPTION_BYTES
      ? Uint8Array.fromHex(text)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The value if it is a number within these bounds. */
function numberOf(value: unknown, least: number, most: number): number | undefined {
  return typeof value === "number" && value >= least && value <= most ? value : undefined;
}

function wholeOf(value: unknown, least: number, most: number): number | undefined {
  return Number.isInteger(value) ? numberOf(value, least, most) : undefined;
}

/** Patches may grow a catalog to half of the limit: so it has to be measured once for that many bytes of patches, not more often. */
const MAX_GROWN_BYTES = MAX_CATALOG_BYTES / 2;

/**
 * The versions of a catalog within one group of its track. The first frame is a whole catalog, each further frame a JSON merge
 * patch (RFC 7396). Taking a frame costs time in proportion to its own length, not to the catalog's. {@link read} costs more.
 */
export class CatalogVersions {
  #root: Record<string, unknown> = {};
  /** Upper bound of its size, in bytes. */
  #bytes = 0;

  /** Takes the next frame. @throws {CatalogRefused} It is no JSON, or no catalog, or more than is read of one. */
  take(payload: Uint8Array, first: boolean): void {
    const json = parseCatalog(payload);
    if (first) [this.#root, this.#bytes] = [json, payload.length];
    else {
      patch(this.#root, json);
      this.#bytes += payload.length;
    }
    if (this.#bytes <= MAX_CATALOG_BYTES) return;
    // Patches also remove things.
    this.#bytes = JSON.stringify(this.#root).length;
    if (this.#bytes > MAX_GROWN_BYTES) throw new CatalogRefused("it has grown too large");
  }

  /** The catalog as it stands. */
  read(): ReadCatalog {
    return readCatalog(this.#root);
  }
}

/** Changes an object in place: a copy would cost time in proportion to the catalog, not to the patch. */
function patch(target: Record<string, unknown>, by: Json): void {
  for (const [key, value] of Object.entries(by)) {
    if (value === null) {
      delete target[key];
      continue;
    }
    const there = Object.hasOwn(target, key) ? target[key] : undefined;
    const changed = isMap(value) && isMap(there) ? there : isMap(value) ? {} : value;
    if (isMap(value)) patch(changed as Json, value);
    if (changed === there) continue;
    // A key like "__proto__" is data too.
    const property = { value: changed, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(target, key, property);
  }
}
