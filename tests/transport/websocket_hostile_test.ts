/** What peers can do to the public TCP port, and what refused peers are told. */
import assert from "node:assert/strict";
import { connectWebSocket } from "../../transport/websocket/websocket_client.ts";
import { launch, type Launched, type LaunchOptions, until } from "../support/server.ts";

const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const GOOD = `${KEY}\r\nSec-WebSocket-Protocol: qmux-01.moq-lite-05`;

/** Sends the head of a request for a WebSocket. */
async function ask(relay: Launched, path: string, fields: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `${fields}\r\n\r\n`;
  await conn.write(new TextEncoder().encode(head));
  return conn;
}

async function answer(relay: Launched, path: string, fields: string): Promise<string> {
  using conn = await ask(relay, path, fields);
  const buffer = new Uint8Array(4096);
  const length = await conn.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}

/** Waits until the other end has closed. */
async function ended(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    while (await conn.read(buffer) !== null);
  } catch { // Reset: closed as well.
  }
}

/** A relay, with a check at the end that it still serves. */
async function assertSurvives(
  options: LaunchOptions,
  run: (relay: Launched) => Promise<void>,
): Promise<void> {
  await using relay = await launch(options);
  await run(relay);
  await using writer = await relay.client("ws");
  await using reader = await relay.client("wss");
  using track = writer.publish("alive").track("t");
  for await (const { active } of reader.announced("alive")) if (active) break;
  using subscription = reader.subscribe("alive", "t");
  track.write("yes");
  for await (const group of subscription) {
    for await (const { payload } of group) {
      assert.equal(new TextDecoder().decode(payload), "yes");
      return;
    }
  }
}

Deno.test("who is not let in gets a true HTTP status before there is a WebSocket", async () => {
  await using relay = await launch();
  assert.match(await answer(relay, "/any/path?x=1", GOOD), /^HTTP\/1\.1 101 /);
  assert.match(await answer(relay, "/", GOOD), /sec-websocket-protocol: qmux-01\.moq-lite-05\r\n/i);
  const none = await answer(relay, "/", `${KEY}\r\nSec-WebSocket-Protocol: chat, webtransport`);
  assert.match(
    none,
    /^HTTP\/1\.1 400 [\s\S]*offer one of these subprotocols: qmux-02\.moq-lite-06/,
  );
  assert.match(await answer(relay, "/", KEY), /^HTTP\/1\.1 400 /);
  const unkeyed = "Sec-WebSocket-Protocol: qmux-01.moq-lite-05";
  assert.match(await answer(relay, "/", unkeyed), /^HTTP\/1\.1 400 /);
  assert.match(await answer(relay, `/${"a/".repeat(40)}`, GOOD), /^HTTP\/1\.1 404 /);
  relay.server.relay.draining = true;
  assert.match(await answer(relay, "/", GOOD), /^HTTP\/1\.1 503 /);
  relay.server.relay.draining = false;
  const metrics = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  assert.match(metrics, /^qumo_websocket_answers_total\{status="2xx"\} 2$/m);
  assert.match(metrics, /^qumo_websocket_answers_total\{status="5xx"\} 1$/m);
});

Deno.test("the version that comes first in the offer is taken, and a bare name only without one", async () => {
  await using relay = await launch();
  const offer =
    "qmux-00, qmux-02.moqt-99, qmux-00.moq-lite-05, qmux-02.moq-lite-06, qmux-02.moqt-18";
  const said = await answer(relay, "/", `${KEY}\r\nSec-WebSocket-Protocol: ${offer}`);
  assert.match(said, /sec-websocket-protocol: qmux-00\.moq-lite-05\r\n/i);
});

/** A client's message, masked with zeros, which leaves the bytes unchanged. */
function message(payload: Uint8Array, opcode = 2): Uint8Array {
  const head = [0x80 | opcode];
  const { length } = payload;
  if (length < 126) head.push(0x80 | length);
  else if (length < 65536) head.push(0x80 | 126, length >> 8, length & 255);
  else head.push(0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (length >>> by) & 255));
  return new Uint8Array([...head, 0, 0, 0, 0, ...payload]);
}

