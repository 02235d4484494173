/**
 * The public HTTP: health, the hash of the certificate, announcements, single groups, recordings and the pages.
 * `page_origins.ts` decides which web pages may use it.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { formatAddress, isLoopback } from "../../config/address.ts";
import { openUnasked } from "../../config/exposure.ts";
import { decodedOnce, pathOfUrl } from "../../wire/path.ts";
import type { Namespace } from "../../relay/namespace.ts";
import type { Entry } from "../../session/session.ts";
import { httpRequest } from "../admission.ts";
import type { Grant } from "../auth/grant.ts";
import { entryOf, maySubscribe } from "../auth/rights.ts";
import type { Asset, Assets } from "../../web/build/assets.ts";
import type { WhereJson } from "../../admin/shapes.ts";
import type { ServerView } from "../admin/server_view.ts";
import { dvrAnswer } from "../dvr/dvr_http.ts";
import { fetchGroup, FetchRefused, type GroupWanted } from "./fetch_group.ts";
import { health } from "./health.ts";
import { routeAnswer } from "./route_answer.ts";
import { isLocal, pathBehind, peerOf, route, segments } from "./routing.ts";
import { remoteOf } from "./http_listener.ts";
import { addressKey } from "../limits/address_key.ts";
import type { AnswerKind } from "./answers.ts";
import { pageRequestOf } from "./page_origins.ts";

export interface PublicHttpOptions {
  /** Files of the pages. Without them `/` has a short text. */
  readonly assets?: Assets;
  /** How long `/fetch` waits for the first frame, and for each further one. Default 30,000. */
  readonly fetchTimeoutMs?: number;
}

/** A content security policy. @param framedBy Sources of `frame-ancestors`. */
const policy = (framedBy: string, images = "") =>
  [...PAGE_POLICY, `img-src 'self' data: blob:${images}`, `frame-ancestors ${framedBy}`].join("; ");

/** The page runs its own code and worklets, and connects to any relay its user names. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' blob: 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "media-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self' https: http: wss: ws: data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
];

/** The public interface as an app that {@link serveHttp} takes. */
export function publicApp(view: ServerView, options: PublicHttpOptions = {}): Hono {
  const { assets, fetchTimeoutMs = 30_000 } = options;
  const { admission } = view.node;
  const app = new Hono();
  app.use(async (c, next): Promise<Response | void> => {
    const { remote = "" } = peerOf(c);
    const no = admission.foreign(pageRequestOf(c.req.raw), c.req.path, remote);
    if (no !== undefined) {
      c.header("x-content-type-options", "nosniff");
      return live(c).text(`${no.message}\n`, no.status);
    }
    return await pluginAnswer(c, view) ?? await next();
  });
  app.use(async (c, next) => {
    await next();
    c.header("x-content-type-options", "nosniff");
    // Only this machine may know it: no web page of another origin reads it.
    if (c.req.path === WHERE) return;
    if (!allowPages(c.res.headers, view, c.req.header("origin"))) return;
    c.header("access-control-expose-headers", "qumo-group, qumo-certificate, qumo-rights");
    if (c.req.method === "OPTIONS") {
      c.header("access-control-allow-methods", "GET, HEAD");
      c.header("access-control-allow-headers", "authorization, *");
    }
  });
  app.onError((error, c) => {
    view.log.error("HTTP request failed", { path: c.req.path, reason: error.message });
    return c.text("internal error\n", 500);
  });
  app.notFound((c) => {
    const html = assets?.get("index.html");
    return html !== undefined && opensPage(c) ? page(c, html) : c.text("not found\n", 404);
  });

  route(app, ["/health"], health(view));
  route(app, ["/route"], (c) => routeAnswer(c, view));
  // Without a line end: scripts use it as it is.
  route(app, ["/certificate.sha256"], (c) => {
    const { sha256, selfSigned, pinnable } = view.certificate;
    c.header("qumo-certificate", !selfSigned ? "signed" : pinnable ? "pin" : "refused");
    return live(c).text(sha256.toHex());
  });
  route(app, ["/announced", "/announced/*"], async (c) => {
    const prefix = pathBehind(c);
    if (prefix === undefined) return c.text(BAD_PATH, 400);
    return await admitted(
      c,
      view,
      prefix,
      ({ root, serve }, { publish, subscribe }) => {
        const rights = [publish.length > 0 && "publish", subscribe.length > 0 && "subscribe"];
        c.header("qumo-rights", rights.filter((right) => right !== false).join(" "));
        const paths = serve === undefined ? [] : announcedBelow(serve, root);
        return live(c).text(paths.map((path) => `${path}\n`).join(""));
      },
    );
  });
  route(app, ["/fetch/*"], (c) => fetchRoute(c, view, fetchTimeoutMs));
  route(app, ["/dvr/*"], (c) => {
    const path = pathBehind(c);
    if (path === undefined) return c.text(BAD_PATH, 400);
    return admitted(c, view, path, ({ root }, grant) => {
      if (!maySubscribe(grant, root)) {
        return live(c).text("nothing of this broadcast is kept\n", 404);
      }
      return dvrAnswer(live(c), view, root);
    });
  });
  route(app, [WHERE], (c) => live(c).json(where(c, view)));
  route(app, ["/", "/index.html"], (c) => page(c, assets?.get("index.html") ?? NO_PAGE));
  // The path below /embed/ is the name of a broadcast. The page reads it.
  route(app, ["/embed/*"], (c) => {
    const asset = assets?.get("embed.html");
    return asset === undefined ? c.notFound() : embedPage(c, asset, view);
  });
  route(app, ["/embed.js"], (c) => {
    const asset = assets?.get("embed.js");
    if (asset === undefined) return c.notFound();
    // CORS decides who may load it: a browser runs a module script of another origin only with CORS.
    c.header("cross-origin-resource-policy", "cross-origin");
    return page(c, asset);
  });
  route(app, ["/assets/*"], (c) => {
    const asset = assets?.get(c.req.path.slice(1));
    return asset === undefined ? c.notFound() : page(c, asset);
  });
  return app;
}

