/**
 * Makes HTML pages of the Markdown documents: `dist/site`, with `docs/README.md` as its index. Needs no server: open
 * `dist/site/index.html`.
 */
import { Marked } from "marked";
import { say } from "./say.ts";

const TOP = new URL("../", import.meta.url);

/** The anchor of a heading, as Markdown viewers make it: lower case, dashes for spaces, no punctuation. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
}

/** Where a link of a document leads on the site: other documents become pages, the index `README.md` becomes `index.html`. */
export function pageOf(href: string): string {
  if (/^[a-z]+:/.test(href)) return href;
  return href.replace(/README\.md(?=#|$)/, "index.html").replace(/\.md(?=#|$)/, ".html");
}

/**
 * One page of HTML.
 * @param markdown The document.
 * @param toIndex The relative URL of the index.
 */
export function page(markdown: string, toIndex: string): string {
  const title = /^#\s+(.*)$/m.exec(markdown)?.[1] ?? "qumo-relay";
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const id = anchorOf(text.replaceAll("`", ""));
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        return `<a href="${escape(pageOf(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      code({ text, lang }) {
        const kind = lang === "mermaid" ? ' class="mermaid"' : "";
        return `<pre${kind}><code>${escape(text)}</code></pre>\n`;
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

async function main(): Promise<void> {
  const site = new URL("dist/site/", TOP);
  const docs = new URL("docs/", TOP);
  await Deno.remove(site, { recursive: true }).catch(() => {});
  let pages = 0;
  for await (const path of filesIn(docs)) {
    const target = new URL(path.endsWith(".md") ? pageOf(path) : path, site);
    await Deno.mkdir(new URL(".", target), { recursive: true });
    if (!path.endsWith(".md")) {
      await Deno.copyFile(new URL(path, docs), target);
      continue;
    }
    const toIndex = "../".repeat(path.split("/").length - 1) + "index.html";
    await Deno.writeTextFile(target, page(await Deno.readTextFile(new URL(path, docs)), toIndex));
    pages++;
  }
  say(`dist/site/index.html: ${pages} pages`);
}

if (import.meta.main) await main();
