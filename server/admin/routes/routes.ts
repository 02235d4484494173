/**
 * All routes of the admin interface.
 *
 * @module
 */
import { z } from "zod";
import { CLUSTER_ROUTES } from "./cluster_routes.ts";
import { HOOK_ROUTES } from "./hook_routes.ts";
import { type OpenApi, openApi } from "../openapi.ts";
import { PLUGIN_ROUTES } from "./plugin_routes.ts";
import type { AdminRoute } from "./route.ts";
import { SERVER_ROUTES } from "./server_routes.ts";
import { SESSION_ROUTES } from "./session_routes.ts";

/** Made when it is first asked for: that takes some milliseconds. */
let description: OpenApi | undefined;

const DESCRIPTION: AdminRoute = {
  method: "get",
  path: "/api/v1/openapi.json",
  id: "getOpenApi",
  group: "Server",
  access: "read",
  summary: "Describe this interface (OpenAPI 3.1)",
  answers: {
    200: {
      about: "the description",
      shape: z.record(z.string(), z.unknown()).meta({ required: ["openapi", "info", "paths"] }),
    },
  },
  handle: ({ c }) => c.json(description ??= openApi(ADMIN_ROUTES)),
};

export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...SESSION_ROUTES,
  ...CLUSTER_ROUTES,
  ...PLUGIN_ROUTES,
  ...HOOK_ROUTES,
  ...SERVER_ROUTES,
  DESCRIPTION,
];
