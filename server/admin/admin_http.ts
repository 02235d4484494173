/**
 * HTTP for those who run the server: metrics, readiness, what the server holds, and changes while it runs. Answers are
 * JSON. It shows every session, so it has an address of its own. No web page reads it but the server's own and those that
 * are listed.
 *
 * @module
 */
import { Hono } from "hono";
import { Exposition } from "../../metrics/catalog.ts";
import { Guard } from "./guard.ts";
import { register } from "./routes/register.ts";
import { failure } from "./routes/route.ts";
import { ADMIN_ROUTES } from "./routes/routes.ts";
import { AdminToken } from "./token.ts";
import type { ServerView } from "./server_view.ts";

/** The admin interface as an app that {@link serveHttp} takes. @param token Made of the configuration if not given. */
export function adminApp(
  view: ServerView,
  token: AdminToken = new AdminToken(view.loaded.config.admin, view.log),
): Hono {
  const app = new Hono();
  const guard = new Guard(view, token);
  app.use(async (c, next): Promise<Response | void> => {
    const misdirected = guard.misdirected(c);
    if (misdirected !== undefined) return misdirected;
    await next();
    guard.allowPages(c);
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  app.onError((error, c) => {
    view.log.error("admin request failed", { path: c.req.path, reason: error.message });
    return failure(c, 500, "internal");
  });
  app.notFound((c) => failure(c, 404, "not_found"));
  register(app, ADMIN_ROUTES, guard, { view, exposition: new Exposition() });
  return app;
}
