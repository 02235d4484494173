import assert from "node:assert/strict";
import { toFileUrl } from "../tools/file_url.ts";
import { buildWeb, WEB_FILES, webIsBuilt } from "./web_build.ts";

/** A project of four small files. */
async function project(): Promise<AsyncDisposable & { readonly root: URL }> {
  const dir = await Deno.makeTempDir();
  const root = toFileUrl(`${dir}/`);
  await Deno.mkdir(new URL("web/", root));
  await Deno.writeTextFile(new URL("deno.json", root), "{}");
  const sources = {
    "index.html": "<p>page",
    "page.css": "p {}",
    "page.ts": "const a: number = 1; document.title = `${a}`;",
    "watch.ts": "export const playing: boolean = true;",
  };
  for (const [name, text] of Object.entries(sources)) {
    await Deno.writeTextFile(new URL(`web/${name}`, root), text);
  }
  return { root, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const timesOf = (root: URL) =>
  Promise.all(
    WEB_FILES.map(async (name) =>
      Number((await Deno.stat(new URL(`dist/web/${name}`, root))).mtime)
    ),
  );

Deno.test("buildWeb() makes every file, then only those whose source is newer", async () => {
  await using made = await project();
  const { root } = made;
  assert.equal(await webIsBuilt(root), false);
  await buildWeb(root);
  assert.equal(await webIsBuilt(root), true);
  const script = await Deno.readTextFile(new URL("dist/web/assets/page.js", root));
  assert.match(script, /document\.title/);
  assert.doesNotMatch(script, /: number/);

  const before = await timesOf(root);
  await buildWeb(root);
  assert.deepEqual(await timesOf(root), before);

  const later = new Date(Date.now() + 60_000);
  await Deno.utime(new URL("web/page.ts", root), later, later);
  assert.equal(await webIsBuilt(root), false);
});

Deno.test("buildWeb() tells which file cannot be bundled and why", async () => {
  await using made = await project();
  const { root } = made;
  await Deno.writeTextFile(new URL("web/watch.ts", root), 'import "./absent.ts";');
  await assert.rejects(buildWeb(root), /deno bundle web\/watch\.ts: .*absent\.ts/);
});
