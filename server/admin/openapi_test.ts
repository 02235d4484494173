import assert from "node:assert/strict";
import { validate } from "@hyperjump/json-schema/openapi-3-1";
import { jsonOf, RelayUnderTest } from "../../tests/support/fixtures/http.ts";
import { SHAPES } from "../../admin/shapes.ts";
import { adminApp } from "./admin_http.ts";
import { openApi } from "./openapi.ts";
import { ADMIN_ROUTES } from "./routes/routes.ts";

const META = "https://spec.openapis.org/oas/3.1/schema-base";

Deno.test("The description is OpenAPI 3.1, every reference in it leads somewhere, every id is unique", async () => {
  const document = JSON.parse(JSON.stringify(openApi(ADMIN_ROUTES)));
  const output = await validate(META, document, "BASIC");
  assert.ok(output.valid, JSON.stringify(output));
  const broken = await validate(META, { ...document, paths: { "no-slash": {} } });
  assert.ok(!broken.valid);
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(Object.hasOwn(SHAPES, name!), name);
  }
  const ids = ADMIN_ROUTES.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("/api/v1/openapi.json describes exactly the paths and methods that are served", async () => {
  await using under = new RelayUnderTest();
  const app = adminApp(under.view());
  const { paths } = await jsonOf(app.request("/api/v1/openapi.json"));
  const served = app.routes.filter(({ method, path }) =>
    method !== "ALL" && method !== "OPTIONS" && path !== "/*"
  ).map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`);
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations as object).map((method) => `${method} ${path}`)
  );
  assert.deepEqual([...new Set(served)].sort(), described.sort());
});
