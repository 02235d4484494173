import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Connection, SendEnd, SendStream } from "../../transport/connection.ts";
import { dial } from "../../transport/dial.ts";
import { ConnectFailed, ConnectionClosed } from "../../transport/errors.ts";
import {
  type WebTransportAcceptOptions,
  type WebTransportRequest,
} from "../../transport/webtransport/webtransport_server.ts";
import { connectWebTransport } from "../../transport/webtransport/webtransport_client.ts";
import { decodeHeaders, encodeHeaders } from "../../wire/h3/qpack.ts";
import type { HeaderField } from "../../wire/h3/static_table.ts";
import { H3Error } from "../../wire/h3/errors.ts";
import { encodeFrame, frameParser } from "../../wire/h3/frames.ts";
import { udpPath } from "../support/peers/udp_path.ts";
import { all, bytes, joined, webTransportServer, words } from "../support/transports.ts";

/** How a stream ends that is written to again and again. A sender that writes nothing does not notice a stop. */
async function refusal(stream: SendStream): Promise<SendEnd> {
  const writing = setInterval(() => stream.write(bytes("more")), 10);
  try {
    return await stream.closed;
  } finally {
    clearInterval(writing);
  }
}

/** A server that accepts at "/room" and answers with the number in the path elsewhere, like "/403". */
async function setUp(
  options: Partial<WebTransportAcceptOptions> = {},
  idleTimeoutMs = 5000,
) {
  const requests: WebTransportRequest[] = [];
  const server = await webTransportServer({
    protocols: ["moq-lite-04", "moq-lite-05"],
    decide: (request) => {
      requests.push(request);
      return { status: Number(/^\/(\d{3})$/.exec(request.path)?.[1] ?? 200) };
    },
    ...options,
  }, { alpn: ["moq-lite-05"], idleTimeoutMs, keepAliveMs: idleTimeoutMs / 4 });
  const { hash } = server;
  const url = new URL("/room?jwt=abc", server.url);
  return {
    ...server,
    url,
    requests,
    dial: (protocols = ["moq-lite-05"], path = "/room?jwt=abc", headers = {}) =>
      connectWebTransport(new URL(path, url), { protocols, headers, hash }),
    /** A bare connection that has sent empty SETTINGS. */
    raw: async (settings = Uint8Array.of(0, 4, 0)) => {
      const conn = await server.raw();
      (await conn.openUni()).write(settings);
      return conn;
    },
  };
}

const pair = async (options: Partial<WebTransportAcceptOptions> = {}) =>
  await joined(await setUp(options));

Deno.test("a session shows the request and the protocol, the client's order winning", async () => {
  await using server = await setUp();
  const client = await server.dial(["other", "moq-lite-05", "moq-lite-04"], "/room?jwt=abc", {
    origin: "https://example.org",
    "x-more": "é",
  });
  const there = await server.next();
  assert.deepEqual([client.protocol, there.protocol], ["moq-lite-05", "moq-lite-05"]);
  assert.deepEqual([client.path, there.path], ["/room?jwt=abc", "/room?jwt=abc"]);
  assert.deepEqual([client.kind, there.kind], ["webtransport", "webtransport"]);
  const [request] = server.requests;
  assert.equal(request!.authority, server.url.host);
  assert.equal(request!.origin, "https://example.org");
  assert.equal(request!.path, "/room?jwt=abc");
  assert.equal(request!.protocol, "moq-lite-05");
  client.close();
});

Deno.test("a client that offers no protocol gets a session without one", async () => {
  await using server = await setUp();
  const client = await server.dial([]);
  assert.deepEqual([client.protocol, (await server.next()).protocol], ["", ""]);
  client.close();
});

for (const status of [400, 401, 403, 404, 429, 503]) {
  Deno.test(`a refusal reaches the client as status ${status}`, async () => {
    await using server = await setUp();
    const protocols = status === 400 ? ["unknown"] : ["moq-lite-05"];
    await assert.rejects(server.dial(protocols, `/${status}`), (thrown) => {
      return thrown instanceof ConnectFailed && thrown.status === status;
    });
  });
}

Deno.test("a decision that takes time and a decision that fails are answered too", async () => {
  await using server = await setUp({
    decide: async ({ path }) => {
      await Promise.resolve();
      if (path === "/broken") throw new Error("broken");
      return { status: 200 };
    },
  });
  await assert.rejects(server.dial(undefined, "/broken"), (thrown) => {
    return thrown instanceof ConnectFailed && thrown.status === 500;
  });
  (await server.dial()).close();
});

Deno.test("WebTransport carries streams both ways, with their ends", async () => {
  await using at = await pair();
  for (const [from, to] of [[at.client, at.there], [at.there, at.client]] as const) {
    const uni = await from.openUni({ sendOrder: 3 });
    uni.write(bytes("one "));
    uni.write(bytes("way"));
    uni.finish();
    assert.equal(words(await all((await to.acceptUni())!)), "one way");
    assert.equal(await uni.closed, "finished");
    const asks = await from.openBidi();
    asks.send.write(bytes("ask"));
    asks.send.finish();
    const answers = (await to.acceptBidi())!;
    assert.equal(words(await all(answers.receive)), "ask");
    await answers.send.flush(bytes("answer"));
    answers.send.finish();
    assert.equal(words(await all(asks.receive)), "answer");
    const empty = await from.openUni();
    empty.finish();
    assert.equal(words(await all((await to.acceptUni())!)), "");
  }
});

