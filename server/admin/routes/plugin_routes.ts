/**
 * Instances of plugins: list, add, change, remove, start anew. A change holds until the process ends or the configuration
 * is read again.
 *
 * @module
 */
import { z } from "zod";
import { type AnswerJson, ANSWERS, SHAPES } from "../../../admin/shapes.ts";
import type { PluginConfig } from "../../../config/plugin_list.ts";
import type { Problem } from "../../../config/problems.ts";
import { readYaml } from "../../../config/read/read_yaml.ts";
import { checkPlugins, type PluginHost, specOf } from "../../plugins/plugin_host.ts";
import { pluginJson } from "./plugin_json.ts";
import { type AdminParameter, type AdminRequest, type AdminRoute, failure } from "./route.ts";

const NAME: AdminParameter = {
  name: "name",
  in: "path",
  about: "Name of the instance.",
  shape: z.string().max(256),
};
const NO_PLUGIN = { about: "no such instance", shape: SHAPES.Error };

const nameOf = ({ parameters }: AdminRequest) => String(parameters["name"]);
const instanceOf = (request: AdminRequest) => request.view.plugins?.supervisor.get(nameOf(request));
const none = (request: AdminRequest) =>
  failure(request.c, 404, "no_such_plugin", `no instance "${nameOf(request)}"`);

export const PLUGIN_ROUTES: readonly AdminRoute[] = [
  {
    method: "get",
    path: "/api/v1/plugins",
    id: "listPlugins",
    group: "Plugins",
    access: "read",
    summary: "List the instances of plugins",
    answers: { 200: { about: "the instances", shape: ANSWERS.plugins } },
    handle: ({ c, view }) =>
      c.json(
        { plugins: view.plugins?.supervisor.list().map(pluginJson) ?? [] } satisfies AnswerJson<
          "plugins"
        >,
      ),
  },
  {
    method: "get",
    path: "/api/v1/plugins/{name}",
    id: "getPlugin",
    group: "Plugins",
    access: "read",
    summary: "Show one instance",
    parameters: [NAME],
    answers: { 200: { about: "the instance", shape: SHAPES.Plugin }, 404: NO_PLUGIN },
    handle: (request) => {
      const instance = instanceOf(request);
      return instance === undefined ? none(request) : request.c.json(pluginJson(instance));
    },
  },
  {
    method: "put",
    path: "/api/v1/plugins/{name}",
    id: "putPlugin",
    group: "Plugins",
    access: "change",
    summary: "Add an instance, or start it anew with other options",
    about: "It is not written to the file.",
    parameters: [NAME],
    // The reader of the configuration file checks it: its messages say more.
    body: { shape: SHAPES.PluginInput, strict: false },
    answers: {
      200: { about: "it was there, and is started anew", shape: SHAPES.Plugin },
      201: { about: "it is new", shape: SHAPES.Plugin },
      404: NO_PLUGIN,
    },
    handle: async (request) => {
      const { plugins } = request.view;
      return plugins === undefined ? none(request) : await put(request, plugins);
    },
  },
  {
    method: "delete",
    path: "/api/v1/plugins/{name}",
    id: "deletePlugin",
    group: "Plugins",
    access: "change",
    summary: "Stop an instance and forget it",
    parameters: [NAME],
    answers: { 204: { about: "it is gone" }, 404: NO_PLUGIN },
    handle: async (request) => {
      const removed = await request.view.plugins?.supervisor.remove(nameOf(request));
      return removed ? request.c.body(null, 204) : none(request);
    },
  },
  {
    method: "post",
    path: "/api/v1/plugins/{name}/restart",
    id: "restartPlugin",
    group: "Plugins",
    access: "change",
    summary: "Start an instance anew; a module whose file has changed is loaded anew",
    parameters: [NAME],
    answers: { 202: { about: "it starts", shape: SHAPES.Plugin }, 404: NO_PLUGIN },
    handle: (request) => {
      const instance = request.view.plugins?.supervisor.restart(nameOf(request));
      return instance === undefined ? none(request) : request.c.json(pluginJson(instance), 202);
    },
  },
];

async function put({ c, parameters, body }: AdminRequest, host: PluginHost): Promise<Response> {
  const { config, problems } = await wanted(String(parameters["name"]), body, host);
  if (config === undefined || problems.length > 0) {
    const found = problems.map(({ path, message }) => ({
      path: path.replace(/^plugins(\.0)?\.?/, ""),
      message,
    }));
    const error = found.map(({ path, message }) => path ? `${path}: ${message}` : message);
    return failure(c, 400, "bad_request", error.join("; "), found);
  }
  const isNew = host.supervisor.get(config.name) === undefined;
  const instance = host.supervisor.put(specOf(config));
  return c.json(pluginJson(instance), isNew ? 201 : 200);
}

/** The instance that the body describes, read like an entry of the configuration file: same keys, same messages. */
async function wanted(
  name: string,
  body: unknown,
  host: PluginHost,
): Promise<{ readonly config?: PluginConfig; readonly problems: readonly Problem[] }> {
  const wrong = (path: string, message: string) => ({
    problems: [{ origin: { kind: "default" } as const, path, message }],
  });
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return wrong("", "the body is no JSON object");
  }
  if ("name" in body && body.name !== name) return wrong("name", "is not that of the URL");
  const text = JSON.stringify({ plugins: [{ ...body, name }] });
  const { plugins: [config], problems } = readYaml(text, host.file);
  if (config === undefined) return { problems };
  if (config.module !== undefined && !host.modules.has(config.module)) {
    return wrong("module", "only modules that the configuration file names are loaded");
  }
  return { config, problems: [...problems, ...await checkPlugins([config], host.registry)] };
}
