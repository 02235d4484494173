/**
 * The HTTP of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): an offer that is posted to a broadcast's path makes a session,
 * and a DELETE of the session's path ends it.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { normalizePath, pathOfUrl, urlOfPath } from "../../wire/path.ts";
import type { PluginContext, PluginRoute, RightsHeld } from "../plugin.ts";
import { below } from "../host/routes.ts";
import { WebRtcRefused } from "./errors.ts";
import type { RtcPeer } from "./peer.ts";

/** What a posted offer has become. */
export interface Opened {
  readonly peer: RtcPeer;
}

/** The options of the plugin that say where offers are posted, and how many are taken. */
export interface OfferOptions {
  readonly path: string;
  /** Most sessions at a time. */
  readonly maxSessions: number;
  /** Most of them for one address: the others still get in. */
  readonly maxSessionsPerAddress: number;
  /** URLs of STUN and TURN servers that clients are told of. */
  readonly iceServers: readonly string[];
}

/** What becomes of offers. */
export interface OfferTaker {
  /** The right that an offer needs at its broadcast. */
  readonly role: "read" | "publish";
  /** What sessions do, in the status: "watching". */
  readonly doing: string;
  /** Makes a session. @throws {WebRtcRefused} */
  readonly open: (broadcast: string, sdp: string, query: URLSearchParams) => Promise<Opened>;
}

interface Session {
  readonly id: string;
  readonly broadcast: string;
  readonly etag: string;
  readonly peer: RtcPeer;
}

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
/** How long a body may take to arrive. */
const BODY_MS = 10_000;
const MAX_BODY_BYTES = 128 * 1024;
const METHODS = "POST, PATCH, DELETE, OPTIONS";
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After",
};

/** The sessions of one endpoint. Disposing of it closes them all. */
class Resources implements Disposable {
  /** "/whep", whether the option has its slash or not. */
  readonly prefix: string;
  readonly #ctx: PluginContext;
  readonly #options: OfferOptions;
  readonly #taker: OfferTaker;
  readonly #sessions = new Map<string, Session>();
  /** How many sessions and unanswered offers there are: in all, and of each network. */
  #places = 0;
  readonly #networks = new Map<string, number>();

  constructor(ctx: PluginContext, options: OfferOptions, taker: OfferTaker) {
    this.#ctx = ctx;
    this.#options = options;
    this.#taker = taker;
    this.prefix = `/${normalizePath(options.path)}`;
  }

  /** Answers every request below the prefix. */
  readonly answer: PluginRoute = async (request, { network }) => {
    try {
      return withCors(await this.#route(request, network));
    } catch (error) {
      if (!(error instanceof WebRtcRefused)) throw error;
      const { status, message, headers } = error;
      this.#ctx.log.debug("an offer is refused", { status, reason: message });
      return withCors(new Response(`${message}\n`, { status, headers }));
    }
  };

  [Symbol.dispose](): void {
    for (const { peer } of this.#sessions.values()) peer.close();
  }

  async #route(request: Request, network: string): Promise<Response> {
    const url = new URL(request.url);
    const path = below(this.prefix, url.pathname);
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
        return await this.#post(request, url, broadcastOf(path), network);
      case "PATCH":
        return await this.#patch(request, this.#session(path));
      case "DELETE":
        this.#session(path).peer.close();
        return new Response(null, { status: 200 });
      default:
        throw new WebRtcRefused(405, `${request.method} is not answered here: POST an SDP offer`, {
          allow: METHODS,
          "accept-post": SDP,
        });
    }
  }

