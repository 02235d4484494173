/**
 * Instances of plugins over the admin interface: list, add, change, remove, start anew. What is changed here holds until
 * the process ends or the configuration is read again.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { PluginConfig } from "../config/plugin_list.ts";
import type { Problem } from "../config/problems.ts";
import { masked } from "../base/masking.ts";
import { readYaml } from "../config/read_yaml.ts";
import type { PluginInstance } from "../plugins/instance.ts";
import type { PluginStats } from "../plugins/plugin.ts";
import { checkPlugins, type PluginHost, specOf } from "./plugin_host.ts";

/** An instance as `/api/v1/plugins` lists it. */
export interface PluginJson {
  readonly name: string;
  /** `null` while that is not known: its module was not loaded yet. */
  readonly kind: string | null;
  readonly plugin: string | null;
  readonly module: string | null;
  readonly enabled: boolean;
  readonly state: "starting" | "running" | "failed" | "stopped";
  readonly reason: string | null;
  /** ISO 8601: when it came to be in this state. */
  readonly since: string;
  readonly restarts: number;
  readonly stats: PluginStats;
  /** Without what looks secret. */
  readonly options: unknown;
}

const MAX_BODY_BYTES = 1 << 20;

/** @param ownPage Whether a request comes from this server's own page. */
export function pluginApi(
  app: Hono,
  host: PluginHost | undefined,
  ownPage: (origin: string) => boolean,
): void {
  const { supervisor } = host ?? {};
  app.use("/api/v1/plugins/*", async (c, next) => {
    // No other web page may change anything here in its reader's name.
    const origin = c.req.header("origin");
    const reads = ["GET", "HEAD", "OPTIONS"].includes(c.req.method);
    if (reads || origin === undefined || ownPage(origin)) return await next();
    return c.json({ error: "not for other pages" }, 403);
  });
  const named = (c: Context) => supervisor?.get(c.req.param("name") ?? "");
  const none = (c: Context) => c.json({ error: `no instance "${c.req.param("name")}"` }, 404);
  const wrongMethod = (allow: string) => (c: Context) =>
    c.req.method === "OPTIONS"
      ? c.body(null, 204, { allow })
      : c.text("method not allowed\n", 405, { allow });

  app.get("/api/v1/plugins", (c) => c.json({ plugins: supervisor?.list().map(pluginJson) ?? [] }));
  app.all("/api/v1/plugins", wrongMethod("GET, HEAD, OPTIONS"));
  app.get("/api/v1/plugins/:name", (c) => {
    const instance = named(c);
    return instance === undefined ? none(c) : c.json(pluginJson(instance));
  });
  app.put("/api/v1/plugins/:name", bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
    if (host === undefined) return none(c);
    return await put(c, host);
  });
  app.delete("/api/v1/plugins/:name", async (c) => {
    const name = c.req.param("name");
    return await supervisor?.remove(name) ? c.body(null, 204) : none(c);
  });
  app.all("/api/v1/plugins/:name", wrongMethod("GET, HEAD, PUT, DELETE, OPTIONS"));
  app.post("/api/v1/plugins/:name/restart", (c) => {
    const instance = supervisor?.restart(c.req.param("name"));
    return instance === undefined ? none(c) : c.json(pluginJson(instance), 202);
  });
  app.all("/api/v1/plugins/:name/restart", wrongMethod("POST, OPTIONS"));
}

async function put(c: Context, host: PluginHost): Promise<Response> {
  const { config, problems } = await wanted(c, host);
  if (config === undefined || problems.length > 0) {
    const found = problems.map(({ path, message }) => ({
      path: path.replace(/^plugins(\.0)?\.?/, ""),
      message,
    }));
    const error = found.map(({ path, message }) => path ? `${path}: ${message}` : message);
    return c.json({ error: error.join("; "), problems: found }, 400);
  }
  const isNew = host.supervisor.get(config.name) === undefined;
  const instance = host.supervisor.put(specOf(config));
  return c.json(pluginJson(instance), isNew ? 201 : 200);
}

/** What the body asks for, read as if it stood in the file: the same keys, and the same is said of wrong ones. */
async function wanted(
  c: Context,
  host: PluginHost,
): Promise<{ readonly config?: PluginConfig; readonly problems: readonly Problem[] }> {
  const wrong = (path: string, message: string) => ({
    problems: [{ origin: { kind: "default" } as const, path, message }],
  });
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    return wrong("", "the body is no JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return wrong("", "the body is no JSON object");
  }
  const name = c.req.param("name");
  if ("name" in body && body.name !== name) return wrong("name", "is not that of the URL");
  const text = JSON.stringify({ plugins: [{ ...body, name }] });
  const { plugins: [config], problems } = readYaml(text, host.file);
  if (config === undefined) return { problems };
  if (config.module !== undefined && !host.modules.has(config.module)) {
    return wrong("module", "only modules that the configuration file names are loaded");
  }
  return { config, problems: [...problems, ...await checkPlugins([config], host.registry)] };
}

export function pluginJson({ spec, status, stats, kind, plugin }: PluginInstance): PluginJson {
  return {
    name: spec.name,
    kind: kind ?? null,
    plugin: plugin ?? null,
    module: spec.module ?? null,
    enabled: spec.enabled,
    state: status.state,
    reason: status.reason ?? null,
    since: new Date(status.sinceMs).toISOString(),
    restarts: status.restarts,
    stats: { ...stats },
    options: withoutSecrets(spec.options),
  };
}

const SECRET_KEY = /pass|secret|token|credential|key/i;

function withoutSecrets(value: unknown, key = ""): unknown {
  if (typeof value === "string") return SECRET_KEY.test(key) ? "***" : masked(value);
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withoutSecrets(item, name)]),
  );
}
