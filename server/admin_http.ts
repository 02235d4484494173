/**
 * HTTP for those who run the server: metrics, readiness, and what the server holds, as JSON. It shows every session, so it
 * stands on an address of its own and answers no web page but the one of this server.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { ipBytes, isLoopback } from "../config/address.ts";
import { masked } from "../base/masking.ts";
import { placeOf } from "../config/problems.ts";
import { Exposition } from "../metrics/catalog.ts";
import type { ServerView } from "./deps.ts";
import { health, route } from "./http_answers.ts";
import { broadcasts, metrics, session, sessions, tracks } from "./overview.ts";
import { pluginApi } from "./plugin_api.ts";

/** Why new peers should go elsewhere. The words are stable. */
export type NotReady = "draining" | "upstream_not_connected";

/** The admin interface as an app that {@link serveHttp} takes. */
export function adminApp(view: ServerView): Hono {
  const exposition = new Exposition();
  const app = new Hono();
  const own = view.loaded.config.admin.address;
  const guarded = own !== undefined && isLoopback(own.hostname);
  app.use(async (c, next): Promise<Response | void> => {
    // A page of somebody else's name that resolves to this machine reads nothing here (DNS rebinding).
    if (guarded && !namesThisMachine(new URL(c.req.url).hostname)) {
      return c.text("misdirected request: name this machine by its address or as localhost\n", 421);
    }
    await next();
    if (guarded) allowOwnPage(c, view);
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  app.onError((error, c) => {
    view.log.error("admin request failed", { path: c.req.path, reason: error.message });
    return c.json({ error: "internal error" }, 500);
  });
  app.notFound((c) => c.json({ error: "not found" }, 404));

  route(app, ["/health"], health(view));
  route(app, ["/health/live"], (c) => c.json({ status: "alive" }));
  route(app, ["/ready", "/health/ready"], (c) => readiness(c, view));
  route(app, ["/metrics"], async (c) => {
    const text = await exposition.render(await metrics(view));
    return c.body(text, 200, { "content-type": exposition.contentType });
  });
  route(app, ["/api/v1/sessions"], async (c) => c.json({ sessions: await sessions(view) }));
  route(app, ["/api/v1/sessions/:id"], async (c) => {
    const id = c.req.param("id") ?? "";
    if (!/^\d{1,15}$/.test(id)) {
      return c.json({ error: `"${id}" is not the number of a session` }, 400);
    }
    const found = await session(view, Number(id));
    return found === undefined ? c.json({ error: `no session ${id}` }, 404) : c.json(found);
  });
  route(app, ["/api/v1/broadcasts"], async (c) => c.json({ broadcasts: await broadcasts(view) }));
  route(app, ["/api/v1/tracks"], async (c) => c.json({ tracks: await tracks(view) }));
  pluginApi(app, view.plugins, (origin) => isOwnPage(origin, view));
  route(app, ["/api/v1/config"], (c) => c.json(configOf(view)));
  return app;
}

function readiness(c: Context, { relay, upstream }: ServerView): Response {
  const reasons: NotReady[] = [];
  if (relay.draining) reasons.push("draining");
  if (upstream !== undefined && upstream.state !== "connected") {
    reasons.push("upstream_not_connected");
  }
  if (reasons.length === 0) return c.json({ ready: true });
  return c.json({ ready: false, reason: reasons[0], reasons }, 503);
}

/** Every setting as a file would write it, with where it came from. */
function configOf({ loaded }: ServerView) {
  return {
    file: loaded.file ?? null,
    settings: loaded.settings.map(({ setting, value, origin }) => ({
      key: setting.path,
      value: withoutSecrets(value) ?? null,
      origin: placeOf(origin),
    })),
  };
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return masked(value);
  return Array.isArray(value) ? value.map(withoutSecrets) : value;
}

/** Lets the dashboard of this very server read, opened under a name of this machine; no other page. */
function allowOwnPage(c: Context, view: ServerView): void {
  c.header("vary", "Origin");
  const origin = c.req.header("origin");
  if (origin !== undefined && isOwnPage(origin, view)) {
    c.header("access-control-allow-origin", origin);
  }
}

function isOwnPage(origin: string, { quicAddress, loaded }: ServerView): boolean {
  if (!loaded.config.server.http) return false;
  const own = ["localhost", "127.0.0.1", "[::1]"].map((h) =>
    new URL(`http://${h}:${quicAddress.port}`)
  );
  return own.some((url) => url.origin === origin);
}

/** @param host As a URL has it: an IPv6 address in brackets. */
function namesThisMachine(host: string): boolean {
  return host === "localhost" || ipBytes(host.replace(/^\[|\]$/g, "")) !== undefined;
}
