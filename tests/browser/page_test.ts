/**
 * The page of a relay in a real browser: publish in one tab, watch in another, look on in a third. Also: a user without a
 * camera, without a mouse, with a small screen, or whose relay is gone.
 */
import { FAKE_DEVICES, problemsOf, stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { say } from "../../tools/say.ts";
import { contrastsOf, namelessControls } from "../support/pages/accessibility.ts";
import { startRelay } from "../support/program.ts";
import { need } from "../support/require.ts";
import { assertMoves, goLive } from "../support/pages/watch_page.ts";

const ignore = !need("chromium").ok;
const VIEWS = ["watch", "publish", "dashboard"] as const;

interface Tab extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the page and of its console. */
  readonly problems: string[];
}

async function open(
  browser: Browser,
  url: string,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<Tab> {
  const page = await browser.newPage(options);
  const problems = problemsOf(page, { console: true });
  await page.goto(url);
  return { page, problems, [Symbol.asyncDispose]: () => page.close() };
}

Deno.test({
  name: "a camera published in one tab plays in another, and the dashboard in a third shows both",
  ignore,
  async fn() {
    await using made = await stage({ switches: FAKE_DEVICES });
    const { relay, browser } = made;
    await using publish = await open(browser, `${relay.url}#/publish`);
    await goLive(publish.page, { name: "from/camera", source: "camera" });
    await using watch = await open(browser, `${relay.url}?visible=always#/watch`);
    await watch.page.locator("#broadcasts a[aria-current]").waitFor();
    assert.equal(await watch.page.textContent("#now"), "from/camera");
    await assertMoves(watch.page);
    await watch.page.locator("#playing-tracks", { hasText: "video0" }).waitFor();
    await watch.page.locator("#latency", { hasText: /camera to screen \d+ ms/ }).waitFor();
    await watch.page.locator("#version", { hasText: /^moq-lite-0\d$/ }).waitFor();
    assert.equal(await watch.page.textContent("#transport"), "WebTransport");
    await publish.page.locator("#publish-state", { hasText: "being watched" }).waitFor();

    await watch.page.click("#mute");
    await watch.page.locator("#playing-tracks", { hasText: /Opus.*[\d.]+ kbit\/s/ }).waitFor();

    await using dashboard = await open(browser, `${relay.url}#/dashboard`);
    const { page } = dashboard;
    const rowOf = (table: string, text: string) =>
      page.locator(`${table} tbody tr`, { hasText: text });
    await rowOf("#tracks", "video0").filter({ hasText: /bit\/s/ }).waitFor();
    assert.equal(await page.locator("#sessions tbody tr").count(), 2);
    assert.match((await rowOf("#announced", "from/camera").textContent())!, /127\.0\.0\.1:\d+/);
    await page.locator("#tile-in", { hasText: /bit\/s/ }).waitFor();
    await page.locator("#tile-out", { hasText: /bit\/s/ }).waitFor();
    assert.match((await page.textContent("#tile-sessions"))!, /2/);
    say(`dashboard: ${await page.textContent("#tile-in")}, ${await page.textContent("#tile-out")}`);

    await publish.page.click("#stop");
    await watch.page.locator("#empty").waitFor();
    for (const { problems } of [publish, watch, dashboard]) assert.deepEqual(problems, []);
  },
});

Deno.test({
  name: "without a camera the publish view says so, and its test pattern plays",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    await using publish = await open(browser, `${relay.url}#/publish`, {
      permissions: ["camera", "microphone"],
    });
    await publish.page.fill("#name", "pattern");
    await publish.page.click("#start");
    await publish.page.locator("#publish-state", { hasText: "No camera was found" }).waitFor();
    await publish.page.click("#use-pattern");
    await publish.page.locator("#publish-state[data-kind=live]").waitFor();
    await using watch = await open(browser, `${relay.url}?name=pattern&visible=always`);
    await assertMoves(watch.page);
    assert.deepEqual([...publish.problems, ...watch.problems], []);
  },
});

Deno.test({
  name: "a camera that is refused is told in a sentence with what to do",
  ignore,
  async fn() {
    await using made = await stage({ switches: [FAKE_DEVICES[0]!, "--deny-permission-prompts"] });
    await using publish = await open(made.browser, `${made.relay.url}#/publish`);
    await publish.page.click("#start");
    const said = publish.page.locator("#publish-state[data-kind=problem]");
    await said.waitFor();
    assert.match(
      (await said.textContent())!,
      /camera was refused\. Allow it .* or take the test pattern/,
    );
    await publish.page.locator("#use-pattern").waitFor();
  },
});

