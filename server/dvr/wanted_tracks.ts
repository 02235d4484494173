import { isRenditionName, MAX_RENDITIONS, parseCatalog } from "../../media/hang/catalog_json.ts";

export interface NamedTracks {
  /** At most {@link MAX_RENDITIONS}. */
  readonly names: readonly string[];
  /** Those it names besides. */
  readonly leftOut: number;
}

/** The renditions of a hang catalogue, of whatever kind. A text that is none names nothing. */
export function tracksNamed(catalog: Uint8Array): NamedTracks {
  let named: string[];
  try {
    named = Object.values(parseCatalog(catalog) as object).flatMap((section) =>
      Object.keys((section as { renditions?: object } | null)?.renditions ?? {})
    );
  } catch {
    return { names: [], leftOut: 0 };
  }
  const all = new Set(named);
  const names = all.values().filter(isRenditionName).take(MAX_RENDITIONS).toArray();
  return { names, leftOut: all.size - names.length };
}
