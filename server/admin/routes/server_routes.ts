/**
 * The server itself: configuration, limits, log level, metrics, health.
 *
 * @module
 */
import { z } from "zod";
import {
  type AnswerJson,
  ANSWERS,
  type LogLevelJson,
  type ReadinessJson,
  type ReloadJson,
  type SettingJson,
  SHAPES,
} from "../../../admin/shapes.ts";
import { reasonOf } from "../../../base/errors.ts";
import { openUnasked } from "../../../config/exposure.ts";
import type { ResolvedSetting } from "../../../config/load.ts";
import { placeOf } from "../../../config/problems.ts";
import { parentsOf } from "../../cluster/cluster_view.ts";
import { health } from "../../http/health.ts";
import { isLimit } from "../../limits/limits.ts";
import { metrics } from "../overview.ts";
import { type AdminAnswer, type AdminRequest, type AdminRoute, failure } from "./route.ts";

/** Why new peers should go elsewhere. The words are stable. */
export type NotReady = "draining" | "upstream_not_connected";

/** What should be put right although peers may come. The words are stable. */
export type ReadyWarning = "open_to_everybody";

const plain: AdminAnswer = { about: "text", type: "text/plain", shape: z.string() };

function settingJson({ setting, value, origin }: ResolvedSetting): SettingJson {
  return { key: setting.path, value: value ?? null, origin: placeOf(origin) };
}

function readiness({ c, view: { relay, cluster, loaded } }: AdminRequest): Response {
  const reasons: NotReady[] = [];
  if (relay.draining) reasons.push("draining");
  const parents = parentsOf(cluster);
  if (parents.all.length > 0 && parents.connected === 0) reasons.push("upstream_not_connected");
  const warnings: ReadyWarning[] = openUnasked(loaded.config) ? ["open_to_everybody"] : [];
  const also = warnings.length === 0 ? {} : { warnings };
  if (reasons.length === 0) return c.json({ ready: true, ...also } satisfies ReadinessJson);
  const [reason] = reasons;
  return c.json({ ready: false, reason, reasons, ...also } satisfies ReadinessJson, 503);
}

const ready = (path: string, id: string): AdminRoute => ({
  method: "get",
  path,
  id,
  group: "Health",
  access: "open",
  summary: "Tell whether new peers may come",
  answers: {
    200: { about: "they may", shape: SHAPES.Readiness },
    503: { about: "they should go elsewhere", shape: SHAPES.Readiness },
  },
  handle: readiness,
});

export const SERVER_ROUTES: readonly AdminRoute[] = [
  {
    method: "get",
    path: "/api/v1/config",
    id: "getConfig",
    group: "Server",
    access: "read",
    summary: "Show every setting in effect, and where it comes from",
    answers: { 200: { about: "the settings", shape: ANSWERS.config } },
    handle: ({ c, view: { loaded } }) =>
      c.json(
        {
          file: loaded.file ?? null,
          settings: loaded.settings.map(settingJson),
        } satisfies AnswerJson<"config">,
      ),
  },
  {
    method: "get",
    path: "/api/v1/limits",
    id: "getLimits",
    group: "Server",
    access: "read",
    summary: "Show the settings that bound what peers may use",
    answers: { 200: { about: "the limits", shape: ANSWERS.limits } },
    handle: ({ c, view: { loaded } }) =>
      c.json(
        {
          limits: loaded.settings.filter(({ setting }) => isLimit(setting)).map(settingJson),
        } satisfies AnswerJson<"limits">,
      ),
  },
  {
    method: "get",
    path: "/api/v1/log-level",
    id: "getLogLevel",
    group: "Server",
    access: "read",
    summary: "Show the level of the log",
    answers: { 200: { about: "the level", shape: SHAPES.LogLevel } },
    handle: ({ c, view }) => c.json({ level: view.logLevel.level } satisfies LogLevelJson),
  },
  {
    method: "put",
    path: "/api/v1/log-level",
    id: "setLogLevel",
    group: "Server",
    access: "change",
    summary: "Set the level of the log, in every thread",
    about: "It holds until the server ends, or the configuration is read again.",
    body: { shape: SHAPES.LogLevel, strict: true },
    answers: { 200: { about: "the level that holds now", shape: SHAPES.LogLevel } },
    handle: ({ c, view, body }) => {
      const { level } = body as LogLevelJson;
      const before = view.logLevel.level;
      // Logged before a higher level would suppress it.
      if (before !== level) view.log.info("log level changed", { from: before, to: level });
      view.logLevel.level = level;
      return c.json({ level } satisfies LogLevelJson);
    },
  },
  {
    method: "post",
    path: "/api/v1/reload",
    id: "reload",
    group: "Server",
    access: "change",
    summary: "Read the configuration again and take it into use",
    about: "As SIGHUP does. Nobody's session ends for it: docs/operations.md.",
    answers: {
      200: { about: "what is in use now, and what needs a restart", shape: SHAPES.Reload },
      422: { about: "it cannot be used; nothing has changed", shape: SHAPES.Error },
    },
    handle: async ({ c, view }) => {
      if (view.reload === undefined) return failure(c, 422, "not_reloaded");
      try {
        return c.json(await view.reload() satisfies ReloadJson);
      } catch (error) {
        return failure(c, 422, "not_reloaded", reasonOf(error));
      }
    },
  },
  {
    method: "post",
    path: "/api/v1/drain",
    id: "drain",
    group: "Server",
    access: "change",
    summary: "Ask everybody to leave, and end the program",
    about: "As SIGTERM does: docs/operations.md.",
    answers: {
      202: { about: "it has begun", shape: ANSWERS.draining },
    },
    handle: ({ c, view }) => {
      view.drain();
      return c.json({ draining: true } satisfies AnswerJson<"draining">, 202);
    },
  },
  {
    method: "get",
    path: "/metrics",
    id: "getMetrics",
    group: "Server",
    access: "read",
    summary: "Show the metrics as Prometheus reads them",
    about: "What each one means: docs/metrics.md.",
    answers: { 200: { ...plain, about: "the metrics, of all threads together" } },
    handle: async ({ c, view, exposition }) => {
      const text = await exposition.render(await metrics(view));
      return c.body(text, 200, { "content-type": exposition.contentType });
    },
  },
  {
    method: "get",
    path: "/health",
    id: "getHealth",
    group: "Health",
    access: "open",
    summary: "Tell that the server is alive",
    about: "`ok`, or JSON for who accepts `application/json`.",
    answers: { 200: { ...plain, about: "it is", orJson: SHAPES.Health } },
    handle: ({ c, view }) => health(view)(c, async () => {}) as Response,
  },
  {
    method: "get",
    path: "/health/live",
    id: "getLive",
    group: "Health",
    access: "open",
    summary: "Tell that the server is alive, as JSON",
    answers: {
      200: { about: "it is", shape: ANSWERS.alive },
    },
    handle: ({ c }) => c.json({ status: "alive" } satisfies AnswerJson<"alive">),
  },
  ready("/ready", "getReady"),
  ready("/health/ready", "getHealthReady"),
];