const noise = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

/** What a peer sends once it has its WebSocket, and what ends its connection. */
const ATTACKS: Readonly<Record<string, () => Uint8Array>> = {
  "random bytes in place of WebSocket frames": () => noise(2000),
  "random bytes in a message": () => message(Uint8Array.of(0xff, ...noise(500))),
  "a text message": () => message(new TextEncoder().encode("hello"), 1),
  "a message of 200,000 bytes": () => message(new Uint8Array(200_000)),
  "a frame that says it has 2^60 bytes": () =>
    Uint8Array.of(0x82, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4),
};

for (const [name, attack] of Object.entries(ATTACKS)) {
  Deno.test(`${name}: that connection ends, others go on`, async () => {
    await assertSurvives({}, async (relay) => {
      using conn = await ask(relay, "/", GOOD);
      await conn.read(new Uint8Array(4096));
      await conn.write(attack());
      await ended(conn);
      await until(() => relay.server.relay.sessionCount === 0, "the session to end");
    });
  });
}

Deno.test("a message of a WebSocket that never ends is cut off after 1 MB", async () => {
  await assertSurvives({}, async (relay) => {
    using conn = await ask(relay, "/", GOOD);
    await conn.read(new Uint8Array(4096));
    // A binary frame that claims 60 MB, masked with zeros; the kernel still accepts some of the unread bytes.
    await conn.write(Uint8Array.fromHex("82ff000000000393870000000000"));
    const piece = new Uint8Array(65_536);
    let sent = 0;
    const writing = async () => {
      for (; sent < 59_000_000; sent += piece.length) await conn.write(piece);
    };
    await assert.rejects(writing);
  });
});

Deno.test("connections that say nothing, half a request or half a handshake end by themselves", async () => {
  const flags = { "server.handshake_timeout": "300ms" };
  await assertSurvives({ flags }, async (relay) => {
    const silent: Deno.TcpConn[] = [];
    for (let i = 0; i < 50; i++) {
      silent.push(await Deno.connect({ hostname: "127.0.0.1", port: relay.port }));
    }
    // An upgrade with no session in it: moq-lite-05 begins with a SETUP, which never comes.
    const upgraded = await ask(relay, "/", GOOD);
    await Promise.all([...silent, upgraded].map(ended));
    for (const conn of [...silent, upgraded]) conn.close();
  });
});

Deno.test("a viewer over WebSocket that stops reading is closed, and nobody waits for it", async () => {
  const flags = { "server.write_timeout": "1s" };
  await assertSurvives({ flags }, async (relay) => {
    await using publisher = await relay.client("moqt");
    using track = publisher.publish("a").track("v");
    await using honest = await relay.client("wss");
    for await (const { active } of honest.announced("a")) if (active) break;
    using watched = honest.subscribe("a", "v");
    const sleeper = await connectWebSocket(`ws://127.0.0.1:${relay.port}/`, {
      protocols: ["moq-lite-06"],
    });
    const setup = await sleeper.openUni();
    setup.write(Uint8Array.of(1, 1, 0));
    setup.finish();
    const subscribe = [0x02, 0x0b, 0x01, 0x01, 0x61, 0x01, 0x76, 0, 0, 0, 0, 0, 0];
    (await sleeper.openBidi()).send.write(Uint8Array.from(subscribe));
    await until(() => track.subscribers > 0, "the subscriptions");
    const large = new Uint8Array(100_000);
    let over = false;
    void sleeper.closed.then(() => over = true);
    // The next group is written when the honest viewer has the last: newer ones go first, so more would hold it up.
    const writeAndRead = async () => {
      track.write(large);
      const group = await watched.group();
      for await (const { payload } of group!) assert.equal(payload.length, large.length);
    };
    for (let i = 0; !over && i < 5000; i++) await writeAndRead();
    assert.ok(over, "the sleeper is still there");
    await writeAndRead();
  });
});
