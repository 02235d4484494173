import { QumoError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { masked } from "../base/masking.ts";

/** The source of a value. Lines and columns count from 1. */
export type Origin =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "flag"; readonly name: string };

/** "configs/config.yaml:3:5", "QUMO_LOGGING_LEVEL", "--logging.level" or "default". */
export function placeOf(origin: Origin): string {
  if (origin.kind === "default") return "default";
  return origin.kind === "file" ? `${origin.file}:${origin.line}:${origin.column}` : origin.name;
}

/** One problem of a configuration. */
export interface Problem {
  readonly origin: Origin;
  /** The key as it was written: "server.adress". Empty when the text cannot be parsed. */
  readonly path: string;
  /** What is wrong and what is expected, without tokens. */
  readonly message: string;
}

/** Logs problems that do not stop the program. @param what What each of them leads to. */
export function logProblems(log: Logger, what: string, problems: readonly Problem[]): void {
  for (const { origin, path, message } of problems) {
    log.warn(what, { at: placeOf(origin), key: path, reason: message });
  }
}

/** A configuration cannot be used. The message lists every problem, one per line. */
export class ConfigError extends QumoError {
  readonly code = "QUMO_CONFIG_INVALID";

  /** @param source The name of the file, or "the configuration". */
  constructor(
    readonly source: string,
    readonly problems: readonly Problem[],
    options?: ErrorOptions,
  ) {
    super(textOf(source, problems), options);
  }
}

function textOf(source: string, problems: readonly Problem[]): string {
  // A file that cannot be read has one problem without a place.
  if (problems.length === 1 && problems[0]!.origin.kind === "default") {
    return `Cannot use ${source}: ${problems[0]!.message}`;
  }
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map(({ origin, path, message }) =>
    `  ${placeOf(origin)}  ${path ? `${path}: ` : ""}${message}`
  );
  return [`Cannot use ${source}: ${count}`, ...lines].join("\n");
}

/** A value for an error message or a listing: short, and without tokens. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  const text = typeof value === "string" ? JSON.stringify(masked(value)) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Problems in the order of the file, then the others. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const position = ({ origin }: Problem) =>
    origin.kind === "file" ? origin.line * 1e6 + origin.column : Infinity;
  return problems.toSorted((a, b) => {
    const [x, y] = [position(a), position(b)];
    return x === y ? 0 : x - y;
  });
}
