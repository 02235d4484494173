/// <reference lib="dom" />
/** What the relay has kept of a broadcast: which groups of a track, and when they were live (docs/storage.md). */

import { pageAccess } from "../../connect/page_access.ts";

/** How far back one can go. */
export interface Kept {
  /** Milliseconds between the oldest group and the newest. */
  readonly reachMs: number;
}

export interface PastGroup {
  readonly group: number;
  /** When it was live, by the relay's clock. */
  readonly atMs: number;
  readonly whole: boolean;
}

/**
 * Asks how far back a track reaches.
 * @returns `undefined` when nothing of it is kept, "never" when this relay keeps nothing at all.
 */
export async function askKept(
  broadcast: string,
  track: string,
): Promise<Kept | undefined | "never"> {
  const answer = await pageAccess().ask("dvr", broadcast);
  if (answer.status === 404) return "never"; // an older relay, or none of ours
  if (!answer.ok) return undefined;
  const { recording, tracks }: {
    recording: boolean;
    tracks: readonly { track: string; fromMs: number; toMs: number }[];
  } = await answer.json();
  if (!recording) return "never";
  const kept = tracks.find((each) => each.track === track);
  return kept && { reachMs: kept.toMs - kept.fromMs };
}

/** The group that was live at a time and those after it, with the relay's present time. */
export async function askGroups(
  broadcast: string,
  track: string,
  atMs: number,
  signal?: AbortSignal,
): Promise<{ readonly nowMs: number; readonly groups: readonly PastGroup[] }> {
  const query = new URLSearchParams({ track, at: String(Math.floor(atMs)), limit: "20" });
  const answer = await pageAccess().ask("dvr", broadcast, {
    query,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return await answer.json();
}

/** The groups of a list after the last one that was played. */
export function groupsBehind(
  groups: readonly PastGroup[],
  last: PastGroup | undefined,
): PastGroup[] {
  if (last === undefined) return [...groups];
  const at = groups.findIndex(({ group, atMs }) => group === last.group && atMs === last.atMs);
  return at >= 0 ? groups.slice(at + 1) : groups.filter(({ atMs }) => atMs > last.atMs);
}
