/** What a browser has to fetch for the page: sizes of the built scripts and styles. */

/** One part of the page and all that comes with it. */
export interface PartSize {
  /** "page", "watch_view": the module it begins with. */
  readonly name: string;
  readonly bytes: number;
  /** As sent by a server that compresses. */
  readonly gzipBytes: number;
}

/** Parts that are loaded without another one. */
const ALONE = new Set(["page.js", "embed.js", "embed_frame.js"]);

/** Files that a script names in static imports. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].map(([, name]) => name!);
}

/**
 * Sizes by part. Each counts what it imports and the page itself does not; files that several parts share count in each.
 * What stands without the page counts all it imports.
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

/** What a page elsewhere loads for `<qumo-watch>` at most, minified and compressed. */
export const EMBED_LIMIT_BYTES = 112_000;

/** Complaints about parts that are too large. */
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
