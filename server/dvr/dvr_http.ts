/**
 * Recordings over HTTP: `/dvr/BROADCAST` lists the tracks and how far back each goes, `/dvr/BROADCAST?track=NAME&at=MS` lists
 * groups from a time on. The groups themselves come by FETCH or `/fetch`.
 *
 * @module
 */
import type { Context } from "hono";
import { StorageUnavailable } from "../../storage/store.ts";
import { isName } from "../../wire/path.ts";
import type { ServerView } from "../admin/server_view.ts";

/** As `/dvr/BROADCAST` answers. */
export interface DvrJson {
  /** The server's clock, in milliseconds since 1970. The other times are of the same clock. */
  readonly nowMs: number;
  /** Whether this relay records anything at all. */
  readonly recording: boolean;
  /** Tracks of this broadcast that are not recorded because there are too many. */
  readonly notRecorded: number;
  readonly tracks: readonly {
    readonly track: string;
    readonly frames: number;
    readonly bytes: number;
    readonly firstGroup: number;
    readonly lastGroup: number;
    /** When the first and the last group began. */
    readonly fromMs: number;
    readonly toMs: number;
  }[];
}

/** As `/dvr/BROADCAST?track=NAME` answers: the group at that time, and those after it. */
export interface DvrGroupsJson {
  readonly nowMs: number;
  readonly groups: readonly {
    readonly group: number;
    readonly atMs: number;
    /** Of its first frame, in the track's timescale. */
    readonly timestamp: number;
    /** Whether it can be fetched. */
    readonly whole: boolean;
  }[];
}

const MAX_GROUPS = 500;

export async function dvrAnswer(c: Context, view: ServerView, path: string): Promise<Response> {
  const { dvr, relay } = view;
  const nowMs = Math.floor(relay.context.clock.wallMs());
  const track = c.req.query("track");
  if (dvr === undefined) {
    return track === undefined
      ? c.json<DvrJson>({ nowMs, recording: false, notRecorded: 0, tracks: [] })
      : c.text("nothing is recorded here (storage.record)\n", 404);
  }
  if (track !== undefined && !isName(track)) return c.text("nothing of this track is kept\n", 404);
  const at = c.req.query("at") ?? "0";
  const limit = c.req.query("limit") ?? "100";
  if (!/^\d{1,15}$/.test(at) || !/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MAX_GROUPS) {
    const why = `"at" is milliseconds since 1970, "limit" a number up to ${MAX_GROUPS}`;
    return c.text(`bad request: ${why}\n`, 400);
  }
  try {
    if (track === undefined) {
      const tracks = (await dvr.kept(path)).map(({ track, frames, bytes, first, last }) => ({
        track,
        frames,
        bytes,
        firstGroup: first.group,
        lastGroup: last.group,
        fromMs: first.storedAtMs,
        toMs: last.storedAtMs,
      }));
      return c.json<DvrJson>({
        nowMs,
        recording: true,
        notRecorded: dvr.notRecordedOf(path),
        tracks,
      });
    }
    const key = { broadcast: path, track };
    const groups = (await dvr.store.groups(key, Number(at), Number(limit))).map(
      ({ group, storedAtMs, timestamp, whole }) => ({ group, atMs: storedAtMs, timestamp, whole }),
    );
    if (groups.length === 0) return c.text("nothing of this track is kept\n", 404);
    return c.json<DvrGroupsJson>({ nowMs, groups });
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    return c.text("the storage cannot be reached\n", 503);
  }
}