/** Sets the CORS headers. @returns Whether the page that asks may read. */
function allowPages(headers: Headers, view: ServerView, origin: string | undefined): boolean {
  const { pages } = view.node.admission;
  if (pages.readersDiffer) headers.append("vary", "Origin");
  const allowed = pages.reader(origin);
  if (allowed !== undefined) headers.set("access-control-allow-origin", allowed);
  return allowed !== undefined;
}

/** The answer of the plugin that owns the path, with our CORS headers unless it has its own. */
async function pluginAnswer(c: Context, view: ServerView): Promise<Response | undefined> {
  const { plugins, relay } = view;
  if (plugins?.routes.find(new URL(c.req.url).pathname) === undefined) return undefined;
  const { raw, method } = c.req;
  const { remote = "" } = peerOf(c);
  const remoteAddress = remoteOf(peerOf(c));
  const peer = { remote, network: remoteAddress === "" ? "" : addressKey(remoteAddress) };
  const response = await relay.answers.serve(remoteAddress, async (answer) => {
    plugins.requests.set(raw, { remoteAddress, answer });
    return await plugins.routes.answer(raw, peer) ?? new Response("not found\n", { status: 404 });
  }, { method, long: true });
  try {
    const { headers } = response;
    headers.set("x-content-type-options", "nosniff");
    if (!headers.has("access-control-allow-origin")) {
      allowPages(headers, view, c.req.header("origin"));
    }
  } catch { // The headers of a redirect or an upgrade cannot be changed.
  }
  return response;
}

/** Tells the page the admin address. */
const WHERE = "/api/where";

/** Only browsers on this machine get the admin address. Everybody may know whether the relay is open. */
function where(c: Context, view: ServerView): WhereJson {
  const openToEverybody = openUnasked(view.loaded.config);
  if (!isLocal(c)) return { local: false, admin: null, openToEverybody };
  const at = view.adminAddress;
  const admin = at && isLoopback(at.hostname) ? formatAddress(at) : null;
  return { local: true, admin, openToEverybody };
}

const BAD_PATH =
  "bad request: the path is not well-formed percent-encoding, or no path of a broadcast\n";

/** The answer may change at any moment. */
function live(c: Context): Context {
  c.header("cache-control", "no-store");
  return c;
}

/** Live broadcasts below a prefix, relative to it and sorted. The prefix itself is an empty line. */
function announcedBelow(origin: Namespace, prefix: string): string[] {
  const found: string[] = [];
  const watch = origin.watch({ prefix }, ({ suffix }) => found.push(suffix));
  watch.close();
  // A name with a line end would look like two names.
  return found.filter((path) => !/[\r\n]/.test(path)).sort();
}

/**
 * Answers a request that is admitted at a normalised path, and holds its rights until the answer ends. Others get 401 or
 * 403.
 */
