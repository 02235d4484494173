import { parseArgs } from "node:util";
import { UsageError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";

/** One flag of a command. */
export interface FlagSpec {
  /** "switch" stands alone, "text" takes a value. */
  readonly kind: "switch" | "text";
  /** One letter: "c" for `-c`. */
  readonly short?: string;
  /** What the help calls the value: "FILE". */
  readonly value?: string;
  /** Values it has, where they are few; only for completion. */
  readonly choices?: readonly string[];
  readonly about: string;
}

type FlagExtra = Pick<FlagSpec, "short" | "choices">;

/** A flag that takes a value, which the help calls `value`. */
export function textFlag(value: string, about: string, extra: FlagExtra = {}) {
  return { kind: "text", value, about, ...extra } as const;
}

/** A flag that stands alone. */
export function switchFlag(about: string, extra: FlagExtra = {}) {
  return { kind: "switch", about, ...extra } as const;
}

/** Flags by name, without dashes. */
export type FlagTable = Readonly<Record<string, FlagSpec>>;

type ValueOf<S extends FlagSpec> = S["kind"] extends "switch" ? true : string;

export interface ParsedArgs<F extends FlagTable> {
  /** Only what was really given: a flag has no default here, so that it never hides a file's value. */
  readonly flags: { readonly [K in keyof F]?: ValueOf<F[K]> };
  readonly operands: readonly string[];
}

export interface ArgsOptions {
  /** Names of the operands, for messages and as their greatest number: ["URL"]. */
  readonly operands?: readonly string[];
}

/**
 * Reads the arguments of one command: `--flag VALUE`, `--flag=VALUE`, `-flag VALUE`, `-f VALUE`.
 * Dashes and underscores in a name are the same; `--` ends the flags.
 *
 * @throws {UsageError} For a flag that is not in the table, a value too many or too few.
 */
export function parseFlags<const F extends FlagTable>(
  args: readonly string[],
  table: F,
  options: ArgsOptions = {},
): ParsedArgs<F> {
  const { tokens } = parseArgs({
    args: args.map((arg, i) => args.slice(0, i).includes("--") ? arg : canonical(arg, table)),
    options: Object.fromEntries(
      Object.entries(table).map(([name, spec]) => [name, {
        type: spec.kind === "text" ? "string" as const : "boolean" as const,
        ...(spec.short === undefined ? {} : { short: spec.short }),
      }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags: Record<string, string | true> = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option") flags[token.name] = valueOf(token, table);
    if (token.kind === "positional") operands.push(token.value);
  }
  const allowed = options.operands?.length ?? 0;
  if (operands.length > allowed) {
    throw new UsageError(`Unexpected argument "${operands[allowed]}"`);
  }
  return { flags: flags as ParsedArgs<F>["flags"], operands };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function valueOf(token: OptionToken, table: FlagTable): string | true {
  const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
  if (!spec) throw new UsageError(unknownFlag(token, table));
  if (spec.kind === "switch") {
    if (token.value !== undefined) throw new UsageError(`--${token.name} takes no value`);
    return true;
  }
  const swallowedFlag = !token.inlineValue && token.value?.startsWith("--");
  if (token.value === undefined || swallowedFlag) {
    const name = spec.value ?? "VALUE";
    throw new UsageError(`--${token.name} needs a value: --${token.name} ${name}`);
  }
  return token.value;
}

function unknownFlag({ name, rawName }: OptionToken, table: FlagTable): string {
  const known = Object.keys(table);
  // "--address" is the tail of "--server.address".
  const tail = known.find((flag) => flag.endsWith(`.${name.replaceAll("-", "_")}`));
  const near = tail ?? (name.length > 1 ? nearest(name, known) : undefined);
  return `Unknown flag ${rawName}${near === undefined ? "" : `; did you mean --${near}?`}`;
}

/** Turns `-config` and `--relay.group-cache-size` into the name of the table, and leaves the rest. */
function canonical(arg: string, table: FlagTable): string {
  const match = /^--?([a-z][\w.-]+)(=.*)?$/is.exec(arg);
  if (!match) return arg;
  const plain = (name: string) => name.replaceAll("-", "_");
  const name = Object.keys(table).find((known) => plain(known) === plain(match[1]!));
  return name === undefined ? arg : `--${name}${match[2] ?? ""}`;
}

/** The list of flags in a help text, one a line, their descriptions filled to `width` columns. */
export function describeFlags(table: FlagTable, width = 100): string {
  const names = Object.entries(table).map(([name, spec]) => {
    const short = spec.short === undefined ? "    " : `-${spec.short}, `;
    const value = spec.kind === "text" ? ` ${spec.value ?? "VALUE"}` : "";
    return { left: `  ${short}--${name}${value}`, about: spec.about };
  });
  const column = Math.min(40, Math.max(...names.map(({ left }) => left.length)) + 2);
  return names.flatMap(({ left, about }) => {
    const lines = filled(about, width - column);
    const indent = " ".repeat(column);
    return left.length + 2 > column
      ? [left, ...lines.map((line) => indent + line)]
      : [left.padEnd(column) + lines[0], ...lines.slice(1).map((line) => indent + line)];
  }).join("\n");
}

function filled(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}
