import assert from "node:assert/strict";
import { anchorOf, page, pageOf, site } from "./docs_site.ts";

const TOP = new URL("../../", import.meta.url);

async function documents(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ["", "docs/", "docs/adr/", "certs/", "examples/"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, TOP))) {
      if (!isFile || !name.endsWith(".md")) continue;
      found.set(folder + name, await Deno.readTextFile(new URL(folder + name, TOP)));
    }
  }
  return found;
}

/** A document without its code, where brackets are no links. */
const prose = (markdown: string) =>
  markdown.replace(/^ *```[\s\S]*?^ *```/gm, "").replace(/`[^`]*`/g, "");

const headings = (markdown: string) =>
  new Set(
    [...markdown.replace(/^ *```[\s\S]*?^ *```/gm, "").matchAll(/^#{1,6} (.*)$/gm)]
      .map(([, text]) => anchorOf(text!.replaceAll("`", ""))),
  );

Deno.test("every link of the documents leads to a file or a heading that exists", async () => {
  const all = await documents();
  const broken: string[] = [];
  for (const [path, markdown] of all) {
    for (const [, href] of prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(href!)) continue;
      const [file, anchor] = href!.split("#") as [string, string?];
      const target = file === ""
        ? path
        : new URL(file, new URL(path, "file:///")).pathname.slice(1);
      const text = all.get(target);
      const there = text !== undefined ||
        await Deno.stat(new URL(target, TOP)).then(() => true, () => false);
      if (!there) broken.push(`${path}: ${href}: no such file`);
      else if (anchor !== undefined && text !== undefined && !headings(text).has(anchor)) {
        broken.push(`${path}: ${href}: no such heading`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("the index names every document of the folder", async () => {
  const index = await Deno.readTextFile(new URL("docs/README.md", TOP));
  const absent: string[] = [];
  for await (const { name } of Deno.readDir(new URL("docs/", TOP))) {
    if (name.endsWith(".md") && name !== "README.md" && !index.includes(`(${name})`)) {
      absent.push(name);
    }
  }
  assert.deepEqual(absent, []);
});

Deno.test("a page links to pages, keeps anchors, and shows code as it stands", () => {
  assert.equal(pageOf("auth.md#patterns"), "auth.html#patterns");
  assert.equal(pageOf("README.md"), "index.html");
  assert.equal(pageOf("https://example.org/a.md"), "https://example.org/a.md");
  const html = page("# A `b` & c\n\n[keys](auth.md)\n\n```sh\na < b && c\n```\n", "index.html");
  assert.match(html, /<h1 id="a-b--c">/);
  assert.match(html, /href="auth.html"/);
  assert.match(html, /a &lt; b &amp;&amp; c/);
});

Deno.test("every link and picture of the site is on the site, with its anchor", async () => {
  const files = await site();
  const broken: string[] = [];
  for (const [path, html] of files) {
    if (typeof html !== "string") continue;
    for (const [, href] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^[a-z]+:/.test(href!)) continue;
      const { pathname, hash } = new URL(href!, new URL(path, "file:///"));
      const name = decodeURIComponent(pathname.slice(1));
      const target = files.get(name) ??
        [...files.keys()].find((file) => file.startsWith(`${name}/`));
      if (target === undefined) broken.push(`${path}: ${href}`);
      else if (
        hash !== "" && !String(target).includes(`id="${decodeURIComponent(hash.slice(1))}"`)
      ) {
        broken.push(`${path}: ${href}: no such heading`);
      }
    }
  }
  assert.deepEqual(broken, []);
  assert.equal(pageOf("../README.md#start"), "readme.html#start");
  assert.equal(pageOf("../../README.md", 1), "../readme.html");
  assert.equal(pageOf("../configs/restream.yaml"), undefined);
  assert.equal(pageOf("../auth.md", 1), "../auth.html");
});

Deno.test("a Mermaid diagram is shown as its text, which is said", () => {
  const html = page("# A\n\n```mermaid\nflowchart TD\n  a --> b\n```\n", "index.html");
  assert.match(html, /<figure>\n<pre><code>flowchart TD\n {2}a --> b<\/code><\/pre>\n<figcaption>/);
  assert.doesNotMatch(html, /<script/);
});
