/** The parts of docs/architecture.md that are made: which folder imports which, and the list of decisions. */
import { item, table } from "./markdown.ts";
import { BROWSER_SAFE, MAY_IMPORT, MAY_USE, ONLY_FROM, TYPES_ONLY } from "../arrows.ts";
import { ROOT } from "../module_graph.ts";
import { type Marks, withPart } from "./marked_part.ts";

const marks = (name: string, source: string): Marks => ({
  begin: `<!-- ${name}: made by \`deno task docs\` from ${source}; do not edit -->`,
  end: `<!-- end of ${name} -->`,
});

/** docs/architecture.md with its made parts as they should be. @throws {Error} It has lost a mark. */
export async function architectureMarkdown(): Promise<string> {
  const written = await Deno.readTextFile(`${ROOT}docs/architecture.md`);
  const parts: readonly (readonly [Marks, string])[] = [
    [marks("diagram of the arrows", "tools/arrows.ts"), diagram(MAY_IMPORT)],
    [marks("table of the arrows", "tools/arrows.ts"), arrowsTable().join("\n")],
    [marks("list of decisions", "docs/adr"), (await decisions()).join("\n")],
  ];
  return parts.reduce(
    (text, [where, part]) => withPart(text, where, part),
    written.replaceAll("\r\n", "\n"),
  );
}

type Arrows = Readonly<Record<string, readonly string[]>>;

/**
 * The arrows as a Mermaid flowchart. A dotted arrow stands for single files. An arrow that follows from solid ones is left
 * out, or nobody could read the diagram.
 */
export function diagram(arrows: Arrows): string {
  const folders = Object.keys(arrows);
  const inFolder = (to: string) => folders.find((f) => to === f || to.startsWith(`${f}/`)) ?? [];
  const next = new Map(folders.map((f) => [f, new Set(arrows[f]!.flatMap(inFolder))]));
  const below = (from: string, found = new Set<string>()): Set<string> => {
    const whole = arrows[from]!.filter((to) => next.has(to));
    for (const to of whole) if (!found.has(to)) below(to, found.add(to));
    return found;
  };
  const lines = folders.flatMap((from) => {
    const direct = [...next.get(from)!];
    return direct.filter((to) => !direct.some((other) => other !== to && below(other).has(to)))
      .map((to) => `  ${from} ${arrows[from]!.includes(to) ? "-->" : "-.->"} ${to}`);
  });
  return ["```mermaid", "flowchart TD", ...lines, "```"].join("\n");
}

/** Every folder: what it may import of the project and of npm, and whether it runs in a browser. */
function arrowsTable(): string[] {
  const packages = (folder: string) =>
    Object.entries(MAY_USE).flatMap(([where, names]) => {
      if (where === folder) return [code(names)];
      return where.startsWith(`${folder}/`) ? [`${code(names)} in \`${where}\``] : [];
    }).join("; ");
  const rows = Object.entries(MAY_IMPORT).map(([folder, files]) => [
    code([folder]),
    code(files),
    packages(folder),
    BROWSER_SAFE.has(folder) ? "yes" : "",
  ]);
  return [
    ...table(["Folder", "May import", "npm packages", "Browser-safe"], rows),
    "",
    ...Object.entries(ONLY_FROM).flatMap(([own, importers]) =>
      item(`Only ${code(importers)} may import ${code([own])}.`)
    ),
    ...Object.entries(TYPES_ONLY).flatMap(([folder, from]) =>
      item(`${code([folder])} may import only types from ${code(from)}.`)
    ),
  ];
}

const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

/** The decisions by number, each by the heading of its file. @throws {Error} A file has no heading or a number not its own. */
async function decisions(): Promise<string[]> {
  const names = [...Deno.readDirSync(`${ROOT}docs/adr`)].map(({ name }) => name).sort();
  return await Promise.all(names.map(async (name) => {
    const [, title] = /^# (\d+\. .+)$/m.exec(await Deno.readTextFile(`${ROOT}docs/adr/${name}`)) ??
      [];
    if (title === undefined || parseInt(title) !== parseInt(name)) {
      throw new Error(`docs/adr/${name} has to begin with "# ${parseInt(name)}. Its title"`);
    }
    return `- [${title}](adr/${name})`;
  }));
}
