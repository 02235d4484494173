/**
 * What `top` shows: rates between two looks at a relay, and tables of them. Pure.
 *
 * @module
 */
import type { SessionJson, TrackJson } from "../../admin/shapes.ts";
import { visible } from "../../base/visible_text.ts";
import { cut } from "../shell/columns.ts";
import { age, type Column, compare, counted, number, type ScreenOptions, table } from "./table.ts";

/** One look at a relay. */
export interface Look {
  /** Milliseconds from any fixed start. */
  readonly atMs: number;
  readonly sessions: readonly SessionJson[];
  readonly tracks: readonly TrackJson[];
}

export interface TrackRates {
  readonly broadcast: string;
  readonly track: string;
  readonly subscribers: number;
  readonly groupsPerSecond: number;
  readonly framesPerSecond: number;
  readonly kbitPerSecond: number;
  readonly newestGroup: number | null;
  /** Who fills it; `null` when nobody reads. */
  readonly route: string | null;
}

/** How fast each track came in between two looks, the fastest first. */
export function ratesBetween(before: Look, after: Look): TrackRates[] {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const known = keyed(before.tracks);
  return [...keyed(after.tracks)].map(([key, now]) => {
    const was = known.get(key);
    // A counter that has gone back belongs to a track that was made anew.
    const grown = (name: "groupsIn" | "framesIn" | "bytesIn") => {
      const from = was?.[name] ?? 0;
      return (now[name] < from ? now[name] : now[name] - from) / seconds;
    };
    return {
      broadcast: now.broadcast,
      track: now.track,
      subscribers: now.subscribers,
      groupsPerSecond: rounded(grown("groupsIn")),
      framesPerSecond: rounded(grown("framesIn")),
      kbitPerSecond: rounded(grown("bytesIn") * 8 / 1000),
      newestGroup: now.newestGroup,
      route: now.route,
    };
  }).sort((a, b) =>
    b.kbitPerSecond - a.kbitPerSecond || b.subscribers - a.subscribers ||
    compare(a.broadcast, b.broadcast) || compare(a.track, b.track)
  );
}

/** Those with most subscriptions first. */
export function sortedSessions(sessions: readonly SessionJson[]): SessionJson[] {
  const weight = (s: SessionJson) => s.subscriptionsServed + s.subscriptionsUpstream;
  return sessions.toSorted((a, b) => weight(b) - weight(a) || a.id - b.id);
}

/** Two publishers may offer the same name; the n-th of the list stays the n-th. */
function keyed(tracks: readonly TrackJson[]): Map<string, TrackJson> {
  const out = new Map<string, TrackJson>();
  for (const track of tracks) {
    let key = `${track.broadcast}\0${track.track}`;
    while (out.has(key)) key += "\0";
    out.set(key, track);
  }
  return out;
}

/** The whole picture, one string a line, none wider than `columns`. */
export function screenOf(
  tracks: readonly TrackRates[],
  sessions: readonly SessionJson[],
  options: ScreenOptions,
): string[] {
  const { columns, wallMs } = options;
  const kbits = tracks.reduce((sum, { kbitPerSecond }) => sum + kbitPerSecond, 0);
  const head = `${options.title}  ${counted(sessions.length, "session")}  ` +
    `${counted(tracks.length, "track")}  ${number(kbits)} kbit/s in`;
  const trackTable = table(TRACK_COLUMNS, tracks, columns);
  const sessionTable = table(SESSION_COLUMNS, sessions.map((s) => ({ ...s, wallMs })), columns);
  // Title, a blank line, two heads, a blank line between the tables.
  const free = Math.max(2, options.rows - 5);
  const forSessions = Math.min(sessions.length, Math.max(1, Math.floor(free / 2)));
  const forTracks = Math.min(tracks.length, Math.max(1, free - forSessions));
  const sessionLines = Math.min(sessions.length, free - forTracks);
  return [
    cut(head, columns),
    "",
    ...trackTable.slice(0, 1 + forTracks),
    "",
    ...sessionTable.slice(0, 1 + sessionLines),
  ];
}

const TRACK_COLUMNS: readonly Column<TrackRates>[] = [
  { head: "BROADCAST", text: (t) => visible(t.broadcast), least: 9 },
  { head: "TRACK", text: (t) => visible(t.track), least: 5 },
  { head: "SUBS", text: (t) => String(t.subscribers), right: true },
  { head: "GROUPS/S", text: (t) => number(t.groupsPerSecond), right: true },
  { head: "FRAMES/S", text: (t) => number(t.framesPerSecond), right: true },
  { head: "KBIT/S", text: (t) => number(t.kbitPerSecond), right: true },
  { head: "NEWEST", text: (t) => String(t.newestGroup ?? "-"), right: true },
  { head: "FROM", text: (t) => visible(t.route ?? "-"), least: 4 },
];

const SESSION_COLUMNS: readonly Column<SessionJson & { readonly wallMs: number }>[] = [
  { head: "ID", text: (s) => String(s.id), right: true },
  { head: "REMOTE", text: (s) => visible(s.remote), least: 6 },
  { head: "TRANSPORT", text: (s) => s.transport, least: 4 },
  { head: "VERSION", text: (s) => s.version, least: 7 },
  { head: "UP", text: (s) => age(s.wallMs - Date.parse(s.startedAt)), right: true },
  { head: "SERVED", text: (s) => String(s.subscriptionsServed), right: true },
  { head: "TAKEN", text: (s) => String(s.subscriptionsUpstream), right: true },
  { head: "ANNOUNCES", text: (s) => String(s.announcements), right: true },
  { head: "ROOT", text: (s) => visible(`/${s.root}`), least: 4 },
];

const rounded = (value: number) => Math.round(value * 10) / 10;
