/**
 * How the page looks with extreme input: names of 300 characters, names that reverse text, more broadcasts than a phone has
 * room for. Boxes are measured where people would see them, at three sizes and in both themes.
 */
import { stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connect } from "../../client/mod.ts";
import { buildWeb } from "../../web/build/web_build.ts";
import { toFileUrl } from "../../tools/file_url.ts";
import { ROOT } from "../../tools/module_graph.ts";
import { axeFindings, doubleIds } from "../support/pages/accessibility.ts";
import { launchChromium } from "../support/pages/chromium.ts";
import { start } from "../support/program.ts";
import { need } from "../support/require.ts";

const ignore = !need("chromium").ok;
const SIZES = [[390, 844], [820, 1180], [1440, 900]] as const;
const LONG = `long/${"x".repeat(295)}`;
const TURNED = "abc\u202efdp.exe";
const MANY = Array.from({ length: 29 }, (_, i) => `cam/${String(i).padStart(2, "0")}`);

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const boxOf = async (page: Page, selector: string): Promise<Box> => {
  const box = await page.locator(selector).boundingBox();
  assert.ok(box !== null, `${selector} is not seen`);
  return box;
};

/** Their middles are at the same height. */
async function assertOneRow(page: Page, selectors: readonly string[], where: string) {
  const middles = await Promise.all(selectors.map(async (selector) => {
    const { y, height } = await boxOf(page, selector);
    return y + height / 2;
  }));
  const apart = Math.max(...middles) - Math.min(...middles);
  assert.ok(apart < 2, `${selectors} are ${apart} pixels apart ${where}`);
}

/** A relay with 31 broadcasts of one track each. The tracks are read so that the dashboard lists them. */
async function crowd() {
  const stack = new AsyncDisposableStack();
  const { relay, browser } = stack.use(await stage());
  const publisher = stack.use(await connect(relay.url));
  const viewer = stack.use(await connect(relay.url));
  for (const name of [...MANY, LONG, TURNED]) {
    publisher.publish(name).track(name === LONG ? "t".repeat(300) : "data").write("hello");
  }
  const seen = new Set<string>();
  for await (const { path } of viewer.announced()) {
    if (seen.add(path).size === MANY.length + 2) break;
  }
  for (const [name, track] of [[LONG, "t".repeat(300)], [TURNED, "data"]] as const) {
    const reading = viewer.subscribe(name, track);
    stack.defer(() => reading[Symbol.dispose]());
    await reading[Symbol.asyncIterator]().next();
  }
  return { relay, browser, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test({
  name: "names of 300 characters and names that turn text around leave every view in its place",
  ignore,
  async fn() {
    await using made = await crowd();
    const { relay, browser } = made;
    for (const [width, height] of SIZES) {
      const page = await browser.newPage({ viewport: { width, height } });
      const query = `?name=${encodeURIComponent(LONG)}`;
      for (const view of ["watch", "dashboard"]) {
        await page.goto("about:blank");
        await page.goto(`${relay.url}${query}#/${view}`);
        const names = page.locator(`#${view}-view bdi.name`);
        await names.filter({ hasText: "abc" }).first().waitFor();
        const wide = await page.evaluate("document.documentElement.scrollWidth") as number;
        assert.ok(wide <= width, `${view} is ${wide} wide on ${width}`);
        assert.equal(await names.filter({ hasText: "\u202e" }).count(), 0);
        const title = await names.filter({ hasText: "abc" }).first().getAttribute("title");
        assert.equal(title, "abc\\u202efdp.exe");
        const whole = names.filter({ hasText: LONG }).first();
        assert.equal(await whole.getAttribute("title"), LONG);
        assert.ok((await whole.boundingBox())!.height < 40, "on one line");
      }
      const table = await page.evaluate(
        "[tracks.scrollWidth, tracks.parentElement.clientWidth]",
      ) as number[];
      // A phone may scroll a table, by no more than another screen.
      const room = width < 800 ? 2.6 : 1;
      assert.ok(table[0]! <= table[1]! * room, `${table} on ${width}`);
      await page.close();
    }
  },
});

Deno.test({
  name:
    "the list stands directly below the player on a phone, can be searched, and a choice shows the player",
  ignore,
  async fn() {
    await using made = await crowd();
    const { relay, browser } = made;
    for (const [width, height] of SIZES) {
      const page = await browser.newPage({ viewport: { width, height }, reducedMotion: "reduce" });
      await page.goto(`${relay.url}?name=cam/00`);
      await page.locator("#broadcasts li").nth(30).waitFor();
      const [stage, list] = [await boxOf(page, "#stage"), await boxOf(page, "#live")];
      if (width < 860) {
        const gap = list.y - (stage.y + stage.height);
        assert.ok(gap >= 0 && gap < 40, `the list begins ${gap} below the player on ${width}`);
      } else assert.ok(list.x > stage.x + stage.width && list.y === stage.y, "beside it");

      const last = page.locator("#broadcasts a", { hasText: "cam/28" });
      await last.scrollIntoViewIfNeeded();
      await page.mouse.wheel(0, 4000);
      await last.click();
      await page.locator("#now", { hasText: "cam/28" }).waitFor();
      const player = await boxOf(page, "#player");
      assert.ok(player.y >= 0 && player.y + player.height <= height, `${JSON.stringify(player)}`);

      await page.goto("about:blank");
      await page.goto(`${relay.url}?name=cam/28`);
      // The playing broadcast is visible in the list without scrolling the page.
      await page.waitForFunction(() => {
        // deno-lint-ignore no-explicit-any
        const { document, scrollY } = globalThis as any;
        const item = document.querySelector("#broadcasts [aria-current]")?.getBoundingClientRect();
        const list = document.querySelector("#broadcasts")?.getBoundingClientRect();
        return scrollY === 0 && item?.top >= list?.top && item?.bottom <= list?.bottom;
      });
      await page.fill("#find", "cam 1");
      await page.locator("#found", { hasText: "12 of 31" }).waitFor();
      assert.equal(await page.locator("#broadcasts li").count(), 12);
      await page.close();
    }
  },
});

Deno.test({
  name:
    "no button of the header or of the player goes to a row of its own, however wide the window",
  ignore,
  async fn() {
    await using made = await crowd();
    const { relay, browser } = made;
    await using publisher = await connect(relay.url);
    const rendition = (codedHeight: number) => ({
      codec: "vp8",
      container: { kind: "legacy" },
      codedWidth: Math.round(codedHeight * 16 / 9),
      codedHeight,
      bitrate: codedHeight * 4000,
    });
    const renditions = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`video${i}`, rendition(1080 - 2 * i)]),
    );
    publisher.publish("several").track("catalog.json")
      .write(JSON.stringify({ video: { renditions } }));
    const playing = await browser.newPage();
    await playing.goto(`${relay.url}?name=several&visible=always`);
    await playing.locator("#quality").waitFor();
    assert.equal(await playing.locator("#quality option").count(), 21, "a catalog is bounded");
    const refused = await browser.newPage();
    await refused.route("**/announced", (route) => route.fulfill({ status: 503 }));
    await refused.goto(relay.url);
    // The longest thing that the header says.
    await refused.locator("#relay-state", { hasText: "Relay is full or stopping" }).waitFor();
    for (const width of [320, 360, 390, 641, 700, 761, 820, 861, 960, 1100, 1180, 1440]) {
      const where = `on ${width}`;
      for (const page of [playing, refused]) {
        await page.setViewportSize({ width, height: 800 });
        await assertOneRow(page, [".brand", "#relay-state", "#theme"], where);
        const wide = await page.evaluate("document.documentElement.scrollWidth") as number;
        assert.ok(wide <= width, `the page is ${wide} wide ${where}`);
      }
      await assertOneRow(playing, ["#quality", "#copy-link", "#full"], where);
      if ((await boxOf(playing, "#stage")).width > 600) {
        await assertOneRow(playing, ["#pause", "#mute", "#full"], where);
      }
    }
  },
});

