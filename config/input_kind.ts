import type { z } from "zod";

/** How a text of a flag or an environment variable becomes a value of a file. */
export type InputKind = "text" | "number" | "boolean" | "list";

/** What lies inside a schema. */
export interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly defaultValue?: unknown;
}

export const definitionOf = (schema: z.ZodType) => schema.def as Definition;

/** The schema below its defaults, transforms and optionality. */
export function coreOf(schema: z.ZodType): z.ZodType {
  const { innerType, in: input } = definitionOf(schema);
  const inner = innerType ?? input;
  return inner ? coreOf(inner) : schema;
}

export function kindOf(schema: z.ZodType): InputKind {
  const { type } = definitionOf(coreOf(schema));
  if (type === "number" || type === "boolean") return type;
  return type === "array" ? "list" : "text";
}
