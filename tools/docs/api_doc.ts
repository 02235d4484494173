/** Makes docs/api.md, the reference of the client library, from what `deno doc` reads in its source. */
import { ROOT } from "../module_graph.ts";
import {
  type FunctionJson,
  printProperty,
  printSignature,
  printType,
  type PropertyJson,
  type TypeJson,
} from "./api_types.ts";

interface DocJson {
  readonly doc?: string;
  readonly tags?: readonly {
    readonly kind: string;
    readonly name?: string;
    readonly doc?: string;
    readonly tsType?: TypeJson;
  }[];
}
interface MemberJson extends PropertyJson {
  readonly jsDoc?: DocJson;
  readonly kind?: string;
  readonly isStatic?: boolean;
  readonly accessibility?: string;
  readonly functionDef?: FunctionJson;
  readonly params?: FunctionJson["params"];
  readonly returnType?: TypeJson;
}
interface DefJson extends FunctionJson {
  readonly isAbstract?: boolean;
  readonly extends?: string | readonly TypeJson[];
  readonly implements?: readonly TypeJson[];
  readonly constructors?: readonly MemberJson[];
  readonly properties?: readonly MemberJson[];
  readonly methods?: readonly MemberJson[];
}
interface SymbolJson {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly jsDoc?: DocJson;
    readonly def: DefJson;
  }[];
}

const KINDS = [
  ["function", "Functions"],
  ["class", "Classes"],
  ["interface", "Interfaces"],
  ["typeAlias", "Types"],
  ["variable", "Values"],
] as const;

/** The whole document. @throws {Error} `deno doc` failed. */
export async function apiMarkdown(): Promise<string> {
  const [library, objects] = [await read("client/mod.ts"), await read("client/objects/mod.ts")];
  const names = new Set([...library.symbols, ...objects.symbols].map(({ name }) => name));
  const parts = ["# The client library", prose(library.module_doc, names)];
  for (const [kind, title] of KINDS) {
    const entries = entriesOf(kind, library.symbols, names);
    if (entries.length > 0) parts.push(`## ${title}`, ...entries);
  }
  parts.push("## Objects and subgroups", prose(objects.module_doc, names));
  for (const [kind] of KINDS) parts.push(...entriesOf(kind, objects.symbols, names));
  return await deno(["fmt", "--ext", "md", "-"], parts.join("\n\n"));
}

interface ModuleJson {
  readonly module_doc: DocJson;
  readonly symbols: readonly SymbolJson[];
}

/** What `deno doc` reads in one file. @throws {Error} It failed. */
async function read(file: string): Promise<ModuleJson> {
  const out = await deno(["doc", "--json", file]);
  const { nodes } = JSON.parse(out) as { nodes: Record<string, ModuleJson> };
  return Object.values(nodes)[0]!;
}

/** The entries of one kind, by name. */
function entriesOf(
  kind: typeof KINDS[number][0],
  symbols: readonly SymbolJson[],
  names: ReadonlySet<string>,
): string[] {
  return symbols.filter(({ declarations }) => declarations[0]!.kind === kind)
    .toSorted((a, b) => a.name < b.name ? -1 : 1).map((one) => entry(one, names));
}

async function deno(args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args: [...args], cwd: ROOT, env: { NO_COLOR: "1" } },
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (!success) throw new Error(`deno ${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

function entry({ name, declarations }: SymbolJson, names: ReadonlySet<string>): string {
  const { kind, jsDoc, def } = declarations[0]!;
  const members = [
    ...(def.constructors ?? []).map((one) => ({ ...one, name: "new " + name })),
    ...def.properties ?? [],
    ...def.methods ?? [],
  ].filter((one) => !isInternal(one));
  return [
    `### ${name}`,
    "```ts\n" + head(name, kind, def) + "\n```",
    prose(jsDoc, names),
    members.map((one) => member(one, names)).join("\n"),
  ].filter((part) => part !== "").join("\n\n");
}

function head(name: string, kind: string, def: DefJson): string {
  const list = (types: readonly TypeJson[] | undefined) => (types ?? []).map(printType).join(", ");
  switch (kind) {
    case "function":
      return `function ${name}${printSignature(def)}`;
    case "typeAlias":
      return `type ${name} = ${printType(def.tsType!)}`;
    case "variable":
      return `const ${name}${def.tsType ? `: ${printType(def.tsType)}` : ""}`;
  }
  const base = typeof def.extends === "string" ? def.extends : list(def.extends);
  const abstract = def.isAbstract ? "abstract " : "";
  const implemented = list(def.implements);
  return `${abstract}${kind} ${name}` + (base ? ` extends ${base}` : "") +
    (implemented ? ` implements ${implemented}` : "");
}

/** One line of a list: its signature, then what it does. */
function member(one: MemberJson, names: ReadonlySet<string>): string {
  const callable = one.functionDef ?? (one.params ? one as FunctionJson : undefined);
  const before = one.isStatic ? "static " : "";
  const signature = one.kind === "getter"
    ? `get ${one.name}: ${printType(one.functionDef!.returnType!)}`
    : callable
    ? one.name + printSignature(callable)
    : printProperty(one);
  const text = prose(one.jsDoc, names).replaceAll("\n", "\n  ");
  return `- \`${before}${signature}\`` + (text ? `\n\n  ${text}\n` : "");
}

function isInternal({ jsDoc, accessibility, name }: MemberJson): boolean {
  if (accessibility === "private" || accessibility === "protected") return true;
  const tags = jsDoc?.tags ?? [];
  return name.startsWith("[Symbol.") || tags.some(({ kind }) => kind === "internal");
}

/** A comment as Markdown: links between symbols, and its tags as sentences. */
function prose(jsDoc: DocJson | undefined, names: ReadonlySet<string>): string {
  const lines = [spread(jsDoc?.doc ?? "")];
  for (const { kind, name, doc, tsType } of jsDoc?.tags ?? []) {
    const text = doc ? ` ${spread(doc)}` : "";
    if (kind === "param") lines.push(`- \`${name}\`:${text}`);
    else if (kind === "return") lines.push(`Returns:${text}`);
    else if (kind === "throws") {
      const what = tsType ? ` {@link ${printType(tsType)}}` : "";
      lines.push(`Throws${what}${text === "" || text.startsWith(" Throws") ? "." : ":"}${text}`);
    }
  }
  return lines.filter((line) => line !== "").join("\n\n")
    .replace(
      /\{@link (\w+)((?:\.\w+)*)\}/g,
      (_, name, rest) =>
        names.has(name) ? `[\`${name}${rest}\`](#${name.toLowerCase()})` : `\`${name}${rest}\``,
    )
    .trim();
}

/** Splits several `@throws` of one line, which `deno doc` reads as one. */
function spread(text: string): string {
  return text.replace(/\s*@throws \{(\w+)\}/g, " Throws {@link $1}:")
    .replace(/\s*@throws /g, " Throws: ")
    .replace(/:(?=\s*(Throws|$))/g, ".").trim();
}
