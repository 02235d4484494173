/**
 * Shapes as JSON Schema (2020-12, as OpenAPI 3.1 takes it).
 *
 * @module
 */
import { z } from "zod";
import { SHAPES } from "./shapes.ts";

/** The keywords that the documents read. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

const NAMES = new Map<unknown, string>(
  Object.entries(SHAPES).map(([name, shape]) => [shape, name]),
);

/** The schema of each of {@link SHAPES}, by name. */
export const namedSchemas = (): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, written(shape)]));

/** A shape with a name becomes a reference, any other its schema. */
export function schemaOf(shape: z.ZodType): JsonSchema {
  const name = NAMES.get(shape);
  return name === undefined ? written(shape) : { $ref: refTo(name) };
}

const refTo = (name: string) => `#/components/schemas/${name}`;

function written(shape: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, {
    io: "input",
    override: ({ zodSchema, jsonSchema, path }) => {
      const name = path.length === 0 ? undefined : NAMES.get(zodSchema);
      if (name === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.$ref = refTo(name);
    },
  });
  return JSON.parse(JSON.stringify(schema), (_key, value) => plain(value));
}

// deno-lint-ignore no-explicit-any
type Json = any;

/** The same schema, with fewer keywords. */
function plain(node: Json): Json {
  if (typeof node !== "object" || node === null || Array.isArray(node)) return node;
  const { anyOf, propertyNames, additionalProperties, ...rest } = node;
  // A record: an object with any members.
  if (propertyNames !== undefined) return rest;
  // The bounds of JavaScript's whole numbers say nothing of ours.
  for (const end of ["minimum", "maximum"]) {
    if (Math.abs(rest[end]) === Number.MAX_SAFE_INTEGER) delete rest[end];
  }
  if (anyOf?.[1]?.type === "null") {
    return { ...rest, ...anyOf[0], type: [anyOf[0].type, "null"] };
  }
  return additionalProperties === undefined ? rest : { ...rest, additionalProperties };
}
