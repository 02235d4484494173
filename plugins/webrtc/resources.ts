/**
 * The HTTP of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): an offer posted to a broadcast's path makes a session, whose
 * own path ends it.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import { pathOfUrl, urlOfPath } from "../../wire/path.ts";
import type { PluginContext, PluginRoute } from "../plugin.ts";
import { below } from "../routes.ts";
import { RequestRefused } from "./errors.ts";
import type { Peer } from "./peer.ts";

/** What a posted offer has become. */
export interface Opened {
  readonly peer: Peer;
}

export interface ResourcesOptions {
  /** First segment of the paths, with its slash. */
  readonly prefix: string;
  readonly log: Logger;
  /** Whether who asks may have what it asks for. */
  readonly allow: (request: Request, broadcast: string) => Promise<boolean>;
  /** Makes a session. @throws {RequestRefused} */
  readonly open: (broadcast: string, sdp: string, query: URLSearchParams) => Promise<Opened>;
  /** Most sessions at a time. */
  readonly maxSessions: number;
  /** STUN and TURN servers that are told to clients, as values of `Link`. */
  readonly links: readonly string[];
  /** How often it is asked again whether a session is still allowed, in milliseconds. */
  readonly recheckMs: number;
  /** Told of every change of how many sessions there are. */
  readonly onchange?: (sessions: number) => void;
}

interface Session {
  readonly id: string;
  readonly broadcast: string;
  readonly etag: string;
  readonly peer: Peer;
}

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
const MAX_BODY_BYTES = 128 * 1024;
const METHODS = "POST, PATCH, DELETE, OPTIONS";
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After",
};

/** Sessions of one endpoint. Dispose of it in the end: all are closed. */
class Resources implements Disposable {
  readonly #options: ResourcesOptions;
  readonly #sessions = new Map<string, Session>();
  /** Offers that are being answered count too. */
  #opening = 0;

  constructor(options: ResourcesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Answers every request below the prefix. */
  readonly answer: PluginRoute = async (request) => {
    try {
      return withCors(await this.#route(request));
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      const { status, message, headers } = error;
      this.#options.log.debug("an offer is refused", { status, reason: message });
      return withCors(new Response(`${message}\n`, { status, headers }));
    }
  };

  [Symbol.dispose](): void {
    for (const { peer } of this.#sessions.values()) peer.close();
  }

  async #route(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = below(this.#options.prefix, url.pathname);
    switch (request.method) {
      case "OPTIONS":
        return new Response(null, {
          status: 204,
          headers: {
            "accept-post": SDP,
            allow: METHODS,
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": "authorization, content-type, if-match",
            "access-control-max-age": "86400",
          },
        });
      case "POST":
        return await this.#post(request, url, broadcastOf(path));
      case "PATCH":
        return await this.#patch(request, this.#session(path));
      case "DELETE":
        this.#session(path).peer.close();
        return new Response(null, { status: 200 });
      default:
        throw new RequestRefused(405, `${request.method} is not answered here: POST an SDP offer`, {
          allow: METHODS,
          "accept-post": SDP,
        });
    }
  }

  #session(path: string): Session {
    const end = path.lastIndexOf("/");
    const session = this.#sessions.get(path.slice(end + 1));
    if (session === undefined || session.broadcast !== broadcastOf(path.slice(0, end))) {
      throw new RequestRefused(404, "There is no such session");
    }
    return session;
  }

  async #post(request: Request, url: URL, broadcast: string): Promise<Response> {
    const { prefix, links, maxSessions, open } = this.#options;
    if (broadcast === "") {
      throw new RequestRefused(404, `No broadcast is named: POST to ${prefix}/BROADCAST`);
    }
    // Only what says who asks: the body is read below.
    const asks = new Request(request.url, { headers: request.headers });
    await this.#check(asks, broadcast);
    const sdp = await bodyOf(request, SDP);
    if (this.#sessions.size + this.#opening >= maxSessions) {
      throw new RequestRefused(503, `All ${maxSessions} sessions are in use`, {
        "retry-after": "10",
      });
    }
    this.#opening++;
    try {
      const { peer } = await open(broadcast, sdp, url.searchParams);
      const session = this.#add(peer, broadcast, asks);
      const headers = new Headers({
        "content-type": SDP,
        location: `${prefix}/${urlOfPath(broadcast)}/${session.id}`,
        etag: session.etag,
        "accept-patch": FRAGMENT,
        "cache-control": "no-store",
      });
      for (const link of links) headers.append("link", link);
      return new Response(peer.sdp, { status: 201, headers });
    } finally {
      this.#opening--;
    }
  }

