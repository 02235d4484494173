import assert from "node:assert/strict";
import { fromFileUrl } from "../../tools/file_url.ts";

const PLUGINS = fromFileUrl(new URL("../", import.meta.url));

async function* sources(dir: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (isDirectory) yield* sources(`${dir}${name}/`);
    else if (name.endsWith(".ts") && !/_test\.ts$|fixtures/.test(name)) yield dir + name;
  }
}

Deno.test("no plugin gives ffmpeg an input by itself: all of them name their protocols", async () => {
  const inputs: string[] = [];
  for await (const path of sources(PLUGINS)) {
    if (/"-i"/.test(await Deno.readTextFile(path))) inputs.push(path.slice(PLUGINS.length));
  }
  assert.deepEqual(inputs, ["ffmpeg/input.ts"]);
  const source = await Deno.readTextFile(`${PLUGINS}ffmpeg/input.ts`);
  const count = (what: RegExp) => source.match(what)!.length;
  assert.equal(count(/"-i"/g), count(/"-protocol_whitelist"/g));
});