Deno.test({
  name: "a relay that goes away and comes back is told, and both ends go on by themselves",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    await using publish = await open(browser, `${relay.url}#/publish`);
    await goLive(publish.page, { name: "steady", source: "pattern" });
    await using watch = await open(browser, `${relay.url}?name=steady&visible=always`);
    await assertMoves(watch.page);

    relay.process.kill("SIGKILL");
    await relay.ended();
    await watch.page.locator("#relay-state", { hasText: "does not answer" }).waitFor();
    await watch.page.locator("#hint", { hasText: "does not answer" }).waitFor();
    await publish.page.locator("#publish-state", { hasText: "was lost. Trying again" })
      .waitFor({ timeout: 60_000 });

    await using _again = await startRelay(["--server.address", `127.0.0.1:${relay.port}`]);
    await publish.page.locator("#publish-state[data-kind=live]").waitFor({ timeout: 60_000 });
    await watch.page.locator("#hint").waitFor({ state: "detached", timeout: 60_000 });
    await assertMoves(watch.page);
  },
});

Deno.test({
  name: "who waits for a broadcast that is not there is told so",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    await using waiting = await open(browser, `${relay.url}?name=nobody`);
    await waiting.page.locator("#hint", { hasText: "Waiting for nobody to begin" }).waitFor();
    assert.deepEqual(waiting.problems, []);
  },
});

Deno.test({
  name: "the dashboard says what to do where the admin interface cannot be reached",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    await using tab = await open(browser, "about:blank");
    const answers = [
      [{ local: false, admin: null }, "ssh -N -L"],
      [{ local: true, admin: null }, "admin.address"],
    ] as const;
    for (const [json, text] of answers) {
      await tab.page.route("**/api/where", (route) => route.fulfill({ json }));
      await tab.page.goto("about:blank");
      await tab.page.goto(`${relay.url}#/dashboard`);
      await tab.page.locator("#no-admin", { hasText: text }).waitFor();
    }
  },
});

Deno.test({
  name: "the dashboard asks for the token of the admin interface, and shows what it then may",
  ignore,
  async fn() {
    const token = "0123456789abcdef-of-a-test";
    await using made = await stage({ flags: ["--admin.token", token] });
    await using tab = await open(made.browser, `${made.relay.url}#/dashboard`);
    const { page } = tab;
    await page.locator("#admin-token", { hasText: "asks for a token" }).waitFor();
    const give = async (text: string) => {
      await page.fill("#token", text);
      await page.press("#token", "Enter");
    };
    await give("another-token-of-a-test");
    await page.locator("#admin-token", { hasText: "is not it" }).waitFor();
    await give(token);
    await page.locator("#tile-in").waitFor();
    await page.reload();
    await page.locator("#tile-in").waitFor();
    assert.equal(await page.locator("#admin-token").count(), 0);
  },
});

Deno.test({
  name: "the views are reached with the keyboard alone, and the choice of colours is remembered",
  ignore,
  async fn() {
    await using made = await stage();
    await using tab = await open(made.browser, made.relay.url);
    const { page } = tab;
    await page.locator("#empty").waitFor();
    const focused = () => page.evaluate("document.activeElement.textContent") as Promise<string>;
    const tabTo = async (text: string) => {
      for (let presses = 0; presses < 20; presses++) {
        await page.keyboard.press("Tab");
        if ((await focused()).trim() === text) return;
      }
      assert.fail(`"${text}" is not reached with the Tab key`);
    };
    await tabTo("Skip to the content");
    await tabTo("Publish");
    await page.keyboard.press("Enter");
    await page.locator("#start").waitFor();
    assert.equal(await focused(), "Publish", "the heading of the view has the focus");
    assert.match(page.url(), /#\/publish$/);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.id"), "name");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await page.locator("input[value=screen]:checked").waitFor();

    await page.focus("#theme");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.documentElement.style.colorScheme"), "dark");
    await page.reload();
    await page.locator("#start").waitFor();
    assert.equal(await page.evaluate("document.documentElement.style.colorScheme"), "dark");
    await page.goBack();
    await page.locator("#empty").waitFor();
    assert.deepEqual(tab.problems, []);
  },
});

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `every view fits a phone, names its controls and can be read (${colorScheme})`,
    ignore,
    async fn() {
      await using made = await stage();
      const { relay, browser } = made;
      await using publisher = await open(browser, `${relay.url}#/publish`);
      await goLive(publisher.page, { name: "a-rather-long-name-".repeat(5), source: "pattern" });
      await using tab = await open(browser, relay.url, {
        viewport: { width: 360, height: 740 },
        colorScheme,
      });
      const { page } = tab;
      for (const view of VIEWS) {
        await page.goto(`${relay.url}?visible=always#/${view}`);
        await page.locator(`#${view}-view .card`).first().waitFor();
        await page.waitForTimeout(500); // graphs take their size
        const [width, inner] = await page.evaluate(
          "[document.documentElement.scrollWidth, innerWidth]",
        ) as number[];
        assert.ok(width! <= inner!, `${view} is ${width} wide`);
        assert.deepEqual(await namelessControls(page), [], view);
        const contrasts = await contrastsOf(page);
        assert.ok(contrasts.length > 8, `only ${contrasts.length} texts in ${view}`);
        assert.deepEqual(contrasts.filter(({ ratio }) => ratio < 4.5), [], view);
      }
      assert.deepEqual(tab.problems, []);
    },
  });
}
