/**
 * Makes HTML pages of the Markdown documents in `dist/site`, with `docs/README.md` as the index. They need no server: open
 * `dist/site/index.html`.
 */
import { Marked } from "marked";
import { say } from "../say.ts";

const TOP = new URL("../../", import.meta.url);

/** The anchor of a heading, as Markdown viewers make it: lower case, dashes for spaces, no punctuation. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
}

/** The page of the project's README, which stands above the documents. */
const ABOVE = "readme.html";

/**
 * Where a link of a document leads on the site: other documents become pages, the index `README.md` becomes `index.html`.
 * @param depth How many folders below `docs` the document is.
 * @returns `undefined` for a file of the project that is not on the site.
 */
export function pageOf(href: string, depth = 0): string | undefined {
  if (/^[a-z]+:/.test(href)) return href;
  const up = /^(?:\.\.\/)*/.exec(href)![0];
  if (up.length / 3 > depth) {
    const readme = /^README\.md(#.*)?$/.exec(href.slice(up.length));
    return readme === null ? undefined : `${up.slice(3)}${ABOVE}${readme[1] ?? ""}`;
  }
  return href.replace(/README\.md(?=#|$)/, "index.html").replace(/\.md(?=#|$)/, ".html");
}

/** The README as if it lay among the documents. */
export function amongDocuments(readme: string): string {
  return readme.replace(/\]\((?![a-z]+:|#)(docs\/)?/g, (_, inDocs) => inDocs ? "](" : "](../");
}

/**
 * One page of HTML.
 * @param markdown The document.
 * @param toIndex The relative URL of the index.
 */
export function page(markdown: string, toIndex: string): string {
  const depth = toIndex.split("/").length - 1;
  const title = /^#\s+(.*)$/m.exec(markdown)?.[1] ?? "qumo-relay";
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const id = anchorOf(text.replaceAll("`", ""));
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const [text, to] = [this.parser.parseInline(tokens), pageOf(href, depth)];
        if (to !== undefined) return `<a href="${escape(to)}">${text}</a>`;
        // A file of the project: its path says where it is.
        return `<span title="${escape(href.replace(/^(\.\.\/)+/, ""))}">${text}</span>`;
      },
      code({ text, lang }) {
        const code = `<pre><code>${escape(text)}</code></pre>\n`;
        // The site has no scripts, so nothing here can draw it.
        return lang === "mermaid" ? `<figure>\n${code}${DIAGRAM}</figure>\n` : code;
      },
    },
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} – qumo-relay</title>
<style>${STYLE}</style>
<nav><a href="${toIndex}">qumo-relay documentation</a></nav>
<main>
${marked.parse(markdown, { async: false })}</main>
</html>
`;
}

const DIAGRAM =
  "<figcaption>A diagram in Mermaid's language: each line is an arrow. GitHub draws it.</figcaption>\n";

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.6 system-ui, sans-serif; }
nav { padding: .75rem 1.5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
main { max-width: 62rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
a { color: light-dark(#0b57d0, #8ab4f8); }
pre { overflow-x: auto; padding: 1rem; border-radius: .5rem; background: color-mix(in srgb, currentColor 7%, transparent); }
code { font: .9em/1.5 ui-monospace, monospace; }
table { display: block; overflow-x: auto; border-collapse: collapse; }
td, th { padding: .35rem .75rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); text-align: left; vertical-align: top; }
figure { margin: 0; }
figcaption { font-size: .9em; opacity: .8; }
img { max-width: 100%; }
`;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Every file below a folder, as paths relative to it. */
async function* filesIn(folder: URL, prefix = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesIn(new URL(`${name}/`, folder), `${prefix}${name}/`);
    else yield prefix + name;
  }
}

/** Every file of the site by its path: HTML, or where to copy it from. */
export async function site(): Promise<Map<string, string | URL>> {
  const files = new Map<string, string | URL>();
  const docs = new URL("docs/", TOP);
  for await (const path of filesIn(docs)) {
    const from = new URL(path, docs);
    if (!path.endsWith(".md")) {
      files.set(path, from);
      continue;
    }
    const toIndex = "../".repeat(path.split("/").length - 1) + "index.html";
    files.set(pageOf(path)!, page(await Deno.readTextFile(from), toIndex));
  }
  const readme = await Deno.readTextFile(new URL("README.md", TOP));
  return files.set(ABOVE, page(amongDocuments(readme), "index.html"));
}

async function main(): Promise<void> {
  const top = new URL("dist/site/", TOP);
  await Deno.remove(top, { recursive: true }).catch(() => {});
  const files = await site();
  for (const [path, file] of files) {
    const target = new URL(path, top);
    await Deno.mkdir(new URL(".", target), { recursive: true });
    if (typeof file === "string") await Deno.writeTextFile(target, file);
    else await Deno.copyFile(file, target);
  }
  const pages = [...files.values()].filter((file) => typeof file === "string").length;
  say(`dist/site/index.html: ${pages} pages`);
}

if (import.meta.main) await main();
