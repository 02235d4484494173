/** What an unplayable broadcast is, by its catalog or by what its tracks send. */

import { CATALOG_TRACK, MSF_CATALOG_TRACK } from "../../media/hang/catalog.ts";
import { isMap, type Json, namedIn, parseCatalog } from "../../media/hang/catalog_json.ts";
import { msfTracks } from "../../media/msf/msf_catalog.ts";

/** A track, and what is known of it. */
export interface KnownTrack {
  readonly name: string;
  /** A few words; empty when nothing is known. */
  readonly about: string;
}

export interface BroadcastKind {
  /** "media": the player plays it. "data": its catalog has neither picture nor sound. "msf": another catalog. "unreadable": a catalog that is none. "bare": no catalog. */
  readonly kind: "media" | "data" | "msf" | "unreadable" | "bare";
  /** What it is, as a sentence without the name. */
  readonly text: string;
  readonly tracks: readonly KnownTrack[];
}

/** The catalog this page reads, and the one of MSF. */
export const CATALOGS = [CATALOG_TRACK, MSF_CATALOG_TRACK] as const;
/** Usual track names, for broadcasts without a catalog. Each costs one request. */
export const USUAL_TRACKS: readonly string[] = [
  ...["data", "chat", "lines", "text", "messages", "events", "video", "audio", "video0", "audio0"],
];

/** @param first The first frame of each track that sent one, by the name of the track. */
export function kindOf(first: ReadonlyMap<string, Uint8Array>): BroadcastKind {
  const others = [...first].filter(([name]) => !CATALOGS.some((catalog) => catalog === name))
    .map(([name, frame]) => ({ name, about: `first frame of ${frame.length} bytes` }));
  const hang = first.get(CATALOG_TRACK);
  if (hang !== undefined) return hangKind(jsonOf(hang), others);
  const msf = first.get(MSF_CATALOG_TRACK);
  if (msf !== undefined) return msfKind(jsonOf(msf), others);
  return {
    kind: "bare",
    text: others.length === 0
      ? "It has no catalog, so nothing says what its tracks are called. If you know the name of one, look at it below."
      : "It has no catalog, so nothing says how to play it. These tracks were found by usual names.",
    tracks: others,
  };
}

function hangKind(catalog: Json | undefined, others: readonly KnownTrack[]): BroadcastKind {
  const own = { name: CATALOG_TRACK, about: "the catalog" };
  if (catalog === undefined) {
    return {
      kind: "unreadable",
      text: "Its catalog.json is not a JSON object, so nothing says how to play it.",
      tracks: [own, ...others],
    };
  }
  const media = (["video", "audio"] as const).flatMap((section) => renditionsOf(catalog, section));
  if (media.length > 0) {
    return {
      kind: "media",
      text: "It has a picture or sound.",
      tracks: [...media, own],
    };
  }
  const listed = Object.entries(catalog).flatMap(([section, value]) =>
    namesIn(value).map((name) => ({ name, about: section }))
  );
  return {
    kind: "data",
    text: "It is data: its catalog lists no picture and no sound.",
    tracks: merged([...listed, ...others, own]),
  };
}

function renditionsOf(catalog: Json, section: "video" | "audio"): KnownTrack[] {
  return namedIn(catalog[section]).slice(0, MOST_TRACKS).map(([name, config]) => ({
    name,
    about: [section, isMap(config) ? config.codec : undefined].filter(isText).join(", "),
  }));
}

function msfKind(catalog: Json | undefined, others: readonly KnownTrack[]): BroadcastKind {
  const own = { name: MSF_CATALOG_TRACK, about: "the catalog" };
  const tracks = catalog && msfTracks(catalog);
  if (tracks === undefined) {
    return {
      kind: "unreadable",
      text: "Its catalog is of a kind this page does not know.",
      tracks: [own, ...others],
    };
  }
  return {
    kind: "msf",
    text:
      "It has an MSF catalog. This page plays broadcasts with a hang catalog. Of this one it shows what the tracks send.",
    tracks: merged([
      ...tracks.map(({ name, role, codec, mimeType, packaging, width, height }) => ({
        name,
        about: [role, codec ?? mimeType, packaging, width && height && `${width} × ${height}`]
          .filter(isText).join(", "),
      })),
      own,
    ]),
  };
}

/** Names of tracks anywhere in a section: the value of each "name", "track" or "tracks" and the keys of "renditions". */
function namesIn(value: unknown, depth = 0): string[] {
  if (depth > 4 || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((each) => namesIn(each, depth + 1));
  return Object.entries(value).flatMap(([key, inner]) => {
    if ((key === "name" || key === "track") && isText(inner)) return [inner];
    if (key === "renditions" && isMap(inner)) return Object.keys(inner);
    return namesIn(inner, depth + 1);
  });
}

/** The most that the page shows. A catalog comes from a stranger and may name more. */
const MOST_TRACKS = 100;

function merged(tracks: readonly KnownTrack[]): KnownTrack[] {
  const byName = new Map<string, KnownTrack>();
  for (const track of tracks) if (!byName.has(track.name)) byName.set(track.name, track);
  return [...byName.values()].slice(0, MOST_TRACKS);
}

function jsonOf(bytes: Uint8Array): Json | undefined {
  try {
    return parseCatalog(bytes);
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