Deno.test({
  name: "the dashboard of a relay that is open unasked says so and how to close it, until it is",
  ignore,
  async fn() {
    await buildWeb(toFileUrl(ROOT));
    await using stack = new AsyncDisposableStack();
    const dir = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const config = [
      'server: { address: "0.0.0.0:0", cert_dir: . }',
      'admin: { address: "127.0.0.1:0" }',
      "logging: { format: json }",
      "",
    ].join("\n");
    await Deno.writeTextFile(`${dir}/config.yaml`, config);
    const relay = stack.use(start(["--config", `${dir}/config.yaml`], { cwd: dir }));
    const url = /"page":"([^"]+)"/.exec(await relay.saw(/"message":"started".*\n/))![1]!;
    const { browser } = stack.use(await launchChromium());
    const page = await browser.newPage();
    await page.goto(`${url}#/dashboard`);
    const warning = page.locator("#open-warning");
    await warning.waitFor();
    assert.match((await warning.textContent())!, /auth: { required: true }/);
    await page.locator("#tile-in").waitFor();
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      const { y, height: high } = await boxOf(page, "#open-warning");
      assert.ok(y >= 0 && y + high < height * 0.6, `it is in sight, and leaves room, on ${width}`);
      const wide = await page.evaluate("document.documentElement.scrollWidth") as number;
      assert.ok(wide <= width, `the page is ${wide} wide on ${width}`);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await axeFindings(page), [], `${width}, ${colorScheme}`);
      }
    }

    const [line] = /auth: {.*?}/.exec((await warning.textContent())!)!;
    await Deno.writeTextFile(`${dir}/config.yaml`, `${config}${line}\n`);
    relay.process.kill("SIGHUP");
    await warning.waitFor({ state: "detached" });
  },
});

Deno.test({
  name: "full screen is dark to its edges in the light theme, and the sound's sign and word agree",
  ignore,
  async fn() {
    await using made = await crowd();
    const page = await made.browser.newPage({ colorScheme: "light" });
    await page.goto(`${made.relay.url}?name=cam/00`);
    assert.equal((await page.locator("#mute").textContent())!.trim(), "Sound off");
    await page.click("#mute");
    assert.equal((await page.locator("#mute").textContent())!.trim(), "Sound on");
    await page.click("#full");
    await page.locator("#stage:fullscreen").waitFor();
    const style = await page.evaluate(
      "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(stage))",
    );
    assert.deepEqual(style, ["rgb(0, 0, 0)", "rgb(233, 239, 238)"]);
  },
});

Deno.test({
  name: "axe finds nothing on any view at three sizes in both themes, and no id is there twice",
  ignore,
  async fn() {
    await using made = await crowd();
    const { relay, browser } = made;
    const page = await browser.newPage();
    await page.goto(`${relay.url}?name=cam/00#/watch`);
    // An opened view stays in the page. In the end all three are there.
    for (const view of ["Watch", "Publish", "Dashboard"]) {
      await page.locator("header nav a", { hasText: view }).click();
      await page.locator(`#${view.toLowerCase()}-view .card`).first().waitFor();
      if (view === "Dashboard") await page.locator("#tracks").waitFor();
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await axeFindings(page), [], `${view} at ${width}, ${colorScheme}`);
        }
      }
    }
    assert.deepEqual(await doubleIds(page), []);
  },
});