Deno.test("WebTransport carries megabytes unchanged, large first chunks too", async () => {
  await using at = await pair();
  const sent = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
  const send = await at.there.openUni();
  const receiving = at.client.acceptUni().then((stream) => all(stream!));
  for (let i = 0; i < sent.length; i += 70_000) {
    send.write(sent.subarray(i, i + 70_000));
    if (send.blocked) await new Promise<void>((resolve) => send.onWritable(resolve));
  }
  send.finish();
  assert.equal(Buffer.compare(await receiving, sent), 0);
});

Deno.test("WebTransport carries datagrams with the session's prefix", async () => {
  await using at = await pair();
  assert.equal(at.client.sendDatagram(new Uint8Array(at.client.maxDatagramBytes + 1)), false);
  assert.equal(at.client.sendDatagram(bytes("there")), true);
  assert.equal(words(await at.there.readDatagram()), "there");
  const largest = new Uint8Array(at.there.maxDatagramBytes).fill(7);
  assert.equal(at.there.sendDatagram(largest), true);
  assert.deepEqual(await at.client.readDatagram(), largest);
});

for (const closer of ["client", "server"] as const) {
  Deno.test(`the ${closer} closes with a code and a reason, and everything ends`, async () => {
    await using at = await pair();
    const [mine, theirs] = closer === "client" ? [at.client, at.there] : [at.there, at.client];
    const send = await theirs.openUni();
    await send.flush(bytes("x"));
    const receive = (await mine.acceptUni())!;
    await receive.read();
    const pending = receive.read();
    const waiting = [theirs.acceptUni(), mine.acceptBidi(), theirs.readDatagram()];
    mine.close(4_000_000_000, "grüße");
    mine.close(1, "again");
    const info = { code: 4_000_000_000, reason: "grüße", abrupt: false };
    await assert.rejects(pending, ConnectionClosed);
    assert.deepEqual([await mine.closed, await theirs.closed], [info, info]);
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined, undefined]);
    assert.equal(await send.closed, "lost");
    await assert.rejects(mine.openUni(), ConnectionClosed);
    await assert.rejects(theirs.openBidi(), ConnectionClosed);
    assert.equal(theirs.sendDatagram(bytes("x")), false);
  });
}

/** Sends one request on a bare HTTP/3 connection and returns the status, if there is an answer. */
async function ask(conn: Connection, fields: HeaderField[]): Promise<string | undefined> {
  const { send, receive } = await conn.openBidi();
  send.write(encodeFrame(0x21, bytes("grease")));
  send.write(encodeFrame(1, encodeHeaders(fields)));
  const parser = frameParser();
  for (let chunk; (chunk = await receive.read());) {
    for (const frame of parser.push(chunk)) {
      return decodeHeaders(frame.payload).find(([name]) => name === ":status")?.[1];
    }
  }
  return undefined;
}
const CONNECT: HeaderField[] = [
  [":method", "CONNECT"],
  [":protocol", "webtransport"],
  [":scheme", "https"],
  [":authority", "localhost"],
  [":path", "/room"],
];

Deno.test("other requests, broken ones and a second session get answers beside a session", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  assert.equal(await ask(conn, [[":method", "GET"], [":path", "/"]]), "404");
  assert.equal(await ask(conn, [[":path", "/"], [":path", "/"]]), "400");
  assert.equal(await ask(conn, CONNECT.filter(([name]) => name !== ":path")), "400");
  assert.equal(await ask(conn, [[":protocol", "connect-udp"], ...CONNECT.slice(0, 1)]), "501");
  assert.equal(await ask(conn, [...CONNECT.slice(0, 4), [":path", "/403"]]), "403");
  const malformed: HeaderField = ["wt-available-protocols", "moq-lite-05"];
  assert.equal(await ask(conn, [...CONNECT, malformed]), "200");
  const there = await server.next();
  assert.equal(there.protocol, "");
  assert.equal(await ask(conn, CONNECT), "429");
  assert.equal(await ask(conn, [[":method", "GET"], [":path", "/"]]), "404");
  const uni = await there.openUni();
  uni.write(bytes("still up"));
  await conn.acceptUni();
  assert.equal(words((await (await conn.acceptUni())!.read())!.subarray(-8)), "still up");
  conn.close();
  await there.closed;
});

Deno.test("a connection whose requests lead nowhere is closed after a hundred of them", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  const get: HeaderField[] = [[":method", "GET"], [":path", "/"]];
  const request = encodeFrame(1, encodeHeaders(get));
  for (let i = 0; i <= 100; i++) {
    const { send, receive } = await conn.openBidi();
    send.write(request);
    send.finish();
    await all(receive).catch((error) => assert.ok(i === 100 && error instanceof ConnectionClosed));
  }
  assert.equal((await conn.closed).code, H3Error.excessiveLoad);
});

