/**
 * How a plugin declares its options: with the builders of `config/fields.ts`. Durations, sizes and URLs are written and
 * refused as in the rest of the configuration.
 *
 * @module
 */
import { z } from "zod";
import { complaint } from "../config/complaint.ts";
import { type Notes, notes } from "../config/fields.ts";
import { coreOf, definitionOf } from "../config/input_kind.ts";
import { shown } from "../config/problems.ts";
import { nearest } from "../base/suggest.ts";
import { type OptionProblem, PluginOptionsWrong } from "./errors.ts";

/** The options of a plugin. */
export interface PluginOptions<T = unknown> {
  /** JSON schema of what a configuration may say, for `qumo-relay plugins describe`. */
  readonly schema: Readonly<Record<string, unknown>>;
  /**
   * Checks what a configuration says, and does nothing else.
   * @returns By the names of the program: `retry_after` of a file is `retryAfter`.
   * @throws {PluginOptionsWrong} With every problem at once.
   */
  read(given: unknown): T;
}

/** Builders of `config/fields.ts` by key; zod is written around them for a list or a map of several. */
export type OptionShape = Readonly<Record<string, z.ZodType>>;
/** `retry_after` is `retryAfter`. */
type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}`
  : S;
/** The type of options that a shape declares, as they are read. */
export type OptionsOf<S extends OptionShape> = {
  readonly [K in keyof S as Camel<K & string>]: z.output<S[K]>;
};

/** Finds what is wrong with options that are right one by one. */
export type OptionCheck<T> = (read: T) => readonly OptionProblem[];

/** Declares options. */
export function options<S extends OptionShape>(
  shape: S,
  check: OptionCheck<OptionsOf<S>> = () => [],
): PluginOptions<OptionsOf<S>> {
  const schema = z.strictObject(shape);
  return {
    get schema() {
      return jsonSchema(schema);
    },
    read(given) {
      const value = given ?? {};
      // "key:" with nothing behind it counts as absent.
      const result = schema.safeParse(isMap(value) ? withoutNulls(value) : value);
      if (!result.success) {
        throw new PluginOptionsWrong(
          result.error.issues.flatMap((i) => problemsOf(i, schema, value)),
        );
      }
      const camel = Object.entries(result.data).map(([key, v]) => [camelOf(key), v]);
      const read = Object.fromEntries(camel) as OptionsOf<S>;
      const problems = check(read);
      if (problems.length > 0) throw new PluginOptionsWrong(problems);
      return read;
    },
  };
}

const camelOf = (key: string) => key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const withoutNulls = (map: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));

function problemsOf(issue: z.core.$ZodIssue, root: z.ZodType, given: unknown): OptionProblem[] {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(definitionOf(coreOf(descend(root, path).at(-1)!)).shape ?? {});
    return issue.keys.map((key) => ({
      path: [...path, key],
      key: true,
      message: unknownKey(key, known),
    }));
  }
  // The innermost schema on the way that a builder made knows what to say.
  const schemas = descend(root, path);
  for (let depth = schemas.length - 1; depth >= 0; depth--) {
    const note: Notes | undefined = notes.get(schemas[depth] as never);
    if (note === undefined) continue;
    const at = path.slice(0, depth);
    return [{ path: at, message: complaint(note, schemas[depth]!, valueAt(given, at)) }];
  }
  const shape = definitionOf(coreOf(schemas.at(-1)!)).shape;
  const message = shape === undefined
    ? issue.message
    : `expected a map with ${Object.keys(shape).join(", ")}, got ${shown(valueAt(given, path))}`;
  return [{ path, message }];
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `unknown key; did you mean "${near}"?`;
  return known.length === 0
    ? "unknown key; none is known"
    : `unknown key; known here: ${known.join(", ")}`;
}

/** The schemas on the way from the root to a place, as far as they are known. */
function descend(root: z.ZodType, path: readonly (string | number)[]): z.ZodType[] {
  const found = [root];
  for (const part of path) {
    const { element, shape } = definitionOf(coreOf(found.at(-1)!));
    const next = typeof part === "number" ? element : shape?.[part];
    if (next === undefined) break;
    found.push(next);
  }
  return found;
}

function valueAt(given: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<string, unknown>)?.[part], given);
}

/** What a file may say, with the words of the builders under `expects`. */
function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const note: Notes | undefined = notes.get(zodSchema as never);
      if (note === undefined) return;
      Object.assign(jsonSchema, { expects: note.expects });
      if (note.example !== undefined) Object.assign(jsonSchema, { examples: [note.example] });
      if (note.secret === true) Object.assign(jsonSchema, { writeOnly: true });
    },
  });
  return rest;
}