  #session(path: string): Session {
    const end = path.lastIndexOf("/");
    const session = this.#sessions.get(path.slice(end + 1));
    if (session === undefined || session.broadcast !== broadcastOf(path.slice(0, end))) {
      throw new WebRtcRefused(404, "There is no such session");
    }
    return session;
  }

  async #post(
    request: Request,
    url: URL,
    broadcast: string,
    network: string,
  ): Promise<Response> {
    const { prefix } = this;
    if (broadcast === "") {
      throw new WebRtcRefused(404, `No broadcast is named: POST to ${prefix}/BROADCAST`);
    }
    const rights = await this.#rights(request, broadcast);
    let leave: () => void = () => {};
    try {
      const posted = await bodyOf(request, SDP, this.#ctx.clock);
      leave = this.#take(network);
      const { peer } = await this.#taker.open(broadcast, posted, url.searchParams);
      const session = this.#add(peer, broadcast, rights, leave);
      const sdp = new TextEncoder().encode(peer.sdp);
      const headers = new Headers({
        "content-type": SDP,
        "content-length": String(sdp.length),
        location: `${prefix}/${urlOfPath(broadcast)}/${session.id}`,
        etag: session.etag,
        "accept-patch": FRAGMENT,
        "cache-control": "no-store",
      });
      // As RFC 9725, section 4.6, tells a client of them.
      for (const url of this.#options.iceServers) {
        headers.append("link", `<${url}>; rel="ice-server"`);
      }
      return new Response(sdp, { status: 201, headers });
    } catch (error) {
      leave();
      rights.end();
      throw error;
    }
  }

  /** Takes a place for a session. @returns Gives it back. @throws {WebRtcRefused} 503; 429 when the address has its share. */
  #take(network: string): () => void {
    const { maxSessions, maxSessionsPerAddress } = this.#options;
    const later = { "retry-after": "10" };
    if (this.#places >= maxSessions) {
      throw new WebRtcRefused(503, `All ${maxSessions} sessions are in use`, later);
    }
    const here = this.#networks.get(network) ?? 0;
    if (network !== "" && here >= maxSessionsPerAddress) {
      const why = `All ${maxSessionsPerAddress} sessions of this address are in use`;
      throw new WebRtcRefused(429, why, later);
    }
    this.#places++;
    this.#networks.set(network, here + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#places--;
      const left = this.#networks.get(network)! - 1;
      if (left > 0) this.#networks.set(network, left);
      else this.#networks.delete(network);
    };
  }

  /** @throws {WebRtcRefused} 401 or 403 */
  async #rights(request: Request, broadcast: string): Promise<RightsHeld> {
    const rights = await this.#ctx.hold(request, broadcast, this.#taker.role);
    if (rights !== undefined) return rights;
    const shown = request.headers.has("authorization") ||
      new URL(request.url).searchParams.has("jwt");
    throw shown
      ? new WebRtcRefused(403, "This token does not allow that")
      : new WebRtcRefused(401, "A token is needed, as ?jwt=… or Authorization: Bearer …", {
        "www-authenticate": "Bearer",
      });
  }

  #add(peer: RtcPeer, broadcast: string, rights: RightsHeld, leave: () => void): Session {
    const { log } = this.#ctx;
    const id = crypto.randomUUID();
    const session = { id, broadcast, peer, etag: `"${crypto.randomUUID()}"` };
    this.#sessions.set(id, session);
    log.info("session begins", { broadcast, session: id });
    this.#tell();
    const ended = () => {
      this.#sessions.delete(id);
      leave();
      rights.end();
      const reason = rights.lost.aborted ? reasonOf(rights.lost.reason) : undefined;
      log.info("session ends", { broadcast, session: id, reason });
      this.#tell();
    };
    rights.lost.addEventListener("abort", () => peer.close(), { once: true });
    if (rights.lost.aborted) peer.close();
    if (peer.over.aborted) ended();
    else peer.over.addEventListener("abort", ended, { once: true });
    return session;
  }

  #tell(): void {
    const { size } = this.#sessions;
    this.#ctx.status(size === 0 ? undefined : `${size} ${this.#taker.doing}`);
  }

  /** Candidates of the other side (RFC 8840). */
  async #patch(request: Request, session: Session): Promise<Response> {
    const match = request.headers.get("if-match");
    if (match === null) {
      throw new WebRtcRefused(428, "If-Match is needed, with the ETag of the session");
    }
    if (match === "*") {
      throw new WebRtcRefused(
        422,
        "ICE restarts are not supported: DELETE this session and POST anew",
      );
    }
    if (match !== session.etag) throw new WebRtcRefused(412, "The session has another ETag");
    const fragment = await bodyOf(request, FRAGMENT, this.#ctx.clock);
    let mid = "0";
    for (const line of fragment.split(/\r?\n/)) {
      if (line.startsWith("a=mid:")) mid = line.slice(6);
      if (!line.startsWith("a=candidate:")) continue;
      try {
        await session.peer.candidate(line.slice(2), mid);
      } catch { // A candidate that cannot be used is skipped.
      }
    }
    return new Response(null, { status: 204, headers: { etag: session.etag } });
  }
}

function withCors(response: Response): Response {
  for (const [name, value] of Object.entries(CORS)) response.headers.set(name, value);
  return response;
}

/** @throws {WebRtcRefused} 400 */
function broadcastOf(path: string): string {
  const broadcast = pathOfUrl(path);
  if (broadcast !== undefined) return broadcast;
  throw new WebRtcRefused(
    400,
    "The path is not well-formed percent-encoding, or none of a broadcast",
  );
}

/** @throws {WebRtcRefused} 408, 413, 415 */
async function bodyOf(request: Request, type: string, clock: Clock): Promise<string> {
  const given = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (given !== type) {
    throw new WebRtcRefused(415, `The body has to be ${type}, not ${given ?? "without a type"}`, {
      [request.method === "PATCH" ? "accept-patch" : "accept-post"]: type,
    });
  }
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  const reader = request.body?.getReader();
  let late = false;
  const cancel = clock.after(BODY_MS, () => {
    late = true;
    reader?.cancel().catch(() => {}); // ends the read
  });
  try {
    while (reader !== undefined) {
      const { value, done } = await reader.read();
      if (late) {
        throw new WebRtcRefused(408, `The body has not come within ${BODY_MS / 1000} s`);
      }
      if (done) break;
      bytes += value.length;
      if (bytes > MAX_BODY_BYTES) throw new WebRtcRefused(413, "The body is too large");
      text += decoder.decode(value, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    reader?.cancel().catch(() => {});
    throw error;
  } finally {
    cancel();
  }
}

/** Answers offers until the instance has to end; all sessions end with it. */
export async function serveOffers(
  ctx: PluginContext,
  options: OfferOptions,
  taker: OfferTaker,
): Promise<void> {
  const { http, signal } = ctx;
  using resources = new Resources(ctx, options, taker);
  using _route = http.route(resources.prefix, resources.answer);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
