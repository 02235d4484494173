/**
 * The OpenAPI document of the admin interface, made from the table of its routes.
 *
 * @module
 */
import { namedSchemas, schemaOf } from "../../admin/json_schema.ts";
import { SHAPES } from "../../admin/shapes.ts";
import { VERSION } from "../../base/version.ts";
import type { AdminAnswer, AdminRoute } from "./routes/route.ts";

/** An OpenAPI 3.1 document, as JSON. */
export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [key: string]: unknown;
}

export function openApi(routes: readonly AdminRoute[]): OpenApi {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "qumo-relay admin interface",
      version: VERSION,
      description:
        "What a running relay holds, and what can be changed while it runs. Served at `admin.address`.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The relay that answers this." }],
    security: [],
    tags: [...new Set(routes.map(({ group }) => group))].map((name) => ({ name })),
    paths,
    components: {
      schemas: namedSchemas(),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "`admin.token`, where one is set.",
        },
      },
    },
  };
}

function operation(route: AdminRoute): unknown {
  const { group, id, summary, about, access, parameters = [], body, answers } = route;
  return {
    tags: [group],
    operationId: id,
    summary,
    ...(about === undefined ? {} : { description: about }),
    // Where no token is set, none is needed.
    ...(access === "open" ? {} : { security: [{ token: [] }, {}] }),
    ...(parameters.length === 0 ? {} : {
      parameters: parameters.map(({ name, in: place, about, shape }) => ({
        name,
        in: place,
        required: place === "path",
        description: about,
        schema: schemaOf(shape),
      })),
    }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemaOf(body.shape) } },
      },
    }),
    responses: Object.fromEntries(
      Object.entries({ ...answers, ...errorsOf(route) })
        .map(([status, answer]) => [status, response(answer)]),
    ),
  };
}

/** The errors that every route of this kind may answer with. */
function errorsOf({ access, parameters = [], body }: AdminRoute): Record<number, AdminAnswer> {
  const error = (about: string): AdminAnswer => ({ about, shape: SHAPES.Error });
  return {
    ...(parameters.length === 0 && body === undefined
      ? {}
      : { 400: error("the path, the query or the body is not as it should be") }),
    ...(access === "open" ? {} : { 401: error("a token is set, and this is not it") }),
    ...(access === "change"
      ? { 403: error("without a token only this machine may, and no foreign page") }
      : {}),
    ...(body === undefined ? {} : { 413: error("the body is too large") }),
    421: error("on a loopback address: name this machine by its address, or as localhost"),
    500: error("a fault of the server's"),
  };
}

function response({ about, shape, type = "application/json", orJson }: AdminAnswer): unknown {
  const content = {
    ...(shape === undefined ? {} : { [type]: { schema: schemaOf(shape) } }),
    ...(orJson === undefined ? {} : { "application/json": { schema: schemaOf(orJson) } }),
  };
  return { description: about, ...(Object.keys(content).length === 0 ? {} : { content }) };
}
