import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { selfSigned } from "../../config/tls/self_signed.ts";
import type { Connection } from "../../transport/connection.ts";
import { ConnectFailed, ConnectionClosed, StreamClosed } from "../../transport/errors.ts";
import {
  connectQuic,
  ListenFailed,
  listenQuic,
  type QuicListener,
} from "../../transport/quic/quic.ts";
import type { TransportSettings } from "../../transport/quic/quic_settings.ts";
import { udpPath } from "../support/peers/udp_path.ts";
import { all, bytes, joined, words } from "../support/transports.ts";

const HOSTS = ["localhost", "127.0.0.1"];
const PROTOCOLS = ["moq-lite-05", "moq-lite-04"];

/** Bytes whose period is not a power of two, so that a lost or doubled piece is noticed. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
}

async function setUp(transport: TransportSettings = {}) {
  const certificate = await selfSigned(HOSTS);
  const failures: Error[] = [];
  const listener = listenQuic({
    hostname: "127.0.0.1",
    port: 0,
    ...certificate,
    protocols: PROTOCOLS,
    transport,
    onHandshakeFailure: (failure) => failures.push(failure),
  });
  const accepted = listener[Symbol.asyncIterator]();
  return {
    listener,
    failures,
    certificate,
    async next(): Promise<Connection> {
      return (await accepted.next()).value!;
    },
    dial: (options: { protocols?: string[]; hash?: Uint8Array; port?: number } = {}) =>
      connectQuic(`moqt://127.0.0.1:${options.port ?? listener.addr.port}/room?x=1`, {
        protocols: options.protocols ?? ["moq-lite-05"],
        hash: options.hash ?? certificate.sha256,
        transport,
      }),
    [Symbol.asyncDispose]: () => shut(listener),
  };
}

async function shut(listener: QuicListener): Promise<void> {
  listener.close();
  for await (const left of listener) left.close();
}

const pair = async (transport: TransportSettings = {}) => await joined(await setUp(transport));

Deno.test("raw QUIC carries streams both ways, with their ends", async () => {
  await using at = await pair();
  assert.deepEqual([at.client.protocol, at.there.protocol], ["moq-lite-05", "moq-lite-05"]);
  assert.deepEqual([at.client.path, at.there.path], ["/room?x=1", "/"]);
  assert.equal(at.client.remoteAddress, `127.0.0.1:${at.server.listener.addr.port}`);
  assert.match(at.there.remoteAddress, /^127\.0\.0\.1:\d+$/);
  for (const [from, to] of [[at.client, at.there], [at.there, at.client]] as const) {
    const uni = await from.openUni({ sendOrder: -5 });
    uni.setSendOrder(7);
    uni.write(bytes("one "));
    uni.write(bytes("way"));
    uni.finish();
    assert.equal(uni.done, true);
    assert.equal(words(await all((await to.acceptUni())!)), "one way");
    assert.equal(await uni.closed, "finished");
    const asks = await from.openBidi();
    asks.send.write(bytes("ask"));
    asks.send.finish();
    const answers = (await to.acceptBidi())!;
    assert.equal(words(await all(answers.receive)), "ask");
    await answers.send.flush(bytes("answer"));
    answers.send.reset(3);
    assert.equal(answers.send.canReset, false);
    assert.equal(words(await all(asks.receive)), "answer");
    assert.equal(await answers.send.closed, "reset");
  }
});

Deno.test("raw QUIC carries megabytes unchanged while the writer heeds blocked", async () => {
  await using at = await pair();
  const sent = pattern(8_000_000);
  const send = await at.client.openUni();
  const receiving = at.there.acceptUni().then((stream) => all(stream!));
  let waits = 0;
  for (let i = 0; i < sent.length; i += 50_000) {
    send.write(sent.subarray(i, i + 50_000));
    if (!send.blocked) continue;
    waits++;
    await new Promise<void>((resolve) => send.onWritable(resolve));
  }
  assert.ok(waits > 0);
  send.finish();
  assert.equal(Buffer.compare(await receiving, sent), 0);
});

Deno.test("raw QUIC sends bytes out of shared memory as they are", async () => {
  await using at = await pair();
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  shared.set(pattern(100_000));
  const send = await at.client.openUni();
  send.write(shared.subarray(10, 90_000));
  send.finish();
  const got = await all((await at.there.acceptUni())!);
  assert.equal(Buffer.compare(got, pattern(100_000).subarray(10, 90_000)), 0);
});

Deno.test("stop() ends the reader and shows at the writer's next write", async () => {
  await using at = await pair();
  const send = await at.client.openUni();
  await send.flush(bytes("x"));
  const receive = (await at.there.acceptUni())!;
  await receive.read();
  const pending = receive.read();
  receive.stop(1);
  assert.equal(await pending, undefined);
  // STOP_SENDING comes over the wire: writes that are taken at once must leave the event loop room for it.
  while (!send.done) {
    await send.flush(bytes("y")).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(await send.closed, "stopped");
  assert.equal(send.blocked, false);
  await assert.rejects(send.flush(bytes("z")), StreamClosed);
});

Deno.test("a stream cut with its connection is no end in order", async () => {
  await using at = await pair();
  const send = await at.client.openUni();
  await send.flush(bytes("half a message"));
  const receive = (await at.there.acceptUni())!;
  await receive.read();
  const pending = receive.read();
  at.client.close(1);
  await assert.rejects(pending, ConnectionClosed);
  assert.equal(await send.closed, "lost");
});

Deno.test("datagrams arrive; too large ones are refused", async () => {
  await using at = await pair();
  assert.ok(at.client.maxDatagramBytes >= 1000);
  assert.equal(at.client.sendDatagram(new Uint8Array(at.client.maxDatagramBytes + 1)), false);
  const datagram = bytes("datagram");
  assert.equal(at.client.sendDatagram(datagram), true);
  datagram.fill(0);
  assert.equal(words(await at.there.readDatagram()), "datagram");
});

Deno.test("close() tells both ends code and reason, and ends what waits", async () => {
  await using at = await pair();
  const waiting = [at.client.acceptUni(), at.there.acceptBidi(), at.there.readDatagram()];
  at.there.close(42, "enough");
  at.there.close(43, "again");
  const info = { code: 42, reason: "enough", abrupt: false };
  assert.deepEqual([await at.client.closed, await at.there.closed], [info, info]);
  assert.deepEqual(await Promise.all(waiting), [undefined, undefined, undefined]);
  await assert.rejects(at.client.openUni(), ConnectionClosed);
  await assert.rejects(at.there.openBidi(), ConnectionClosed);
  assert.equal(at.client.sendDatagram(bytes("x")), false);
  assert.equal(at.client.maxDatagramBytes, 0);
});

Deno.test("a peer that falls silent is an abrupt end", async () => {
  await using server = await setUp({ idleTimeoutMs: 400, keepAliveMs: 100 });
  await using path = udpPath(server.listener.addr.port);
  const client = await server.dial({ port: path.port });
  const there = await server.next();
  const send = await there.openUni();
  const waiting = client.acceptUni();
  path.cut();
  assert.equal((await there.closed).abrupt, true);
  assert.equal((await client.closed).abrupt, true);
  assert.equal(await waiting, undefined);
  assert.equal(await send.closed, "lost");
});

Deno.test("openUni() waits for the peer's stream credit", async () => {
  await using at = await pair({ maxUniStreams: 1 });
  const first = await at.client.openUni();
  await first.flush(bytes("1"));
  const second = at.client.openUni();
  first.finish();
  await all((await at.there.acceptUni())!);
  await (await second).flush(bytes("2"));
  assert.equal(words(await (await at.there.acceptUni())!.read()), "2");
});

Deno.test("replaceCertificate() serves new connections and leaves the old ones up", async () => {
  await using server = await setUp();
  const before = await server.dial();
  const there = await server.next();
  const other = await selfSigned(HOSTS);
  server.listener.replaceCertificate(other.cert, other.key);
  await assert.rejects(server.dial(), ConnectFailed);
  const after = await server.dial({ hash: other.sha256 });
  await server.next();
  const send = await before.openUni();
  send.write(bytes("still here"));
  assert.equal(words(await (await there.acceptUni())!.read()), "still here");
  assert.throws(() => server.listener.replaceCertificate("no", "certificate"), ListenFailed);
  await server.dial({ hash: other.sha256 });
  before.close();
  after.close();
});

Deno.test("a handshake that fails is reported and holds up nobody", async () => {
  await using server = await setUp();
  await assert.rejects(server.dial({ protocols: ["other"] }), ConnectFailed);
  await assert.rejects(server.dial({ hash: new Uint8Array(32) }), ConnectFailed);
  const client = await server.dial({ protocols: ["other", "moq-lite-04"] });
  assert.equal(client.protocol, "moq-lite-04");
  assert.equal((await server.next()).protocol, "moq-lite-04");
  assert.equal(server.failures.length, 2);
  client.close();
});

Deno.test("listenQuic() on a taken port fails with its own code", async () => {
  await using server = await setUp();
  const { port } = server.listener.addr;
  assert.throws(
    () => listenQuic({ hostname: "127.0.0.1", port, ...server.certificate, protocols: PROTOCOLS }),
    (thrown) => thrown instanceof ListenFailed && thrown.code === "QUMO_ADDRESS_IN_USE",
  );
});

Deno.test("connectQuic() gives up when told to, and when there is no answer in time", async () => {
  // Nobody listens on this port, so handshake packets are lost.
  await using path = udpPath(9);
  path.cut();
  const url = `moqt://127.0.0.1:${path.port}`;
  const abort = new AbortController();
  const dialing = connectQuic(url, { protocols: PROTOCOLS, signal: abort.signal });
  abort.abort(new Error("changed my mind"));
  await assert.rejects(
    dialing,
    (thrown) => thrown instanceof ConnectFailed && thrown.message.includes("changed my mind"),
  );
  await assert.rejects(connectQuic(url, { protocols: PROTOCOLS, timeoutMs: 50 }), /no answer/);
});

Deno.test("connectQuic() resolves a name and tries each of its addresses", async () => {
  await using server = await setUp();
  const client = await connectQuic(`moql://localhost:${server.listener.addr.port}`, {
    protocols: PROTOCOLS,
    caCerts: [server.certificate.cert],
    hash: server.certificate.sha256,
  });
  await server.next();
  assert.equal(client.remoteAddress, `127.0.0.1:${server.listener.addr.port}`);
  client.close();
});

Deno.test("connectQuic() does not trust a certificate nobody vouched for", async () => {
  await using server = await setUp();
  const url = `moqt://127.0.0.1:${server.listener.addr.port}`;
  await assert.rejects(connectQuic(url, { protocols: PROTOCOLS }), ConnectFailed);
});
