import assert from "node:assert/strict";
import { toFileUrl } from "../../tools/file_url.ts";
import { buildWeb, webFiles, webIsBuilt } from "./web_build.ts";

/** A project of a few small files. */
async function project(): Promise<AsyncDisposable & { readonly root: URL }> {
  const dir = await Deno.makeTempDir();
  const root = toFileUrl(`${dir}/`);
  await Deno.mkdir(new URL("web/style/", root), { recursive: true });
  await Deno.writeTextFile(new URL("deno.json", root), "{}");
  await Deno.mkdir(new URL("web/build/", root));
  await Deno.writeTextFile(new URL("web/build/web_build.ts", root), "");
  const sources = {
    "index.html": "<p>page",
    "page.css": '/* All of it. */\n@import "./style/base.css";\n@import "./style/view.css";\n',
    "style/base.css": "p {}\n",
    "style/view.css": "h2 {}\n",
    "page.tsx": "const a: number = 1; document.title = `${a}`; import('./view.ts');",
    "embed.html": "<p>embed",
    "embed.ts": "export const embedded = import('./view.ts');",
    "embed_frame.ts": "document.title = 'frame';",
    "view.ts": "export const shown: boolean = true;",
  };
  for (const [name, text] of Object.entries(sources)) {
    await Deno.writeTextFile(new URL(`web/${name}`, root), text);
  }
  return { root, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const builtAt = async (root: URL) =>
  Number((await Deno.stat(new URL("dist/web/index.html", root))).mtime);

Deno.test("buildWeb() makes every file, and again only when a source is newer", async () => {
  await using made = await project();
  const { root } = made;
  assert.equal(await webIsBuilt(root), false);
  assert.deepEqual(await webFiles(root), []);
  await buildWeb(root);
  assert.equal(await webIsBuilt(root), true);
  const names = (await webFiles(root)).map((name) => name.replace(/-\w+\.js/, "-HASH.js"));
  assert.deepEqual(names, [
    "assets/embed.js",
    "assets/embed_frame.js",
    "assets/page.css",
    "assets/page.js",
    "assets/view-HASH.js",
    "embed.html",
    "embed.js",
    "index.html",
  ]);
  const script = await Deno.readTextFile(new URL("dist/web/assets/page.js", root));
  assert.match(script, /document\.title/);
  assert.doesNotMatch(script, /: number/);

  const before = await builtAt(root);
  await buildWeb(root);
  assert.equal(await builtAt(root), before);

  const [earlier, later] = [new Date(0), new Date(Date.now() + 60_000)];
  for (
    const source of ["web/view.ts", "web/style/view.css", "deno.json", "web/build/web_build.ts"]
  ) {
    await Deno.utime(new URL(source, root), later, later);
    assert.equal(await webIsBuilt(root), false, source);
    await Deno.utime(new URL(source, root), earlier, earlier);
    assert.equal(await webIsBuilt(root), true, source);
  }
});

Deno.test("buildWeb() makes one style sheet of its parts, in their order, and tells of one that is not there", async () => {
  await using made = await project();
  const { root } = made;
  await buildWeb(root);
  const css = await Deno.readTextFile(new URL("dist/web/assets/page.css", root));
  assert.equal(css, "/* All of it. */\np {}\n\nh2 {}\n\n");
  await Deno.writeTextFile(new URL("web/page.css", root), '@import "./style/gone.css";\n');
  const later = new Date(Date.now() + 60_000);
  await Deno.utime(new URL("web/page.css", root), later, later);
  await assert.rejects(buildWeb(root), /gone\.css/);
  assert.equal(await Deno.readTextFile(new URL("dist/web/assets/page.css", root)), css);
});

Deno.test("buildWeb() keeps nothing of an older build, and leaves nothing beside it", async () => {
  await using made = await project();
  const { root } = made;
  await buildWeb(root);
  const before = await webFiles(root);
  await Deno.writeTextFile(new URL("web/view.ts", root), "export const shown = 'otherwise';");
  const later = new Date(Date.now() + 60_000);
  await Deno.utime(new URL("web/view.ts", root), later, later);
  await buildWeb(root);
  const after = await webFiles(root);
  assert.equal(after.length, before.length);
  assert.notDeepEqual(after, before);
  assert.deepEqual([...Deno.readDirSync(new URL("dist/", root))].map(({ name }) => name), ["web"]);
});

Deno.test("buildWeb() makes the page without the player where its package is not to be had", async () => {
  await using made = await project();
  const { root } = made;
  const player = 'import "@moq/watch/element"; export const shown = true;';
  await Deno.writeTextFile(new URL("web/view.ts", root), player);
  const { noPlayer } = await buildWeb(root);
  assert.match(noPlayer!, /@moq\/watch/);
  assert.ok((await webFiles(root)).includes("assets/page.js"));
  assert.equal(await webIsBuilt(root), false, "it is tried again at the next start");
});

Deno.test("buildWeb() tells which file cannot be bundled and why", async () => {
  await using made = await project();
  const { root } = made;
  await Deno.writeTextFile(new URL("web/view.ts", root), 'import "./absent.ts";');
  await assert.rejects(buildWeb(root), /deno bundle web\/page\.tsx: .*absent\.ts/);
  assert.equal(await webIsBuilt(root), false);
});
