import assert from "node:assert/strict";
import { Access } from "./access.ts";
import { OtherNodes } from "./other_nodes.ts";

type Answers = Readonly<Record<string, () => Response>>;

/** A page at a.example, and what each host answers to `/route` and `/announced`. */
async function page(
  route: Answers,
  announced: Readonly<Record<string, number>>,
  work: (nodes: OtherNodes, access: Access, asked: Request[]) => Promise<void>,
): Promise<void> {
  const asked: Request[] = [];
  const before = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const request = new Request(input as string, init);
    asked.push(request);
    const { host, pathname } = new URL(request.url);
    const answer = pathname === "/route"
      ? route[host]?.()
      : announced[host] && new Response("", { status: announced[host] });
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError("nobody there"));
  };
  try {
    const access = new Access({ origin: "https://a.example", root: "rooms/1", token: "t.o.k" });
    await work(new OtherNodes(access, () => 0), access, asked);
  } finally {
    globalThis.fetch = before;
  }
}

const nodes = (...urls: string[]) => () =>
  Response.json({ nodes: urls.map((url) => ({ url, region: null })) });

Deno.test("the page goes to a node that its own has named once that is gone", async () => {
  const route: Record<string, () => Response> = {
    "a.example": nodes("https://a.example/", "moqt://b.example:4433/", "https://c.example/"),
  };
  await page(route, { "c.example": 200 }, async (others, access, asked) => {
    await others.learn();
    assert.equal(new URL(asked[0]!.url).search, "?path=rooms%2F1");
    assert.equal(asked[0]!.headers.get("authorization"), null, "the question needs no token");
    delete route["a.example"];
    assert.equal(await others.move(), true);
    assert.equal(access.url, "https://c.example/rooms/1", "b does not answer");
    assert.ok(asked.some(({ url }) => url.startsWith("https://b.example:4433/announced")));
  });
});

Deno.test("the page stays while its node names itself, and while no other one lets it in", async () => {
  await page(
    { "a.example": nodes("https://b.example/", "https://a.example/") },
    { "b.example": 200 },
    async (others, access) => {
      assert.equal(await others.move(), false);
      assert.equal(access.origin, "https://a.example");
    },
  );
  const refused = { "b.example": 403, "c.example": 503 };
  await page(
    { "a.example": nodes("https://b.example/", "https://c.example/") },
    refused,
    async (others, access) => {
      assert.equal(await others.move(), false);
      assert.equal(access.origin, "https://a.example");
    },
  );
});

Deno.test("a node that is full or leaving names others, the best first", async () => {
  await page(
    { "a.example": nodes("https://c.example/", "https://b.example/") },
    { "b.example": 200, "c.example": 200 },
    async (others, access) => {
      assert.equal(await others.move(), true);
      assert.equal(access.origin, "https://c.example");
    },
  );
});

Deno.test("a relay that knows no /route, or answers with something else, moves nobody", async () => {
  for (const answer of [() => new Response("not found\n", { status: 404 }), nodes("no URL")]) {
    await page({ "a.example": answer }, { "a.example": 200 }, async (others, access) => {
      await others.learn();
      assert.equal(await others.move(), false);
      assert.equal(access.origin, "https://a.example");
    });
  }
});
