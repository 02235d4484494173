/**
 * Answers of the admin interface beside their description.
 *
 * @module
 */
import assert from "node:assert/strict";
import { registerSchema, type SchemaObject, validate } from "@hyperjump/json-schema/openapi-3-1";
import type { OpenApi } from "../../server/admin/openapi.ts";

/** Of the schemas in an OpenAPI document. */
const DIALECT = "https://spec.openapis.org/oas/3.1/dialect/base";

/** Holds answers against the OpenAPI document that describes them. */
export class Described {
  readonly #uri = `https://qumo.example/${crypto.randomUUID()}`;
  constructor(readonly document: OpenApi) {
    registerSchema(JSON.parse(JSON.stringify(document)) as SchemaObject, this.#uri, DIALECT);
  }

  /** @throws {assert.AssertionError} The answer is not as described. */
  async fits(method: string, path: string, response: Response): Promise<void> {
    const operation = this.document.paths[path]?.[method] as {
      responses: Record<string, { content?: Record<string, unknown> }>;
    };
    const described = operation?.responses[response.status];
    const what = `${method} ${path} ${response.status}`;
    assert.ok(described !== undefined, `${what} is not described`);
    const text = await response.text();
    const type = (response.headers.get("content-type") ?? "").split(";")[0]!;
    if (described.content === undefined) return assert.equal(text, "", what);
    assert.ok(Object.hasOwn(described.content, type), `${what}: ${type} is not described`);
    if (type !== "application/json") return;
    const place = ["paths", path, method, "responses", response.status, "content", type, "schema"]
      .map((part) => encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1")))
      .join("/");
    const output = await validate(`${this.#uri}#/${place}`, JSON.parse(text), "BASIC");
    assert.ok(output.valid, `${what}: ${text}\n${JSON.stringify(output)}`);
  }
}
