import assert from "node:assert/strict";
import { type LogFields, silent } from "../../base/logger.ts";
import { ListenFailed } from "../../transport/quic/quic.ts";
import { serveHttp } from "./http_listener.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };
const answering = (body: () => BodyInit) => ({ fetch: () => new Response(body()) });

Deno.test("serveHttp() answers on the port it names", async () => {
  await using http = serveHttp(answering(() => "here"), LOCAL);
  assert.ok(http.address.port > 0);
  const response = await fetch(`http://127.0.0.1:${http.address.port}/`);
  assert.equal(await response.text(), "here");
});

Deno.test("serveHttp() says which address is in use and what to do", async () => {
  await using http = serveHttp(answering(() => "first"), LOCAL);
  const { port } = http.address;
  assert.throws(() => serveHttp(answering(() => "second"), { ...LOCAL, port }), (error) => {
    assert.ok(error instanceof ListenFailed);
    assert.equal(error.code, "QUMO_ADDRESS_IN_USE");
    assert.ok(error.message.startsWith(`Address already in use: 127.0.0.1:${port}`));
    assert.match(error.message, /another port/);
    return true;
  });
});

Deno.test("serveHttp() answers 500 and logs when the app throws", async () => {
  const app = {
    fetch(): Response {
      throw new Error("broken");
    },
  };
  const logged: unknown[] = [];
  const log = {
    ...silent,
    error: (message: string, fields?: LogFields) => logged.push([message, fields]),
  };
  await using http = serveHttp(app, LOCAL, { log });
  const response = await fetch(`http://127.0.0.1:${http.address.port}/`);
  assert.equal(response.status, 500);
  assert.deepEqual(logged, [["request failed", { reason: "broken" }]]);
  assert.equal(await response.text(), "internal error\n");
});

Deno.test("HttpListener.close() lets an answer that has begun finish", async () => {
  const body = new TransformStream<Uint8Array, Uint8Array>();
  const writer = body.writable.getWriter();
  const http = serveHttp(answering(() => body.readable), LOCAL, { graceMs: 60_000 });
  const response = await fetch(`http://127.0.0.1:${http.address.port}/`);
  const closed = http.close();
  await writer.write(new TextEncoder().encode("to the "));
  await writer.write(new TextEncoder().encode("end"));
  await writer.close();
  assert.equal(await response.text(), "to the end");
  await closed;
});

Deno.test("HttpListener.close() ends with its grace, whatever answers and half requests still hang", async () => {
  const hanging = () => new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([1])) });
  const http = serveHttp(answering(hanging), LOCAL, { graceMs: 1 });
  const { port } = http.address;
  using half = await Deno.connect({ hostname: "127.0.0.1", port });
  await half.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHo"));
  const reader = (await fetch(`http://127.0.0.1:${port}/`)).body!.getReader();
  await reader.read();
  await Promise.all([http.close(), http.close()]);
  await assert.rejects(reader.read());
  assert.equal(await half.read(new Uint8Array(8)).catch(() => null), null);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`), TypeError);
});
