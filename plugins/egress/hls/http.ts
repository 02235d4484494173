/**
 * The HTTP side of HLS: which address is which piece, and responses that wait for it.
 *
 * @module
 */
import { decodedOnce, pathOfUrl } from "../../../wire/path.ts";
import type { PluginRoute } from "../../plugin.ts";
import { below } from "../../host/routes.ts";
import type { HlsBroadcast } from "./broadcast.ts";
import type { Timeline } from "./timeline.ts";

/** How long the first request waits for the first segment. */
const START_MS = 15_000;
/** Requests further ahead than this are not waited for. */
const MAX_AHEAD = 2;
const PLAYLIST = "application/vnd.apple.mpegurl";
const HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "date, age",
  vary: "authorization",
};

/** The piece that a path asks for. */
export interface Asked {
  readonly broadcast: string;
  /** Absent for the master playlist. */
  readonly rendition?: string;
  readonly file: string;
}

/** @param path After the prefix. @returns `undefined` for a path that names no piece. */
export function readPath(path: string): Asked | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  const file = decodedOnce(parts.pop() ?? "");
  const master = file === "master.m3u8" || file === "index.m3u8";
  // The name may hold an encoded slash.
  const rendition = master ? undefined : decodedOnce(parts.pop() ?? "");
  const broadcast = pathOfUrl(parts.join("/"));
  if (file === undefined || broadcast === undefined || broadcast === "") return undefined;
  if (master) return { broadcast, file };
  return rendition === undefined ? undefined : { broadcast, rendition, file };
}

/** What the route needs from the plugin. */
export interface HlsPorts {
  readonly prefix: string;
  readonly targetMs: number;
  mayRead(request: Request, broadcast: string): Promise<boolean>;
  /** The broadcast, read from now on. "gone": it is not live. "full": too many are. */
  ask(broadcast: string): HlsBroadcast | "gone" | "full";
}

export function hlsRoute(ports: HlsPorts): PluginRoute {
  return async (request) => {
    if (request.method === "OPTIONS") {
      const allow = { "access-control-allow-methods": "GET, HEAD" };
      const headers = { "access-control-allow-headers": "authorization, range" };
      return new Response(null, { status: 204, headers: { ...HEADERS, ...allow, ...headers } });
    }
    if (request.method !== "GET" && request.method !== "HEAD") return say(405, "only GET and HEAD");
    const url = new URL(request.url);
    const asked = readPath(below(ports.prefix, url.pathname));
    if (asked === undefined) return say(404, "ask for PATH/master.m3u8");
    if (!await ports.mayRead(request, asked.broadcast)) {
      return say(403, "this broadcast may not be watched with that token, or without one");
    }
    const broadcast = ports.ask(asked.broadcast);
    if (broadcast === "gone") return say(404, "there is no such broadcast now");
    if (broadcast === "full") return say(503, "too many broadcasts are watched by HLS");
    return await answer(broadcast, asked, url, ports.targetMs, cacheOf(request, url));
  };
}

async function answer(
  broadcast: HlsBroadcast,
  { rendition, file }: Asked,
  url: URL,
  targetMs: number,
  cache: string,
): Promise<Response> {
  const suffix = suffixOf(url);
  await broadcast.until(() => broadcast.ready, START_MS);
  if (rendition === undefined) {
    if (!broadcast.timelines.values().some(({ ready }) => ready)) {
      return say(404, "nothing of this broadcast can be played as HLS yet");
    }
    return playlist(broadcast.master(suffix));
  }
  const timeline = broadcast.timelines.get(rendition);
  if (timeline === undefined) return say(404, "there is no such rendition");
  const waitMs = 3 * Math.max(targetMs, timeline.targetS * 1000);
  if (file === "media.m3u8") {
    const wanted = wantedOf(url);
    if (wanted === "wrong") return say(400, "_HLS_msn and _HLS_part are whole numbers");
    if (wanted !== undefined) {
      const { sequence, part } = wanted;
      if (sequence > timeline.newest.sequence + MAX_AHEAD) return say(400, "_HLS_msn is too far");
      const there = () => timeline.ended || timeline.has(sequence, part);
      if (!await broadcast.until(there, waitMs)) return say(503, "the broadcast stands still");
    }
    return playlist(broadcast.media(rendition, suffix) ?? timeline.playlist(suffix, new Map()));
  }
  const bytes = await bytesOf(broadcast, timeline, file, waitMs);
  if (bytes === undefined) return say(404, "it is not there any more, or not yet");
  const type = `${timeline.rendition.kind}/mp4`;
  return new Response(bytes, {
    headers: {
      ...HEADERS,
      "content-type": type,
      "content-length": String(bytes.length),
      "cache-control": cache,
    },
  });
}

async function bytesOf(
  broadcast: HlsBroadcast,
  timeline: Timeline,
  file: string,
  waitMs: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const init = /^init(\d{1,9})\.mp4$/.exec(file);
  if (init !== null) return timeline.initBytes(Number(init[1]));
  const [, segment, part] = /^(\d{1,15})(?:\.(\d{1,9}))?\.m4s$/.exec(file) ?? [];
  if (segment === undefined) return undefined;
  const sequence = Number(segment);
  if (part === undefined) return timeline.segmentBytes(sequence);
  // Players ask for the hinted part before it is there.
  const { newest } = timeline;
  if (sequence === newest.sequence && Number(part) === newest.parts) {
    await broadcast.until(() => timeline.ended || timeline.has(sequence, Number(part)), waitMs);
  }
  return timeline.partBytes(sequence, Number(part));
}

function wantedOf(url: URL): { sequence: number; part: number | undefined } | undefined | "wrong" {
  const [sequence, part] = ["_HLS_msn", "_HLS_part"].map((name) => url.searchParams.get(name));
  if (sequence === null && part === null) return undefined;
  const wrong = !/^\d{1,15}$/.test(sequence ?? "") || !/^\d{0,9}$/.test(part ?? "");
  if (wrong) return "wrong";
  return { sequence: Number(sequence), part: part ? Number(part) : undefined };
}

/** A token in the address of a playlist is repeated in every address it lists. */
function suffixOf(url: URL): string {
  const token = url.searchParams.get("jwt");
  return token === null ? "" : `?jwt=${encodeURIComponent(token)}`;
}

/** Segments never change. If a token is needed, only the viewer's own cache may keep them. */
function cacheOf(request: Request, url: URL): string {
  const own = request.headers.has("authorization") || url.searchParams.has("jwt");
  return `${own ? "private" : "public"}, max-age=3600, immutable`;
}

function playlist(text: string): Response {
  const bytes = new TextEncoder().encode(text);
  return new Response(bytes, {
    headers: {
      ...HEADERS,
      "content-type": PLAYLIST,
      "content-length": String(bytes.length),
      "cache-control": "no-cache",
    },
  });
}

function say(status: number, text: string): Response {
  const headers = { ...HEADERS, "content-type": "text/plain", "cache-control": "no-store" };
  return new Response(`${text}\n`, { status, headers });
}
