/**
 * The example of the README and of client/mod.ts, which a newcomer copies. It runs in an empty folder, with the packed
 * package, by the commands beside it.
 */
import assert from "node:assert/strict";
import { ROOT } from "../../tools/module_graph.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { blocksOf, emptyProject, packed, TOOLS } from "../support/peers/npm_project.ts";
import { start } from "../support/program.ts";
import { need } from "../support/require.ts";
import { launch, type Launched, until } from "../support/server.ts";

const HEADING = "## The library";

/** The first example of a module's comment. */
function exampleOf(source: string): string {
  const [, lines] = /^ \* ```ts\n([\s\S]*?)^ \* ```$/m.exec(source)!;
  return lines!.replace(/^ \* ?/gm, "");
}

/** Sends the example what it waits for, once it waits, and reads what it sends. */
async function talk(relay: Launched, heard: () => Promise<unknown>): Promise<void> {
  await using peer = await relay.client();
  using alice = peer.subscribe("chat/alice", "lines");
  using group = (await alice.group())!;
  assert.equal(new TextDecoder().decode((await group.frame())!.payload), "hello");
  // Nobody has published bob yet, so the example waits.
  using bob = peer.publish("chat/bob");
  const lines = bob.track("lines");
  await until(() => lines.subscribers === 1, "the example's subscription", 60_000);
  lines.write("hi, alice");
  await heard();
  lines.write("bye");
}

Deno.test({
  name:
    "the library's example runs in an empty folder, in Deno and in Chromium, as the README says",
  ignore: !need("npm").ok,
  async fn(t) {
    const readme = await Deno.readTextFile(`${ROOT}README.md`);
    const [build, install, example, run] = blocksOf(readme, HEADING);
    assert.equal(build!.text.split(" #")[0], "deno task build:npm");
    assert.ok(build!.text.includes((await packed()).slice(ROOT.length)), "it names the archive");
    const source = await Deno.readTextFile(`${ROOT}client/mod.ts`);
    assert.equal(exampleOf(source), example!.text, "client/mod.ts shows the same example");
    assert.match(example!.text, /"http:\/\/127\.0\.0\.1:4433\/"/);
    const [denoLine, bundleLine] = run!.text.split("\n").map((line) => line.split(" #")[0]!);

    await using relay = await launch();
    await using project = await emptyProject();
    const { folder } = project;
    await Deno.mkdir(`${folder}/app`);
    await Deno.symlink(ROOT.replace(/\/$/, ""), `${folder}/qumo-relay`);
    const inApp = (line: string) => project.must("sh", "-c", `cd app && ${line}`);
    await inApp(install!.text);
    await project.file(`app/${example!.title}`, example!.text.replace(":4433/", `:${relay.port}/`));

    await t.step("in Deno", async () => {
      const [deno, command, ...rest] = denoLine!.split(" ");
      assert.deepEqual([deno, command], ["deno", "run"]);
      await using running = start([], {
        script: rest.at(-1)!,
        runFlags: ["--check", ...rest.slice(1, -1)],
        cwd: `${folder}/app`,
      });
      await talk(relay, () => running.saw("bob: hi, alice\n"));
      assert.equal(await running.ended(), 0, running.output());
    });

    if (!need("chromium").ok) return;
    await t.step("in a page", async () => {
      await inApp(`npm install --no-audit --no-fund ${TOOLS.esbuild}`);
      await inApp(bundleLine!);
      await using chromium = await launchChromium();
      const page = await chromium.page();
      const said: string[] = [];
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", (error) => said.push(String(error)));
      await page.addScriptTag({ path: `${folder}/app/main.js`, type: "module" });
      await talk(relay, () => until(() => said.length > 0, "the page's word"));
      assert.deepEqual(said, ["bob: hi, alice"]);
    });
  },
});
