/**
 * Registers the routes of the admin interface. Each request passes the guard, then its parameters and body are checked,
 * then the handler answers.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { type Fault, faultsOf } from "../../../admin/faults.ts";
import type { Guard } from "../guard.ts";
import { type AdminParameter, type AdminRequest, type AdminRoute, failure } from "./route.ts";

const MAX_BODY_BYTES = 1 << 20;

/** What every handler gets besides the request. */
type Deps = Pick<AdminRequest, "view" | "exposition">;

export function register(
  app: Hono,
  routes: readonly AdminRoute[],
  guard: Guard,
  deps: Deps,
): void {
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c) => failure(c, 413, "body_too_large"),
  });
  const paths = Map.groupBy(routes, ({ path }) => path);
  for (const [path, its] of paths) {
    const at = path.replace(/\{(\w+)\}/g, ":$1");
    for (const route of its) {
      const method = route.method.toUpperCase();
      if (route.body !== undefined) app.on(method, at, limit);
      app.on(
        method,
        at,
        async (c) => await guard.refusal(c, route.access) ?? await answer(c, route, deps),
      );
    }
    const allow = [
      ...its.flatMap(({ method }) => method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]),
      "OPTIONS",
    ].join(", ");
    app.options(at, (c) => c.body(null, 204, { allow }));
    app.all(at, (c) => {
      c.header("allow", allow);
      return failure(c, 405, "method_not_allowed");
    });
  }
}

async function answer(c: Context, route: AdminRoute, deps: Deps): Promise<Response> {
  const { parameters, faults } = parametersOf(c, route);
  if (faults.length > 0) return bad(c, faults);
  if (route.body === undefined) {
    return await route.handle({ ...deps, c, parameters, body: undefined });
  }
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    return bad(c, [{ path: "", message: "the body is no JSON" }]);
  }
  const wrong = route.body.strict ? faultsOf(body, route.body.shape) : [];
  return wrong.length > 0 ? bad(c, wrong) : await route.handle({ ...deps, c, parameters, body });
}

function parametersOf(c: Context, { path, parameters = [] }: AdminRoute) {
  const found: Record<string, string | number> = {};
  const faults: Fault[] = [];
  for (const parameter of parameters) {
    const { name } = parameter;
    const text = parameter.in === "path" ? c.req.param(name) : c.req.query(name);
    if (text === undefined) continue;
    const value = valueOf(text, parameter);
    faults.push(...faultsOf(value, parameter.shape, name));
    found[name] = value;
  }
  // A misspelt filter would show everything. Other paths take any query: scrapers add what they like.
  const known = new Set(parameters.map(({ name }) => name));
  if (path.startsWith("/api/")) {
    for (const name of Object.keys(c.req.query())) {
      if (!known.has(name)) faults.push({ path: name, message: "unknown parameter" });
    }
  }
  return { parameters: found, faults };
}

function valueOf(text: string, { shape }: AdminParameter): string | number {
  return shape instanceof z.ZodNumber && /^\d{1,16}$/.test(text) ? Number(text) : text;
}

function bad(c: Context, problems: readonly Fault[]): Response {
  const error = problems.map(({ path, message }) => path === "" ? message : `${path}: ${message}`);
  return failure(c, 400, "bad_request", error.join("; "), problems);
}
