import type { z } from "zod";
import type { Notes } from "./fields.ts";
import { kindOf } from "./input_kind.ts";
import { shown } from "./problems.ts";
import { didYouMean } from "../base/suggest.ts";

/** "expected one of debug, info, warn, error, got "inof"; did you mean info?" */
export function complaint(notes: Notes, schema: z.ZodType, value: unknown): string {
  const words = notes.expects.replace(/^(one of|a list of) /, "");
  const choices = words === notes.expects ? [] : words.split(", ");
  const wrong = Array.isArray(value) && kindOf(schema) === "list"
    ? value.find((item) => !schema.safeParse([item]).success)
    : value;
  const meant = typeof wrong === "string" ? didYouMean(wrong, choices) : "";
  const how = notes.hint === undefined ? "" : `; ${notes.hint}`;
  const none = value === undefined || (wrong === undefined && Array.isArray(value));
  const got = none ? "none" : notes.secret === true ? "something else" : shown(wrong);
  return `expected ${notes.expects}, got ${got}${meant}${how}`;
}