Deno.test("streams of a session that does not come are few and short: more of them, and longer ones, are refused", async () => {
  await using server = await setUp();
  const conn = await server.raw();
  const long = new Uint8Array(20_000);
  long.set([0x40, 0x54, 0x3c]); // session 60
  const open = async (head: Uint8Array) => {
    const stream = await conn.openUni();
    stream.write(head);
    return stream;
  };
  assert.equal(await refusal(await open(long)), "stopped");
  const streams: SendStream[] = [];
  for (let i = 0; i < 18; i++) streams.push(await open(long.subarray(0, 2000)));
  for (const stream of streams.slice(16)) assert.equal(await refusal(stream), "stopped");
  assert.equal(streams.filter(({ done }) => !done).length, 16);
});

Deno.test("streams that come before their session wait for it, a silent one holding up none", async () => {
  const decided = Promise.withResolvers<{ status: number }>();
  await using server = await setUp({ decide: () => decided.promise });
  const conn = await server.raw();
  const silent = await conn.openUni();
  await silent.flush(Uint8Array.of(0x40));
  const request = await conn.openBidi();
  request.send.write(encodeFrame(1, encodeHeaders(CONNECT)));
  const early = await conn.openUni();
  early.write(Uint8Array.of(0x40, 0x54, 0, ...bytes("early")));
  const other = await conn.openUni();
  other.write(Uint8Array.of(0x40, 0x54, 4, ...bytes("of no session")));
  const grease = await conn.openUni();
  grease.write(Uint8Array.of(0x21, 1, 2, 3));
  decided.resolve({ status: 200 });
  const there = await server.next();
  assert.equal(words(await (await there.acceptUni())!.read()), "early");
  silent.write(Uint8Array.of(0x54, 0, ...bytes("late")));
  assert.equal(words(await (await there.acceptUni())!.read()), "late");
  request.send.finish();
  assert.deepEqual(await there.closed, { code: 0, reason: "", abrupt: false });
  conn.close();
});

Deno.test("broken SETTINGS end the connection", async () => {
  await using server = await setUp();
  const conn = await server.raw(Uint8Array.of(0, 4, 2, 3, 1));
  assert.equal((await conn.closed).code, 0x101);
  assert.match((await conn.closed).reason, /SETTINGS/);
});

Deno.test("a network lost below is an abrupt end of the session", async () => {
  await using server = await setUp({}, 400);
  await using path = udpPath(Number(server.url.port));
  const client = await connectWebTransport(`https://127.0.0.1:${path.port}/`, {
    protocols: [],
    hash: server.hash,
    transport: { keepAliveMs: 100 },
  });
  const there = await server.next();
  const waiting = there.acceptUni();
  path.cut();
  assert.equal((await there.closed).abrupt, true);
  assert.equal((await client.closed).abrupt, true);
  assert.equal(await waiting, undefined);
});

Deno.test("streams of a session that is closed end with it: none looks like one that was written to its end", async () => {
  await using at = await pair();
  const { client, there } = at;
  const readers = [];
  for (let i = 0; i < 30; i++) {
    (await there.openUni()).write(bytes("some"));
    const stream = await client.acceptUni();
    assert.deepEqual(await stream!.read(), bytes("some"));
    readers.push(stream!);
  }
  const ends = Promise.allSettled(readers.map((stream) => stream.read()));
  there.close(7, "that was it");
  for (const end of await ends) {
    assert.equal(end.status, "rejected");
    assert.ok(end.reason instanceof ConnectionClosed);
  }
});

Deno.test("a connection without a session in time is closed", async () => {
  await using server = await setUp({ timeoutMs: 20 });
  const conn = await server.raw();
  assert.match((await conn.closed).reason, /in time/);
});

Deno.test("dial() picks the transport by the scheme", async () => {
  await using server = await setUp();
  const options = { protocols: ["moq-lite-05"], hash: server.hash };
  const session = await dial(server.url, options);
  assert.equal(session.kind, "webtransport");
  const quic = await dial(server.url.href.replace("https:", "moqt:"), options);
  assert.deepEqual([quic.kind, quic.protocol], ["quic", "moq-lite-05"]);
  await assert.rejects(dial("ftp://localhost/", options), ConnectFailed);
  session.close();
  quic.close();
});

Deno.test("dial() of an http URL pins the certificate whose hash the server publishes", async () => {
  await using server = await setUp();
  let text = server.hash.toHex() + "\n";
  await using http = Deno.serve(
    { hostname: "127.0.0.1", port: Number(server.url.port), onListen() {} },
    (request) => {
      const found = new URL(request.url).pathname === "/certificate.sha256";
      return new Response(text, { status: found ? 200 : 404 });
    },
  );
  assert.equal(http.addr.port, Number(server.url.port));
  const url = server.url.href.replace("https:", "http:");
  const session = await dial(url, { protocols: ["moq-lite-05"] });
  assert.equal(session.path, "/room?jwt=abc");
  session.close();
  text = "no hash";
  await assert.rejects(dial(url, { protocols: ["moq-lite-05"] }), ConnectFailed);
});
