/**
 * Checks a value against a shape and says in words what is wrong.
 *
 * @module
 */
import { z } from "zod";

/** Something that is wrong in a value. The path "" stands for all of it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** What is wrong with a value, one fault for each place. @param path Stands before the path of each fault. */
export function faultsOf(value: unknown, shape: z.ZodType, path = ""): Fault[] {
  const { error } = shape.safeParse(value, { error: messageOf });
  const faults = new Map<string, Fault>();
  for (const issue of error?.issues ?? []) {
    const keys = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [key]) : [[]];
    for (const key of keys) {
      const at = [...(path === "" ? [] : [path]), ...issue.path, ...key].join(".");
      if (!faults.has(at)) faults.set(at, { path: at, message: issue.message });
    }
  }
  return [...faults.values()];
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
};

const expectedType = (type: string) => `expected ${TYPE_NAMES[type] ?? type}`;

function messageOf(issue: z.core.$ZodRawIssue): string {
  const { input, schema } = issue as { input?: unknown; schema?: unknown };
  if (input === undefined) return "is missing";
  const wholeNumber = schema instanceof z.ZodNumber && schema.isInt;
  switch (issue.code) {
    case "unrecognized_keys":
      return "unknown key";
    case "invalid_value":
      return typeof input === "string"
        ? `expected one of ${issue.values.join(", ")}`
        : expectedType("string");
    case "invalid_format":
      return `expected something like ${issue.pattern?.slice(1, -1)}`;
    case "too_small":
    case "too_big": {
      if (schema instanceof z.ZodString) {
        return `expected ${schema.minLength ?? 0} to ${schema.maxLength ?? Infinity} characters`;
      }
      if (wholeNumber && !Number.isSafeInteger(input)) return expectedType("int");
      const { minValue, maxValue } = schema as z.ZodNumber;
      return `expected a number from ${minValue} to ${maxValue}`;
    }
    case "invalid_type":
      return expectedType(wholeNumber ? "int" : issue.expected);
    default:
      return issue.message ?? "is not as it should be";
  }
}
