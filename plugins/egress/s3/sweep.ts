/**
 * Retention: segments that are too old leave the playlists, and then the bucket.
 *
 * @module
 */
import type { BucketArchive } from "./archive.ts";
import type { Bucket } from "./bucket.ts";
import { StoredPlaylist } from "./stored_playlist.ts";

/** `20261121T103005007Z.m4s`, also after `init-`. */
const NAME = /^(?:init-)?(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z(?:-\d+)?\.(?:m4s|mp4)$/;
const PLAYLIST = "application/vnd.apple.mpegurl";

/**
 * Removes segments that began before a time, also those of broadcasts that are not live. It touches only objects that this
 * plugin named.
 * @returns How many were removed. @throws {BucketFailed}
 */
export async function sweep(
  bucket: Bucket,
  prefix: string,
  beforeMs: number,
  archives: Iterable<BucketArchive>,
): Promise<number> {
  const folders = new Map<string, string[]>();
  for (const { key } of await bucket.list(prefix)) {
    const at = key.lastIndexOf("/") + 1;
    const folder = key.slice(0, at);
    const beganMs = timeOf(key.slice(at));
    if (beganMs === undefined || beganMs >= beforeMs) continue;
    folders.set(folder, [...folders.get(folder) ?? [], key]);
  }
  const owners = [...archives];
  for (const archive of owners) await archive.forget(beforeMs);
  let removed = 0;
  for (const [folder, keys] of folders) {
    const listKey = `${folder}media.m3u8`;
    const own = owners.map((archive) => archive.listAt(listKey)).find((list) => list);
    const text = own === undefined ? await bucket.text(listKey) : undefined;
    // A damaged playlist does not say what may be removed.
    if (text !== undefined && !text.startsWith("#EXTM3U")) continue;
    const list = own ?? StoredPlaylist.parse(text ?? "");
    if (own === undefined && list.forget(beforeMs)) {
      await bucket.put(listKey, list.text(true), PLAYLIST);
    }
    const used = new Set(list.segments.flatMap(({ uri, initUri }) => [uri, initUri]));
    const gone = keys.filter((key) => !used.has(key.slice(folder.length)));
    if (gone.length > 0) await bucket.delete(gone);
    removed += gone.length;
  }
  return removed;
}

function timeOf(name: string): number | undefined {
  const parts = NAME.exec(name)?.slice(1).map(Number) as
    | [number, number, number, number, number, number, number]
    | undefined;
  if (parts === undefined) return undefined;
  const [year, month, ...rest] = parts;
  return Date.UTC(year, month - 1, ...rest);
}
