import assert from "node:assert/strict";
import { z } from "zod";
import { namedSchemas, schemaOf } from "./json_schema.ts";
import { count, eitherOf, time } from "./kinds.ts";
import { SHAPES } from "./shapes.ts";

Deno.test("schemaOf() writes a shape as a person would: null as a type, no bounds that JavaScript has anyway", () => {
  const shape = z.strictObject({
    size: count("How many.").nullable(),
    name: z.string().min(1).max(9).regex(/^a/).describe("Its name.").optional(),
    since: time("Since when."),
    options: z.record(z.string(), z.unknown()),
    on: z.boolean().default(true),
  });
  assert.deepEqual(schemaOf(shape), {
    type: "object",
    properties: {
      size: { type: ["integer", "null"], minimum: 0, description: "How many." },
      name: { type: "string", minLength: 1, maxLength: 9, pattern: "^a", description: "Its name." },
      since: { type: "string", format: "date-time", description: "Since when." },
      options: { type: "object" },
      on: { type: "boolean", default: true },
    },
    required: ["size", "since", "options"],
    additionalProperties: false,
  });
  const either = schemaOf(eitherOf(["a", "b"], { a: z.int().optional(), b: z.int().optional() }));
  assert.deepEqual(Object(either).oneOf, [{ required: ["a"] }, { required: ["b"] }]);
});

Deno.test("schemaOf() refers to a shape that has a name, wherever it stands", () => {
  const reference = { $ref: "#/components/schemas/Session" };
  assert.deepEqual(schemaOf(SHAPES.Session), reference);
  assert.deepEqual(schemaOf(z.array(SHAPES.Session)).items, reference);
  const { Session, SessionDetail } = namedSchemas();
  assert.equal(Session!.type, "object");
  assert.deepEqual(
    { ...SessionDetail!.properties, ...Session!.properties },
    SessionDetail!.properties,
  );
});