async function admitted(
  c: Context,
  view: ServerView,
  path: string,
  respond: (entry: Entry, grant: Grant, lost: AbortSignal) => Response | Promise<Response>,
  kind: AnswerKind = {},
): Promise<Response> {
  const remoteAddress = remoteOf(peerOf(c));
  const { answers, origin } = view.relay;
  return await answers.serve(remoteAddress, async (answer) => {
    const decided = await view.node.admission.admit(httpRequest(c.req.raw, path, remoteAddress));
    if ("reason" in decided) {
      if (decided.status === 401) c.header("www-authenticate", "Bearer");
      return live(c).text(`${decided.message}\n`, decided.status);
    }
    answer.hold(decided);
    return await respond(entryOf(origin, decided.grant), decided.grant, answer.lost);
  }, kind);
}

async function fetchRoute(c: Context, view: ServerView, timeoutMs: number): Promise<Response> {
  const parts = segments(c, 1);
  const track = decodedOnce(parts.pop() ?? "");
  const path = pathOfUrl(parts.join("/"));
  if (path === undefined || track === undefined) return c.text(BAD_PATH, 400);
  const group = c.req.query("group") ?? "latest";
  const number = /^\d{1,16}$/.test(group) ? Number(group) : NaN;
  if (group !== "latest" && !Number.isSafeInteger(number)) {
    return c.text('bad request: group is a number or "latest"\n', 400);
  }
  return await admitted(c, view, path, async ({ root, serve }, _grant, lost) => {
    if (serve === undefined) return live(c).text("no such broadcast\n", 404);
    return await groupAnswer(c, serve, {
      broadcast: root,
      track,
      group: group === "latest" ? undefined : number,
      timeoutMs,
      lost,
    });
  }, { method: c.req.method, long: true });
}

async function groupAnswer(c: Context, origin: Namespace, wanted: GroupWanted): Promise<Response> {
  try {
    const answer = await fetchGroup(origin, wanted);
    live(c).header("content-type", "application/octet-stream");
    c.header("qumo-group", String(answer.sequence));
    if (c.req.method !== "HEAD") return c.body(answer.body);
    await answer.body.cancel(); // nobody reads it
    return c.body(null);
  } catch (error) {
    if (!(error instanceof FetchRefused)) throw error;
    return live(c).text(`${error.message}\n`, error.status);
  }
}

/** The player alone, for frames in other pages. */
function embedPage(c: Context, asset: Asset, view: ServerView): Response {
  const response = page(c, asset);
  // The poster may have any origin.
  response.headers.set(
    "content-security-policy",
    policy(view.node.admission.pages.framedBy, " https: http:"),
  );
  response.headers.set("cross-origin-resource-policy", "cross-origin");
  response.headers.delete("cross-origin-opener-policy");
  return response;
}

/** First segments of paths that cannot be the root of a token. */
const NO_ROOTS: ReadonlySet<string> = new Set(["assets", "api"]);

/** Whether a browser opens the path as a page: the path may be the root of a token. */
function opensPage(c: Context): boolean {
  if (c.req.method !== "GET" && c.req.method !== "HEAD") return false;
  const first = pathOfUrl(segments(c, 0).join("/"))?.split("/")[0];
  if (first === undefined || first === "" || NO_ROOTS.has(first)) return false;
  const goal = c.req.header("sec-fetch-dest") ?? "document";
  return goal === "document" && (c.req.header("accept") ?? "").includes("text/html");
}

function page(c: Context, asset: Asset): Response {
  c.header("content-security-policy", policy("'none'"));
  c.header("referrer-policy", "no-referrer");
  c.header("cross-origin-opener-policy", "same-origin");
  c.header("cache-control", "no-cache");
  c.header("vary", "Accept, Sec-Fetch-Dest", { append: true });
  c.header("content-type", asset.type);
  return c.body(asset.body);
}

const NO_PAGE: Asset = {
  type: "text/html; charset=utf-8",
  body: new TextEncoder().encode(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>qumo-relay</title>
<h1>qumo-relay</h1>
<p>This is a Media over QUIC relay, and it is running. The page that plays broadcasts is not part of
this build; the README says how to make it.
<ul>
<li><a href="/announced">/announced</a>: what is live
<li><a href="/health">/health</a>
<li><a href="/certificate.sha256">/certificate.sha256</a>: what a client may pin
</ul>
</html>
`),
};
