import assert from "node:assert/strict";
import { fetchHash } from "./fetched_hash.ts";

const HASH = "ab".repeat(32);

/** A server that stands for a node, and what was asked of it. */
async function asked(answer: (path: string) => Response): Promise<[result: unknown, string[]]> {
  const paths: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    const { pathname, search } = new URL(url);
    paths.push(pathname + search);
    return answer(pathname);
  });
  const url = new URL(`http://127.0.0.1:${server.addr.port}/live?jwt=t.o.k`);
  const result = await fetchHash(url, new AbortController().signal).catch((error) => error);
  return [result, paths];
}

Deno.test("the hash of a certificate is asked for without path and token", async () => {
  const [{ url }, paths] = await asked(() => new Response(`${HASH}\n`)) as [{ url: URL }, string[]];
  assert.deepEqual([url.protocol, url.pathname, paths], ["https:", "/live", [
    "/certificate.sha256",
  ]]);
});

Deno.test("whoever is asked for a hash leads to no other host, and is not listened to for ever", async () => {
  const [led, paths] = await asked((path) =>
    path === "/inside" ? new Response(HASH) : Response.redirect("http://127.0.0.1/inside", 302)
  );
  assert.match(String(led), /could not be fetched/);
  assert.deepEqual(paths, ["/certificate.sha256"]);
  const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(512).fill(97)) });
  const [bored] = await asked(() => new Response(endless));
  assert.match(String(bored), /more than 1024 bytes/);
});
