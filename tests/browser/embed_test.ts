/**
 * The player in pages of another origin, as docs/embed.md has it: the element, the frame, tokens, and missing
 * broadcasts.
 */
import { problemsOf, stage } from "../support/pages/stage.ts";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { keyOf } from "../../server/auth/keys/key.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { signToken } from "../../server/auth/token.ts";
import { KEY } from "../support/fixtures/token_vector.ts";
import { ROOT } from "../../tools/module_graph.ts";
import { PICTURES, site } from "../support/pages/embed_page.ts";
import { H264_AAC } from "../support/media/publish_media.ts";
import { type RelayProgram, start } from "../support/program.ts";
import { testMedia } from "../support/media/test_media.ts";
import { need } from "../support/require.ts";
import { until } from "../support/server.ts";

const ignore = !need("chromium").ok || !need("ffmpeg").ok;

function publish(url: string, broadcast: string, seconds?: number) {
  const stack = new AsyncDisposableStack();
  const media = stack.use(testMedia({
    size: "320x180",
    codecs: H264_AAC,
    ...(seconds === undefined ? {} : { seconds }),
  }));
  const pub = stack.use(start(["pub", url, "--broadcast", broadcast], { stdin: media.stdout }));
  return { pub, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function visit(browser: Browser, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage();
  const problems = problemsOf(page);
  await page.goto(url);
  return { page, problems };
}

/** Blocks of a document in one language. */
async function blocks(file: string, language: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}${file}`);
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))]
    .map(([, body]) => body!);
}

async function sessionsOf(relay: RelayProgram): Promise<number> {
  const { sessions } = await (await fetch(`${relay.adminUrl}/api/v1/sessions`)).json();
  return sessions.length;
}

Deno.test({
  name: "the page of docs/embed.md plays video from another origin; its player leaves no session",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    const [html] = await blocks("docs/embed.md", "html");
    await using host = site(html!.replaceAll("https://relay.example/", relay.url));
    await using _pub = publish(relay.url, "demo");
    const { page, problems } = await visit(browser, host.origin);
    assert.ok(await page.evaluate(PICTURES) as number >= 5, "no moving picture");
    await page.locator("#state", { hasText: "playing" }).waitFor();
    const size =
      "[document.querySelector('qumo-watch').videoWidth, document.querySelector('qumo-watch').videoHeight]";
    assert.deepEqual(await page.evaluate(size), [320, 180]);

    // A second player shares the session of the first. Moving the first within the page keeps it.
    await page.evaluate(`(() => {
      const first = document.querySelector("qumo-watch");
      const second = first.cloneNode();
      second.id = "second";
      document.body.append(second);
      document.body.append(first);
      return new Promise((resolve) => second.addEventListener("playing", resolve, { once: true }));
    })()`);
    assert.equal(await sessionsOf(relay), 2, "the publisher and the page");
    await page.evaluate("document.querySelectorAll('qumo-watch').forEach((each) => each.remove())");
    await until(async () => await sessionsOf(relay) === 1, "the end of the page's session");
    assert.deepEqual(problems, []);
  },
});

Deno.test({
  name:
    "the player waits for a broadcast that starts later, says when it ends, and when the relay is gone",
  ignore,
  async fn() {
    await using made = await stage();
    const { relay, browser } = made;
    const [html] = await blocks("docs/embed.md", "html");
    await using host = site(html!.replaceAll("https://relay.example/", relay.url));
    const { page, problems } = await visit(browser, host.origin);
    const state = (text: string) => page.locator("#state", { hasText: text }).waitFor();
    await state("offline");
    {
      await using running = publish(relay.url, "demo", 3);
      await state("playing");
      assert.ok(await page.evaluate(PICTURES) as number >= 5, "no moving picture");
      await running.pub.ended();
    }
    await state("ended");
    await page.evaluate("document.querySelector('qumo-watch').setAttribute('broadcast', '')");
    await state("Set the attribute broadcast");
    await page.evaluate("document.querySelector('qumo-watch').setAttribute('broadcast', 'demo')");
    await until(
      () => page.evaluate("document.querySelector('qumo-watch').state === 'offline'"),
      "offline again",
    );
    relay.process.kill("SIGKILL");
    await state("does not answer");
    assert.deepEqual(problems, []);
  },
});

Deno.test({
  name:
    "the frame plays a path of several segments below a root, with a token from its address or its parent",
  ignore,
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/key.jwk`, JSON.stringify(KEY));
      await using made = await stage({ flags: ["--auth.key_file", `${dir}/key.jwk`] });
      const { relay, browser } = made;
      const everything = [Pattern.parse("**")];
      const token = await signToken(
        { root: "rooms/1", publish: everything, subscribe: everything },
        keyOf(KEY),
      );
      await using _pub = publish(`${relay.url}rooms/1?jwt=${token}`, "café/cam 1");
      const at = `${relay.url}embed/caf%C3%A9/cam%201?root=rooms/1`;
      await using host = site(`<!doctype html><script>
        const heard = [];
        addEventListener("message", ({ data }) => heard.push(data));
      </script>`);
      const { page } = await visit(browser, host.origin);
      const show = async (src: string) => {
        await page.evaluate(`(() => {
          heard.length = 0;
          document.querySelector("iframe")?.remove();
          const frame = document.createElement("iframe");
          frame.allow = "autoplay";
          frame.src = ${JSON.stringify(src)};
          document.body.append(frame);
        })()`);
        const frame = await (await page.waitForSelector("iframe")).contentFrame();
        await frame!.waitForSelector("qumo-watch");
        return frame!;
      };
      const told = (type: string) =>
        page.waitForFunction((type) =>
          // deno-lint-ignore no-explicit-any
          (globalThis as any).eval("heard").some((data: any) => data.type === type), type);

      const byAddress = await show(`${at}&jwt=${token}&muted=1`);
      assert.ok(await byAddress.evaluate(PICTURES) as number >= 5, "no moving picture");
      await told("qumo:playing");
      assert.equal(await byAddress.evaluate("location.href.includes('jwt')"), false);

      const byParent = await show(`${at}&parent=${host.origin}`);
      await told("qumo:ready");
      await told("qumo:error");
      const [error] = await page.evaluate(
        "heard.filter(({ type }) => type === 'qumo:error')",
      ) as { detail: { code: string } }[];
      assert.equal(error!.detail.code, "QUMO_EMBED_TOKEN_NEEDED");
      const give = `document.querySelector("iframe").contentWindow
        .postMessage({ type: "qumo:token", value: "${token}" }, "${relay.url}")`;
      await page.evaluate(give);
      assert.ok(await byParent.evaluate(PICTURES) as number >= 5, "no moving picture");

      // Messages of a parent that was not named are ignored, and it gets none.
      const stranger = await show(`${at}&parent=https://site.example`);
      await page.evaluate(give);
      assert.equal(
        await stranger.evaluate("document.querySelector('qumo-watch').token"),
        undefined,
      );
      assert.deepEqual(await page.evaluate("heard"), []);

      const nowhere = await browser.newPage();
      await nowhere.goto(`${relay.url}embed/%ff?jwt=${token}`);
      await nowhere.getByText("names no broadcast").waitFor();
      assert.equal(nowhere.url(), `${relay.url}embed/%ff`, "the token is out of the address");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
