import assert from "node:assert/strict";
import { silent } from "../../base/logger.ts";
import { entryWithPage } from "../../tools/ship/build_web.ts";
import { embedWeb, webAssets } from "./web_assets.ts";

Deno.test("webAssets() serves the page that is inside the program, with its own command to publish", async () => {
  const html = await Deno.readTextFile(new URL("../index.html", import.meta.url));
  embedWeb({ "index.html": html, "assets/page.js": "let a;", "assets/page.css": "p{}" });
  const assets = await webAssets(silent);
  const text = (name: string) => new TextDecoder().decode(assets.get(name)!.body);
  assert.match(text("index.html"), /<meta name="qumo-pub" content=".*deno.* run -A .* pub">/);
  assert.equal(text("assets/page.js"), "let a;");
  assert.equal(assets.get("assets/page.js")!.type, "text/javascript; charset=utf-8");
  assert.equal(assets.get("assets/page.css")!.type, "text/css; charset=utf-8");
});

Deno.test("entryWithPage() puts every file of the page into the program", () => {
  const files = ["index.html", "assets/page.js", "assets/page.css"];
  const entry = entryWithPage(files);
  for (const name of files) assert.ok(entry.includes(`from "./web/${name}" with`), name);
});
