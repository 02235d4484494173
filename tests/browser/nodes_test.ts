/** The page of a node in a cluster, in a real browser, while nodes die and leave. */
import assert from "node:assert/strict";
import { toFileUrl } from "../../tools/file_url.ts";
import { ROOT } from "../../tools/module_graph.ts";
import { buildWeb } from "../../web/build/web_build.ts";
import { linked, meshed, startCluster } from "../cluster/support/cluster.ts";
import { inDirectory } from "../support/borrowed.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { problemsOf } from "../support/pages/stage.ts";
import { assertMoves, goLive } from "../support/pages/watch_page.ts";
import { need } from "../support/require.ts";

Deno.test({
  name: "the page plays on at another node when its own is killed, and when that one leaves",
  ignore: !need("chromium").ok,
  async fn() {
    await buildWeb(toFileUrl(ROOT));
    await inDirectory(async (dir) => {
      await using cluster = await startCluster(3, await meshed(dir));
      const { nodes } = cluster;
      const [a, b, c] = nodes;
      await linked(nodes);
      await using chromium = await launchChromium();
      const publish = await chromium.browser.newPage();
      await publish.goto(`${c.url}#/publish`);
      await goLive(publish, { name: "steady", source: "pattern" });

      const watch = await chromium.browser.newPage();
      const problems = problemsOf(watch);
      const relay = () => watch.textContent("#relay");
      await watch.goto(`${a.url}?name=steady&visible=always`);
      await assertMoves(watch);
      assert.equal(await relay(), `127.0.0.1:${a.port}`);

      await a.kill();
      await watch.locator("#relay", { hasNotText: `:${a.port}` }).waitFor({ timeout: 60_000 });
      await watch.locator("#hint").waitFor({ state: "detached", timeout: 60_000 });
      await assertMoves(watch);

      // Now the node of the publisher leaves: its page moves by the library, and the viewer's if it is there too.
      assert.equal(await c.end(), 0);
      await watch.locator("#relay", { hasText: `:${b.port}` }).waitFor({ timeout: 60_000 });
      await publish.locator("#publish-state[data-kind=live]").waitFor({ timeout: 60_000 });
      await watch.locator("#hint").waitFor({ state: "detached", timeout: 60_000 });
      await assertMoves(watch);
      assert.deepEqual(problems, []);
    });
  },
});
