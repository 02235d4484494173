/** The sizes of the built scripts and styles, which a browser has to fetch for the page. */

/** One part of the page with everything it loads. */
export interface PartSize {
  /** "page", "watch_view": its first module. */
  readonly name: string;
  readonly bytes: number;
  /** Compressed, as a server sends it. */
  readonly gzipBytes: number;
}

/** Parts that are loaded without another one. */
const ALONE = new Set(["page.js", "embed.js", "embed_frame.js"]);

/** Files that a script names in static imports. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].map(([, name]) => name!);
}

/**
 * Sizes by part. Each counts its imports, except those of the page itself. Files that several parts share count in each.
 * A part that is loaded without the page counts all its imports.
 *
 * @param sources The built scripts by file name; "page.js" is the page, "embed.js" and "embed_frame.js" stand without it.
 */
export async function partSizes(sources: ReadonlyMap<string, string>): Promise<PartSize[]> {
  const reach = (name: string, seen = new Set<string>()) => {
    if (seen.has(name) || !sources.has(name)) return seen;
    seen.add(name);
    for (const next of importsOf(sources.get(name)!)) reach(next, seen);
    return seen;
  };
  const page = reach("page.js");
  const parts = [...sources.keys()].filter((name) => !name.startsWith("chunk-")).sort();
  return await Promise.all(parts.map(async (part) => {
    const files = [...reach(part)].filter((name) => ALONE.has(part) || !page.has(name));
    const sizes = await Promise.all(files.map((name) => gzipSize(sources.get(name)!)));
    return {
      name: part.replace(/(-[A-Z0-9]{8})?\.js$/, ""),
      bytes: files.reduce(
        (sum, name) => sum + new TextEncoder().encode(sources.get(name)).length,
        0,
      ),
      gzipBytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  }));
}

/** The most that another site's page loads for `<qumo-watch>`, minified and compressed. */
export const EMBED_LIMIT_BYTES = 112_000;

/** A message for each part that is too large. */
export function tooLarge(sizes: readonly PartSize[], limitBytes = EMBED_LIMIT_BYTES): string[] {
  return sizes.filter(({ name, gzipBytes }) => name === "embed" && gzipBytes > limitBytes)
    .map(({ gzipBytes }) => `embed.js weighs ${gzipBytes} bytes, at most ${limitBytes}`);
}

/** Sizes of the parts that were built into a folder. */
export async function builtSizes(folder: string): Promise<PartSize[]> {
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".js")) sources.set(name, await Deno.readTextFile(folder + name));
  }
  return await partSizes(sources);
}

/** One line for each part of the page that was built into a folder. */
export async function sizeTable(folder: string): Promise<string[]> {
  const css = await Deno.readTextFile(`${folder}page.css`);
  const styles = { name: "page.css", bytes: css.length, gzipBytes: await gzipSize(css) };
  return [...await builtSizes(folder), styles].map(({ name, bytes, gzipBytes }) =>
    `${name.padEnd(16)}${kb(bytes)}${kb(gzipBytes)} gzip`
  );
}

const kb = (bytes: number) => `${(bytes / 1000).toFixed(1).padStart(9)} kB`;

async function gzipSize(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}
