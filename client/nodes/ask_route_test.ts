import assert from "node:assert/strict";
import { askOverHttp } from "./ask_route.ts";

Deno.test("a relay that answers /route for ever, or elsewhere, tells nothing", async () => {
  let sent = 0;
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    const path = new URL(url).searchParams.get("path");
    if (path === "/moved") return Response.redirect(new URL("/route?path=/fine", url), 302);
    if (path === "/fine") return Response.json({ nodes: [{ url: "https://b.example/" }] });
    const pull = (to: ReadableStreamDefaultController) => {
      sent++;
      to.enqueue(new Uint8Array(64 * 1024).fill(32));
    };
    return new Response(new ReadableStream({ pull }));
  });
  const ask = askOverHttp();
  const at = (path: string) => new URL(`http://127.0.0.1:${server.addr.port}${path}?jwt=t.o.k`);
  const { signal } = new AbortController();
  assert.deepEqual(await ask(at("/fine"), signal), [
    { url: "https://b.example/", region: undefined },
  ]);
  assert.equal(await ask(at("/moved"), signal), undefined);
  const given = new AbortController();
  const late = setTimeout(() => given.abort(), 1500);
  assert.equal(await ask(at("/endless"), given.signal), undefined);
  clearTimeout(late);
  assert.equal(given.signal.aborted, false, "it is not read until it is given up");
  assert.ok(sent > 0);
});
