/** The dashboard of a node: the other nodes, its links, and the way of a broadcast that was published elsewhere. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import {
  axeFindings,
  contrastsOf,
  doubleIds,
  namelessControls,
} from "../support/pages/accessibility.ts";
import { problemsOf, stage } from "../support/pages/stage.ts";
import { startRelay } from "../support/program.ts";
import { need } from "../support/require.ts";

/** Nothing listens there. */
const NOBODY = "http://127.0.0.1:9/";

/** A node with a link to another, where `demo` is published; somebody reads it from the first one. */
async function twoNodes() {
  await using stack = new AsyncDisposableStack();
  const secret = await Deno.makeTempFile();
  stack.defer(() => Deno.remove(secret));
  await Deno.writeTextFile(secret, "a secret of these two nodes alone\n");
  const shared = ["--cluster.secret_file", secret];
  const far = stack.use(await startRelay(shared));
  const { relay, browser } = stack.use(
    await stage({
      flags: [
        ...shared,
        ...["--cluster.nodes", `${far.url},${NOBODY}`],
        ...["--cluster.url", "https://near.example/", "--cluster.region", "home"],
      ],
    }),
  );
  const publisher = stack.use(await connect(far.url));
  const track = publisher.publish("demo").track("data");
  const timer = setInterval(() => track.write("hello"), 100);
  stack.defer(() => clearInterval(timer));
  const viewer = stack.use(await connect(relay.url));
  const subscription = stack.use(viewer.subscribe("demo", "data"));
  await subscription[Symbol.asyncIterator]().next();
  const rest = stack.move();
  return { far, relay, browser, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

Deno.test({
  name:
    "the dashboard of a node shows the others, its links and the way of a broadcast, also on a phone and in the dark",
  ignore: !need("chromium").ok,
  async fn() {
    await using made = await twoNodes();
    const { far, relay, browser } = made;
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme });
      const problems = problemsOf(page, { console: true });
      await page.goto(`${relay.url}#/dashboard`);
      const rowOf = (table: string, text: string) =>
        page.locator(`#${table} tbody tr`, { hasText: text });

      await rowOf("nodes", far.url).filter({ hasText: "connected" }).waitFor();
      await rowOf("nodes", NOBODY).filter({ hasText: /waiting|connecting/ }).waitFor();
      assert.match((await rowOf("nodes", "this node").textContent())!, /near\.example\/home/);
      assert.equal(await page.locator("#nodes tbody tr").count(), 3);
      await rowOf("links", far.url).filter({ hasText: "peer" }).waitFor();
      assert.match(
        (await page.locator("#cluster-map").getAttribute("aria-label"))!,
        /linked to 1 of 2 others/,
      );

      assert.equal(await page.inputValue("#way-of"), "demo");
      const { host } = new URL(far.url);
      // A link whose price has changed was replaced; for some seconds the route over the old one is there too.
      await rowOf("routes", host).filter({ hasText: `→ ${host}` }).filter({ hasText: "yes" })
        .first().waitFor();
      const picture = page.locator("#way-picture");
      for (const text of ["publisher", host, "near.example", "1 subscription"]) {
        await picture.locator("text", { hasText: text }).first().waitFor();
      }

      const [width, inner] = await page.evaluate(
        "[document.documentElement.scrollWidth, innerWidth]",
      ) as number[];
      assert.ok(width! <= inner!, `${width} wide`);
      assert.deepEqual(await axeFindings(page), []);
      assert.deepEqual(await doubleIds(page), []);
      assert.deepEqual(await namelessControls(page), []);
      assert.deepEqual((await contrastsOf(page)).filter(({ ratio }) => ratio < 4.5), []);
      assert.deepEqual(problems, []);
      await page.close();
    }
  },
});
