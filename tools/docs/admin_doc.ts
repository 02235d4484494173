/**
 * docs/admin-api.md, from the table that the admin interface is registered from.
 *
 * @module
 */
import { wrapped } from "../../config/example_yaml.ts";
import { item, table, WIDTH } from "./markdown.ts";
import { ERROR_CODES } from "../../admin/error_codes.ts";
import { type JsonSchema, namedSchemas, schemaOf } from "../../admin/json_schema.ts";
import type { AdminRoute } from "../../server/admin/routes/route.ts";
import { ADMIN_ROUTES } from "../../server/admin/routes/routes.ts";

const WHO = table(["`admin.address`", "Token", "Reading", "Changing"], [
  ["of this machine alone", "not set", "this machine", "this machine, no foreign web page"],
  ["of this machine alone", "set", "with the token", "with the token"],
  ["reached by others", "set", "with the token", "with the token"],
  ["the same, `admin.anonymous`", "not set", "all", "this machine, no foreign web page"],
  ["the same, without that", "not set", "the server does not start", ""],
]).join("\n");

const INTRO = `# Admin API

<!-- Made by \`deno task docs\` from server/admin; do not edit. -->

HTTP at \`admin.address\` (\`127.0.0.1:9090\` unless the [configuration](config.md#admin) says
otherwise), for all threads of the server together. \`GET /api/v1/openapi.json\` is the same as this
page for programs: OpenAPI 3.1, from which a client can be generated.

\`\`\`sh
curl -s http://127.0.0.1:9090/api/v1/sessions?root=rooms/1
curl -s -X DELETE 'http://127.0.0.1:9090/api/v1/sessions/7?reason=enough'
curl -s -X POST http://127.0.0.1:9090/api/v1/tokens/revoke --data '{"sub": "alice"}'
curl -s -X PUT http://127.0.0.1:9090/api/v1/log-level --data '{"level": "debug"}'
curl -s -H "Authorization: Bearer $(cat admin.token)" http://relay.internal:9090/api/v1/tracks
\`\`\`

## Who may ask

${WHO}

The token is \`admin.token_file\` (read anew whenever it is asked for, so it is replaced by replacing
the file) or \`admin.token\`, best as the environment variable \`QUMO_ADMIN_TOKEN\`; it is shown as
\`Authorization: Bearer TOKEN\`, also by \`qumo-relay top --token-file FILE\`. Health is open always. On
an address of this machine alone, requests have to name the machine by an address or as \`localhost\`,
so that no web page of another name gets through to it. Behind a reverse proxy on the same machine
everybody is this machine: set a token there.

Web pages read answers if their origin is in \`admin.cors_origins\`, or if they are the dashboard of
this very server. What the public port lets pages read is \`server.cors_origins\`.
`;

export function adminMarkdown(): string {
  const groups = Map.groupBy(ADMIN_ROUTES, ({ group }) => group);
  const out = [INTRO.trimEnd()];
  for (const [group, routes] of groups) out.push("", `## ${group}`, ...routes.flatMap(routeLines));
  const codes = Object.entries(ERROR_CODES).map(([code, about]) => [`\`${code}\``, about]);
  out.push(
    ...["", "## Errors", ""],
    ...wrapped(
      'Every error is JSON, `{"error": "…", "code": "…"}`; a bad request has `problems` too.',
      WIDTH,
    ),
    ...["", ...table(["Code", "Meaning"], codes), "", "## What is answered"],
  );
  for (const [name, schema] of Object.entries(namedSchemas())) {
    if (name === "Error") continue;
    out.push("", `### ${name}`, "", schema.description ?? "", "");
    out.push(...table(["Member", "Type", "Meaning"], members(schema)));
  }
  return out.join("\n") + "\n";
}

function routeLines(route: AdminRoute): string[] {
  const { method, path, summary, about, parameters = [], body, answers, access } = route;
  const said = [`${summary}.`, about, access === "change" ? "Changes something." : undefined];
  return [
    ...["", `### \`${method.toUpperCase()} ${path}\``, ""],
    ...wrapped(said.filter((words) => words !== undefined).join(" "), WIDTH),
    "",
    ...parameters.flatMap(({ name, in: place, about, shape }) =>
      item(`\`${name}\` (${place}, ${typeOf(schemaOf(shape))}): ${about}`)
    ),
    ...(body === undefined ? [] : item(`body: ${typeOf(schemaOf(body.shape))}`)),
    ...Object.entries(answers).flatMap(([status, { about, shape, type, orJson }]) => {
      const types = [type ?? shape, orJson].filter((one) => one !== undefined)
        .map((one) => typeof one === "string" ? one : typeOf(schemaOf(one)));
      return item(`${status}: ${about}${types.length === 0 ? "" : `; ${types.join(" or ")}`}`);
    }),
  ];
}

/** "a list of Track", "text or null". */
function typeOf(schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1)!;
    return `[${name}](#${name === "Error" ? "errors" : name.toLowerCase()})`;
  }
  const types = [schema.type ?? "anything"].flat();
  if (types[0] === "array") return `a list of ${typeOf(schema.items ?? {})}`;
  if (types[0] === "object" && schema.properties !== undefined) {
    const inside = Object.entries(schema.properties).map(([k, v]) => `\`${k}\`: ${typeOf(v)}`);
    return inside.length > 3 ? "object" : `{ ${inside.join(", ")} }`;
  }
  if (schema.enum !== undefined) return schema.enum.map((v) => `\`${v}\``).join(", ");
  const format = schema.format === "date-time" ? " (ISO 8601)" : "";
  return types.join(" or ") + format;
}

/** Every member, with those of lists and objects in it. */
function members(schema: JsonSchema, before = ""): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${before}${name}`;
    const row = [`\`${path}\``, typeOf(inner), inner.description ?? ""];
    const nested = inner.items ?? inner;
    const deeper = nested.properties === undefined
      ? []
      : members(nested, inner.items === undefined ? `${path}.` : `${path}[].`);
    return [row, ...deeper];
  });
}
