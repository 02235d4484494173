import assert from "node:assert/strict";
import { silent } from "../../../base/logger.ts";
import { until } from "../../../tests/support/server.ts";
import { UrlDirectory } from "./url.ts";

/** Runs a test with a directory that asks a real server. */
async function asking(
  answer: (request: Request) => Response | Promise<Response>,
  timeoutMs: number,
  test: (parts: { url: UrlDirectory; told: string[]; paths: Set<string> }) => Promise<void>,
) {
  const paths = new Set<string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    paths.add(new URL(request.url).pathname);
    return answer(request);
  });
  const url = new UrlDirectory({
    url: `http://127.0.0.1:${server.addr.port}/nodes?token=hidden`,
    refreshMs: 20,
    log: silent,
    timeoutMs,
  });
  const told: string[] = [];
  url.start(undefined, (nodes) => told.push(nodes.map(({ url }) => new URL(url).host).join(" ")));
  try {
    await test({ url, told, paths });
  } finally {
    await url.close();
    await server.shutdown();
  }
}

Deno.test("a list that has not changed is not sent again: ETag and 304", async () => {
  const list = { etag: '"1"', text: "https://a/" };
  const answers: number[] = [];
  await asking(
    (request) => {
      const same = request.headers.get("if-none-match") === list.etag;
      answers.push(same ? 304 : 200);
      return new Response(same ? null : list.text, {
        status: answers.at(-1)!,
        headers: { etag: list.etag },
      });
    },
    5000,
    async ({ url, told }) => {
      await until(() => answers.length >= 4, "some questions");
      assert.deepEqual(answers.slice(0, 4), [200, 304, 304, 304]);
      Object.assign(list, { etag: '"2"', text: "https://b/" });
      await until(() => told.at(-1) === "b", "the new list");
      assert.deepEqual(told, ["a", "b"]);
      assert.deepEqual(url.state, { kind: "url", reachable: true });
    },
  );
});

const SLOW = "an answer that takes too long";
const FAILURES: Readonly<Record<string, [() => Response | Promise<Response>, RegExp]>> = {
  "a redirect": [
    () => new Response(null, { status: 302, headers: { location: "/elsewhere" } }),
    /answers 302/,
  ],
  "an error": [() => new Response("https://b/", { status: 500 }), /answers 500/],
  "nothing to compare with": [() => new Response(null, { status: 304 }), /answers 304/],
  "a list that is wrong in one place": [() => new Response("https://b/\nhidden"), /is no node/],
  "a list that is too long": [
    () => new Response("https://b/\n".repeat(600_000)),
    /more than 4194304 bytes/,
  ],
  "a list without an end": [
    () =>
      new Response(
        new ReadableStream({
          pull: (to) => to.enqueue(new TextEncoder().encode("https://b/\n".repeat(1000))),
        }),
      ),
    /more than 4194304 bytes/,
  ],
  "bytes that are no text": [() => new Response(Uint8Array.of(0xff, 0xfe)), /encoded|UTF|invalid/i],
  [SLOW]: [
    () => new Promise((resolve) => setTimeout(() => resolve(new Response("https://b/")), 600)),
    /timeout/,
  ],
  "a body that breaks off": [
    () =>
      new Response(
        new ReadableStream({
          start(to) {
            to.enqueue(new TextEncoder().encode("https://b/\n"));
            setTimeout(() => to.error(new Error("broken")), 20);
          },
        }),
        { headers: { "content-length": "100" } },
      ),
    /./,
  ],
};

for (const [name, [failure, why]] of Object.entries(FAILURES)) {
  Deno.test(`${name} changes nothing, and is said without the URL's token`, async () => {
    let good = true;
    await asking(
      () => good ? new Response("https://a/") : failure(),
      name === SLOW ? 300 : 5000,
      async ({ url, told, paths }) => {
        if (name === "nothing to compare with") good = false;
        else await until(() => told.length === 1, "the list");
        good = false;
        await until(() => !url.state.reachable && url.state.lastError !== undefined, "the failure");
        assert.match(url.state.lastError!, why);
        assert.ok(!url.state.lastError!.includes("token=hidden"), url.state.lastError);
        assert.deepEqual([...paths], ["/nodes"]);
        good = true;
        await until(() => url.state.reachable, "the return");
        assert.deepEqual(told, ["a"]);
      },
    );
  });
}
