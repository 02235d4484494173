/**
 * Writes the documents that are made from the program, or with `--check` only tells which of them
 * are out of date (exit code 1).
 */
import { exampleYaml } from "../../config/example_yaml.ts";
import { docsMarkdown } from "./config_doc.ts";
import { metricsMarkdown } from "./metrics_doc.ts";
import { adminMarkdown } from "./admin_doc.ts";
import { apiMarkdown } from "./api_doc.ts";
import { architectureMarkdown } from "./architecture_doc.ts";
import { protocolMarkdown } from "./protocol_doc.ts";

/** A file that is made from the program. `path` starts at the top of the project. */
export interface GeneratedDocument {
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

export const DOCUMENTS: readonly GeneratedDocument[] = [
  { path: "configs/config.example.yaml", render: exampleYaml },
  { path: "docs/config.md", render: docsMarkdown },
  { path: "docs/metrics.md", render: metricsMarkdown },
  { path: "docs/admin-api.md", render: adminMarkdown },
  { path: "docs/api.md", render: apiMarkdown },
  { path: "docs/architecture.md", render: architectureMarkdown },
  { path: "docs/protocol.md", render: protocolMarkdown },
];

const placeOf = (document: GeneratedDocument) => new URL(`../../${document.path}`, import.meta.url);

/** Documents whose file differs from what the program says, or is absent. */
export async function outdated(): Promise<GeneratedDocument[]> {
  const stale: GeneratedDocument[] = [];
  for (const document of DOCUMENTS) {
    const written = await Deno.readTextFile(placeOf(document)).catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    // A checkout on Windows may have turned the line ends.
    if (written?.replaceAll("\r\n", "\n") !== await document.render()) stale.push(document);
  }
  return stale;
}

async function main(args: readonly string[]): Promise<number> {
  const stale = await outdated();
  if (args.includes("--check")) {
    const names = stale.map((document) => `  ${document.path}\n`).join("");
    if (stale.length > 0) say(`Out of date, run \`deno task docs\`:\n${names}`);
    return stale.length > 0 ? 1 : 0;
  }
  for (const document of stale) {
    await Deno.mkdir(new URL(".", placeOf(document)), { recursive: true });
    await Deno.writeTextFile(placeOf(document), await document.render());
    say(`wrote ${document.path}\n`);
  }
  return 0;
}

const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));

if (import.meta.main) Deno.exit(await main(Deno.args));
