/** Kinds of values that several shapes of the admin interface use. */
import { z } from "zod";

/** A number of things. */
export const count = (about: string) => z.int().min(0).describe(about);

/** A time, as ISO 8601 writes it. */
export const time = (about: string) =>
  z.string().refine(isTime, "expected a time like 2030-01-31T12:00:00Z")
    .meta({ format: "date-time", description: about });

function isTime(text: string): boolean {
  const written = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  return written && Number.isFinite(Date.parse(text));
}

/** An object that has exactly one of `keys`. Its other members are as declared. */
export function eitherOf<T extends z.ZodRawShape>(keys: readonly (keyof T & string)[], members: T) {
  return z.strictObject(members).refine(
    (value) => keys.filter((key) => Object.hasOwn(value, key)).length === 1,
    // Checked for every object, even if something else is wrong with it.
    { error: `give one of ${keys.join(", ")}`, when: ({ value }) => isObject(value) },
  ).meta({
    description: `Either ${keys.map((key) => `\`${key}\``).join(" or ")}.`,
    oneOf: keys.map((key) => ({ required: [key] })),
  });
}

const isObject = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
