import { normalizePath, pathOfUrl, pathParts } from "../../../wire/path.ts";
import type { PluginContext } from "../../plugin.ts";

const CORS = { "access-control-allow-origin": "*" } as const;

interface Kept {
  readonly jpeg: Uint8Array<ArrayBuffer>;
  readonly atMs: number;
}

/** The newest picture of each broadcast, for HTTP. */
export class Pictures {
  readonly #kept = new Map<string, Kept>();
  readonly #ctx: Pick<PluginContext, "mayRead" | "clock">;
  readonly #base: number;
  readonly #maxAgeSeconds: number;

  /** @param path The requests are below it. @param everyMs How long a picture is the newest. */
  constructor(ctx: Pick<PluginContext, "mayRead" | "clock">, path: string, everyMs: number) {
    this.#ctx = ctx;
    this.#base = pathParts(normalizePath(path));
    this.#maxAgeSeconds = Math.floor(everyMs / 1000);
  }

  keep(broadcast: string, jpeg: Uint8Array<ArrayBuffer>): void {
    this.#kept.set(broadcast, { jpeg, atMs: this.#ctx.clock.wallMs() });
  }

  forget(broadcast: string): void {
    this.#kept.delete(broadcast);
  }

  /** `GET /thumbnail/rooms/1.jpg`, for those who may watch rooms/1. */
  async answer(request: Request): Promise<Response> {
    const { method } = request;
    if (method === "OPTIONS") {
      const headers = { ...CORS, "access-control-allow-headers": "authorization" };
      return new Response(null, { status: 204, headers });
    }
    if (method !== "GET" && method !== "HEAD") {
      return new Response("only GET\n", { status: 405, headers: { ...CORS, allow: "GET, HEAD" } });
    }
    const broadcast = broadcastOf(new URL(request.url).pathname, this.#base);
    const none = () => new Response("no such picture\n", { status: 404, headers: CORS });
    if (broadcast === undefined) return none();
    // First of all: strangers do not learn whether there is a broadcast.
    if (!await this.#ctx.mayRead(request, broadcast)) {
      return new Response("not allowed\n", { status: 403, headers: CORS });
    }
    const kept = this.#kept.get(broadcast);
    if (kept === undefined) return none();
    const etag = `"${Math.round(kept.atMs).toString(36)}"`;
    const headers = {
      ...CORS,
      "content-type": "image/jpeg",
      "cache-control": `private, max-age=${this.#maxAgeSeconds}`,
      "last-modified": new Date(kept.atMs).toUTCString(),
      etag,
    };
    if (request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers });
    }
    const length = { "content-length": String(kept.jpeg.length) };
    return new Response(method === "HEAD" ? null : kept.jpeg, {
      headers: { ...headers, ...length },
    });
  }
}

/** "/thumbnail/rooms/1.jpg" is rooms/1. */
function broadcastOf(pathname: string, base: number): string | undefined {
  const parts = pathname.split("/").filter((part) => part !== "").slice(base);
  if (!parts.at(-1)?.endsWith(".jpg")) return undefined;
  return pathOfUrl(parts.join("/"))?.slice(0, -".jpg".length) || undefined;
}