  /** @throws {RequestRefused} 401 or 403 */
  async #check(request: Request, broadcast: string): Promise<void> {
    if (await this.#options.allow(request, broadcast)) return;
    const shown = request.headers.has("authorization") ||
      new URL(request.url).searchParams.has("jwt");
    throw shown
      ? new RequestRefused(403, "This token does not allow that")
      : new RequestRefused(401, "A token is needed, as ?jwt=… or Authorization: Bearer …", {
        "www-authenticate": "Bearer",
      });
  }

  #add(peer: Peer, broadcast: string, asks: Request): Session {
    const { log, onchange, recheckMs, allow } = this.#options;
    const id = crypto.randomUUID();
    const session = { id, broadcast, peer, etag: `"${crypto.randomUUID()}"` };
    this.#sessions.set(id, session);
    log.info("session begins", { broadcast, session: id });
    onchange?.(this.size);
    const recheck = setInterval(async () => {
      const allowed = await allow(asks, broadcast).catch(() => false);
      if (!allowed) peer.close();
    }, recheckMs);
    const ended = () => {
      clearInterval(recheck);
      this.#sessions.delete(id);
      log.info("session ends", { broadcast, session: id });
      onchange?.(this.size);
    };
    if (peer.over.aborted) ended();
    else peer.over.addEventListener("abort", ended, { once: true });
    return session;
  }

  /** Candidates of the other side (RFC 8840). */
  async #patch(request: Request, session: Session): Promise<Response> {
    const match = request.headers.get("if-match");
    if (match === null) {
      throw new RequestRefused(428, "If-Match is needed, with the ETag of the session");
    }
    if (match === "*") {
      throw new RequestRefused(
        422,
        "ICE restarts are not supported: DELETE this session and POST anew",
      );
    }
    if (match !== session.etag) throw new RequestRefused(412, "The session has another ETag");
    const fragment = await bodyOf(request, FRAGMENT);
    let mid = "0";
    for (const line of fragment.split(/\r?\n/)) {
      if (line.startsWith("a=mid:")) mid = line.slice(6);
      if (!line.startsWith("a=candidate:")) continue;
      try {
        await session.peer.candidate(line.slice(2), mid);
      } catch { // One that cannot be used is one fewer to try.
      }
    }
    return new Response(null, { status: 204, headers: { etag: session.etag } });
  }
}

function withCors(response: Response): Response {
  for (const [name, value] of Object.entries(CORS)) response.headers.set(name, value);
  return response;
}

/** @throws {RequestRefused} 400 */
function broadcastOf(path: string): string {
  const broadcast = pathOfUrl(path);
  if (broadcast !== undefined) return broadcast;
  throw new RequestRefused(
    400,
    "The path is not well-formed percent-encoding, or none of a broadcast",
  );
}

/** @throws {RequestRefused} 413, 415 */
async function bodyOf(request: Request, type: string): Promise<string> {
  const given = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (given !== type) {
    throw new RequestRefused(415, `The body has to be ${type}, not ${given ?? "without a type"}`, {
      [request.method === "PATCH" ? "accept-patch" : "accept-post"]: type,
    });
  }
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RequestRefused(413, "The body is too large");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Answers offers until the instance has to end; all sessions end with it. */
export async function serveOffers(
  { http, signal }: Pick<PluginContext, "http" | "signal">,
  options: ResourcesOptions,
): Promise<void> {
  using resources = new Resources(options);
  using _route = http.route(options.prefix, resources.answer);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
