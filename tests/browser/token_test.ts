/**
 * The page of a relay that asks for tokens, in a real browser: what it takes from its address, what it asks for, what it says
 * about each answer, and where it never sends the token.
 */
import { stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import type { Claims } from "../../server/auth/claims.ts";
import { keyOf } from "../../server/auth/keys/key.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { signToken } from "../../server/auth/token.ts";
import { KEY } from "../support/fixtures/token_vector.ts";
import { startRelay } from "../support/program.ts";
import { need } from "../support/require.ts";
import { assertMoves, goLive } from "../support/pages/watch_page.ts";

const ignore = !need("chromium").ok;

const ALL = [Pattern.parse("**")];
const tokenFor = (claims: Partial<Claims>) =>
  signToken({ root: "rooms/1", publish: ALL, subscribe: ALL, ...claims }, keyOf(KEY));

/** A relay that checks tokens, and a browser. */
async function guardedStage() {
  const stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  await Deno.writeTextFile(`${dir}/key.jwk`, JSON.stringify(KEY));
  const guarded = [
    ...["--auth.key_file", `${dir}/key.jwk`],
    ...["--logging.level", "debug", "--logging.access", "info"],
  ];
  const { relay, browser } = stack.use(await stage({ flags: guarded }));
  const again = () => startRelay([...guarded, "--server.address", `127.0.0.1:${relay.port}`]);
  return { relay, again, browser, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A tab that shares nothing with others, and everything it sends. */
async function open(browser: Browser, url: string) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const told: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => told.push(message.text()));
  page.on("request", (request) => {
    asked.push(request.url());
    told.push(`referer: ${request.headers()["referer"] ?? ""}`);
  });
  await page.goto(url);
  return { page, told, asked, [Symbol.asyncDispose]: () => context.close() };
}

const refusedAs = (page: Page, state: string) =>
  page.locator(`#relay-access[data-state=${state}]`).waitFor();

async function giveToken(page: Page, token: string): Promise<void> {
  await page.fill("#relay-token", token);
  await page.press("#relay-token", "Enter");
}

Deno.test({
  name: "with a token in its address the page publishes and plays below its path",
  ignore,
  async fn(t) {
    await using made = await guardedStage();
    const { relay, browser } = made;
    const token = await tokenFor({});
    const room = `${relay.url}rooms/1`;

    await using publish = await open(browser, `${room}?jwt=${token}#/publish`);
    assert.equal(publish.page.url(), `${room}#/publish`, "the token is out of the address");
    await goLive(publish.page, { name: "alice", source: "pattern" });
    await using watch = await open(browser, `${room}?jwt=${token}&visible=always`);
    await watch.page.locator("#broadcasts a[aria-current]").waitFor();
    assert.equal(await watch.page.textContent("#now"), "alice");
    await assertMoves(watch.page);
    await publish.page.locator("#publish-state", { hasText: "being watched" }).waitFor();
    const { broadcasts } = await (await fetch(`${relay.adminUrl}/api/v1/broadcasts`)).json();
    assert.deepEqual(broadcasts.map(({ path }: { path: string }) => path), ["rooms/1/alice"]);

    await t.step("a link that is copied carries the path and no token", async () => {
      await watch.page.click("#copy-link");
      await publish.page.locator("#watch-it").waitFor();
      const link = await watch.page.evaluate("navigator.clipboard.readText()") as string;
      assert.equal(link, `${room}?visible=always&name=alice#/watch`);
      const hrefs = await watch.page.evaluate(
        "[...document.querySelectorAll('a')].map((a) => a.href).join()",
      ) as string;
      assert.ok(!hrefs.includes(token));
      await using other = await open(browser, link);
      await refusedAs(other.page, "token_needed");
    });

    await t.step("the tab keeps the token through a reload", async () => {
      await watch.page.reload();
      await watch.page.locator("#broadcasts a[aria-current]").waitFor();
      await assertMoves(watch.page);
    });

    await t.step("the token is in no referrer, console or log, and in no request by HTTP", () => {
      for (const { told, asked } of [publish, watch]) {
        assert.ok(!told.join("\n").includes(token), told.find((text) => text.includes(token)));
        const first = asked.filter((url) => url.includes(token));
        assert.equal(first.length, 1, "only the address that was opened has it");
      }
      assert.match(relay.output(), /"path":"\/rooms\/1\?jwt=\*\*\*/);
      assert.ok(!relay.output().includes(token));
    });

    await t.step(
      "nothing is called live once the relay is gone, and all goes on with it",
      async () => {
        relay.process.kill("SIGKILL");
        await relay.ended();
        await publish.page.locator("#preview .pill", { hasText: "Not live now" }).waitFor();
        await publish.page.locator("#publish-state", { hasText: "does not answer" }).waitFor();
        await watch.page.locator("#stale").waitFor();
        assert.equal(await watch.page.locator("#count").count(), 0);
        await watch.page.locator("#hint", { hasText: "does not answer" }).waitFor();
        await using _again = await made.again();
        await publish.page.locator("#preview .pill[data-state=live]").waitFor({ timeout: 60_000 });
        await watch.page.locator("#hint").waitFor({ state: "detached", timeout: 60_000 });
        await assertMoves(watch.page);
      },
    );
  },
});

Deno.test({
  name: "the page asks for a token, and tells each answer of the relay from the others",
  ignore,
  async fn(t) {
    await using made = await guardedStage();
    const { relay, browser } = made;
    const room = `${relay.url}rooms/1`;
    await using tab = await open(browser, `${room}#/publish`);
    const { page, told } = tab;

    await t.step("401, 403 and a good one, in Publish as in Watch", async () => {
      await refusedAs(page, "token_needed");
      await page.locator("#publish-state", { hasText: "none was shown (401)" }).waitFor();
      assert.ok(await page.isDisabled("#start"));
      await giveToken(page, "not-a-token");
      await refusedAs(page, "token_refused");
      await page.click("nav a[href$='#/watch']");
      await page.locator("#relay-access h2", { hasText: "not accepted" }).waitFor();
      await page.locator("#relay-state", { hasText: "Token refused" }).waitFor();
      await giveToken(page, await tokenFor({ root: "rooms/2" }));
      await refusedAs(page, "forbidden");
      const good = await tokenFor({});
      await giveToken(page, good);
      await page.locator("#empty").waitFor();
      assert.equal(await page.locator("#relay-access").count(), 0);
      const command = await page.textContent("#command");
      assert.match(command!, /"http:\/\/[^"]*\/rooms\/1\?jwt=\$TOKEN" --broadcast demo$/);
      await page.click("nav a[href$='#/publish']");
      await goLive(page, { name: "alice", source: "pattern" });
      await page.click("#stop");
      assert.ok(!told.join("\n").includes(good));
      assert.ok(!relay.output().includes(good));
    });

    await t.step("who may watch and not publish is told before going live", async () => {
      await using viewer = await open(
        browser,
        `${room}?jwt=${await tokenFor({ publish: [] })}#/publish`,
      );
      await viewer.page.locator("#publish-state", { hasText: "not publish" }).waitFor();
      assert.ok(await viewer.page.isDisabled("#start"));
      await viewer.page.locator("#relay-access", { hasText: "may only watch" }).waitFor();
      await giveToken(viewer.page, await tokenFor({}));
      await viewer.page.locator("#start:enabled").waitFor();
      assert.equal(await viewer.page.locator("#relay-access").count(), 0);
    });

    await t.step("404, 429, 502, 503 and no answer", async () => {
      await using deep = await open(browser, `${relay.url}${"a/".repeat(40)}?jwt=x`);
      await refusedAs(deep.page, "nothing_here");
      const cases = [
        [429, "Too many sessions"],
        [502, "Tokens cannot be checked"],
        [503, "Relay is full or stopping"],
        [0, "Relay does not answer"],
      ] as const;
      for (const [status, text] of cases) {
        await page.route(
          "**/announced/**",
          (route) => status === 0 ? route.abort() : route.fulfill({ status }),
        );
        await page.locator("#relay-state", { hasText: text }).waitFor();
        await page.unroute("**/announced/**");
      }
    });

    await t.step("the dashboard tells a status of the admin interface from no answer", async () => {
      await page.click("nav a[href$='#/dashboard']");
      await page.locator("#tile-in").waitFor();
      await page.route("**/api/v1/**", (route) => route.fulfill({ status: 503 }));
      await page.locator("#no-admin", { hasText: "(503)" }).waitFor();
      await page.unroute("**/api/v1/**");
      await page.route("**/api/v1/**", (route) => route.abort());
      await page.locator("#no-admin", { hasText: "does not answer" }).waitFor();
    });
  },
});

Deno.test({
  name:
    "the page has WebTransport by https with the relay's own certificate, and tells why it has not",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const url = relay.url.replace("http:", "https:");
    const publish = await context.newPage();
    await publish.goto(`${url}#/publish`);
    await goLive(publish, { name: "demo", source: "pattern" });
    const { sessions } = await (await fetch(`${relay.adminUrl}/api/v1/sessions`)).json();
    assert.deepEqual(sessions.map((s: { transport: string }) => s.transport), ["webtransport"]);
    const watch = await context.newPage();
    await watch.goto(`${url}?visible=always`);
    await assertMoves(watch);
    assert.equal(await watch.textContent("#transport"), "WebTransport");
    assert.equal(await watch.locator("#fallback").count(), 0);

    // As in a network that blocks UDP: the handshake never finishes.
    await context.addInitScript(`globalThis.WebTransport = class {
      ready = Promise.reject(new Error("blocked"));
      closed = Promise.reject(new Error("blocked"));
      close() {}
    }`);
    const blocked = await context.newPage();
    await blocked.goto(`${url}?visible=always`);
    await assertMoves(blocked);
    assert.equal(await blocked.textContent("#transport"), "WebSocket");
    await blocked.locator("#fallback", { hasText: /WebSocket instead.*UDP to port \d+/ }).waitFor();
    await blocked.goto(`${url.replace("127.0.0.1", "localhost")}?visible=always`);
    await blocked.locator("#fallback", { hasText: /open https:\/\/127\.0\.0\.1:\d+\// }).waitFor();
    await blocked.click("nav a[href$='#/publish']");
    await goLive(blocked, { name: "other", source: "pattern" });
    await blocked.locator("#publish-fallback", { hasText: "open https" }).waitFor();
    await context.close();
  },
});
