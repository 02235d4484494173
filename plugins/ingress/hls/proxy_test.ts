import assert from "node:assert/strict";
import { HlsProxy } from "./proxy.ts";
import { Reachable } from "./reachable.ts";

/** A server and a proxy for what it has; `ask` is what ffmpeg would do. */
function stand(answer: (request: Request) => Response | Promise<Response>, path = "/index.m3u8") {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const { port } = server.addr;
  const failures: (string | undefined)[] = [];
  const proxy = new HlsProxy({
    url: `http://me:s%2Fcret@127.0.0.1:${port}${path}`,
    reachable: new Reachable([{ hostname: "127.0.0.1", port }]),
    timeoutMs: 2000,
    onfailed: (failure) => void failures.push(failure?.message),
  });
  const { username, password, host } = new URL(proxy.env.http_proxy!);
  const right = `Basic ${btoa(`${username}:${password}`)}`;
  return {
    ...{ port, proxy, failures },
    async ask(url: string, headers: Record<string, string> = { "proxy-authorization": right }) {
      const [hostname, proxyPort] = host.split(":");
      const conn = await Deno.connect({ hostname: hostname!, port: Number(proxyPort) });
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join(
        "",
      );
      const text = `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n`;
      await conn.write(new TextEncoder().encode(text));
      return await new Response(conn.readable).text();
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

Deno.test("the proxy answers nobody but who knows its password", async () => {
  await using at = stand(() => assert.fail("nothing is fetched"));
  const url = `http://127.0.0.1:${at.port}/x`;
  for (
    const given of [{}, { "proxy-authorization": "Basic Zm1wZWc6" }] as Record<string, string>[]
  ) {
    assert.match(await at.ask(url, given), /^HTTP\/1\.1 407 /);
  }
});

Deno.test("the proxy leads to the playlist, whose credentials its own host alone is given", async () => {
  const given: (string | null)[] = [];
  await using other = stand((request) => {
    given.push(request.headers.get("authorization"));
    return new Response("segment");
  });
  await using at = stand((request) => {
    given.push(request.headers.get("authorization"));
    return Response.redirect(`http://127.0.0.1:${other.port}/other`, 302);
  });
  const entry = await at.ask(at.proxy.input);
  assert.match(entry, new RegExp(`302 [^]*location: http://127.0.0.1:${at.port}/index.m3u8\r`));
  const next = await at.ask(`http://127.0.0.1:${at.port}/index.m3u8`);
  assert.match(next, new RegExp(`location: http://127.0.0.1:${other.port}/other\r`));
  assert.match(await at.ask(`http://127.0.0.1:${other.port}/other`), /^HTTP\/1\.1 502 /);
  assert.match(at.failures.at(-1)!, /not public; name 127\.0\.0\.1 in/);
  assert.match(
    await other.ask(`http://127.0.0.1:${other.port}/other`),
    /\r\n\r\n7\r\nsegment|segment$/,
  );
  const basic = `Basic ${btoa("me:s/cret")}`;
  assert.deepEqual(given, [basic, basic]);
});

Deno.test("the proxy hands ranges on, rewrites playlists, and says what fails", async () => {
  await using at = stand((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/gone") return new Response(null, { status: 410 });
    if (pathname === "/mail") {
      return new Response(null, { status: 302, headers: { location: "mailto:x" } });
    }
    if (pathname === "/list") return new Response("#EXTM3U\nhttps://a.example/1.ts\n");
    if (pathname === "/many") {
      return new Response("#EXTM3U\n" + "#EXT-X-STREAM-INF:\na\n".repeat(129));
    }
    if (pathname === "/endless") {
      return new Response(
        new ReadableStream({
          start: (c) => c.enqueue(new TextEncoder().encode("#EXTM3U\n")),
          pull: (c) => c.enqueue(new Uint8Array(65_536).fill(0x0a)),
        }),
      );
    }
    return new Response(request.headers.get("range"), {
      status: 206,
      headers: { "content-range": "bytes 2-3/9" },
    });
  });
  const of = (path: string, more = {}) => {
    const { username, password } = new URL(at.proxy.env.http_proxy!);
    const headers = { "proxy-authorization": `Basic ${btoa(`${username}:${password}`)}`, ...more };
    return at.ask(`http://127.0.0.1:${at.port}${path}`, headers);
  };
  assert.match(
    await of("/part", { range: "bytes=2-3" }),
    /206 [^]*content-range: bytes 2-3\/9[^]*bytes=2-3/,
  );
  assert.match(await of("/list"), /http:\/\/https\.a\.example\/1\.ts/);
  assert.match(await of("/gone"), /^HTTP\/1\.1 410 /);
  assert.match(at.failures.at(-1)!, /\/gone: it answers 410 Gone$/);
  assert.match(await of("/mail"), /^HTTP\/1\.1 502 /);
  assert.match(await of("/endless"), /^HTTP\/1\.1 502 /);
  assert.match(at.failures.at(-1)!, /more than 4194304 bytes/);
  // A playlist of 4 MB that names nothing else cost ffmpeg 1.8 GB.
  assert.match(await of("/many"), /^HTTP\/1\.1 502 /);
  assert.match(at.failures.at(-1)!, /it names 129 playlists, more than 128$/);
  assert.doesNotMatch(at.failures.join(), /cret/);
});

Deno.test("the proxy ends, and lets a source go that falls silent", async () => {
  let silent = 0;
  await using at = stand(() => {
    silent++;
    return new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(0)) }));
  });
  const asking = at.ask(at.proxy.input.replace("playlist.invalid", `127.0.0.1:${at.port}`));
  for (const deadline = Date.now() + 10_000; silent === 0 && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await at.proxy[Symbol.asyncDispose]();
  assert.doesNotMatch(await asking.catch(() => ""), /200 OK/);
});
