/** Limits over real sockets: who is refused, how, and what the metrics count. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { ConnectFailed } from "../../transport/errors.ts";
import { launch, type Launched, until } from "../support/server.ts";
import { webSocketAnswer } from "../support/peers/web_socket_answer.ts";

async function limited(relay: Launched, limit: string): Promise<number> {
  const text = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  return Number(new RegExp(`^qumo_limited_total\\{limit="${limit}"\\} (\\d+)`, "m").exec(text)![1]);
}

async function statusOf(dialing: Promise<unknown>): Promise<number | undefined> {
  const error = await dialing.then(() => undefined, (error) => error);
  assert.ok(error instanceof ConnectFailed, `${error}`);
  return error.status;
}

for (
  const [setting, status] of [["max_sessions", 503], ["max_sessions_per_address", 429]] as const
) {
  Deno.test(`limits.${setting}: WebTransport and WebSocket get ${status}, raw QUIC is closed, those inside stay`, async () => {
    await using relay = await launch({ flags: { [`limits.${setting}`]: "2" } });
    await using first = await relay.client("moqt");
    const second = await relay.client("https");
    await until(() => relay.server.sessionCount === 2, "both sessions");
    assert.equal(await statusOf(relay.client("https")), status);
    assert.equal((await webSocketAnswer(relay.port)).status, status);
    const third = await relay.client("moqt").catch(() => undefined);
    if (third !== undefined) assert.equal((await third.closed).code, 64 + 429);
    assert.equal(await limited(relay, setting), 3);
    second.close();
    await until(() => relay.server.sessionCount === 1, "the second to leave");
    await using again = await relay.client("https");
    assert.ok(again);
    first.publish("still/here");
    await until(() => relay.server.relay.origin.size === 1, "the first to be heard");
  });
}

Deno.test("sessions are counted over all worker threads", async () => {
  await using relay = await launch({
    flags: { "server.workers": "2", "limits.max_sessions": "2" },
  });
  const at = (worker: number) =>
    connect(`https://127.0.0.1:${relay.port + worker}/`, { hash: relay.certificate.sha256 });
  await using _first = await at(0);
  await using _second = await at(1);
  await until(async () => {
    const { sessions } = await relay.api<{ sessions: unknown[] }>("/api/v1/sessions");
    return sessions.length === 2;
  }, "both sessions");
  assert.equal(await statusOf(at(0)), 503);
  assert.equal(await statusOf(at(1)), 503);
  assert.equal(await limited(relay, "max_sessions"), 2);
});

Deno.test("the TCP port closes who never asks for anything, also in the middle of TLS, and takes no more than it may", async () => {
  await using relay = await launch({
    flags: { "limits.max_handshakes": "8", "server.handshake_timeout": "1s" },
  });
  const dial = () => Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  const silent = await dial();
  const stuck = await dial();
  await stuck.write(Uint8Array.of(0x16, 3, 1, 2, 0)); // the head of a record whose rest never comes
  await until(() => relay.server.relay.doorkeeper.handshakes === 2, "both to be counted");
  const third = await dial(); // above this address's quarter
  assert.equal(await third.read(new Uint8Array(1)).catch(() => null), null);
  third.close();
  assert.equal(await limited(relay, "max_handshakes"), 1);
  for (const conn of [silent, stuck]) {
    assert.equal(await conn.read(new Uint8Array(64)).catch(() => null), null);
    conn.close();
  }
  assert.equal(await limited(relay, "handshake_timeout"), 2);
  const page = await fetch(`http://127.0.0.1:${relay.port}/health`);
  assert.equal(page.status, 200);
  await page.body?.cancel();
});

Deno.test("QUIC connections that never become sessions leave room for others, and end with their time", async () => {
  await using relay = await launch({
    flags: { "limits.max_handshakes": "400", "server.handshake_timeout": "1s" },
  });
  const endpoint = new Deno.QuicEndpoint({ hostname: "0.0.0.0" });
  const half = await Promise.all(Array.from({ length: 40 }, (_, i) =>
    Deno.connectQuic({
      hostname: "127.0.0.1",
      port: relay.port,
      serverName: "localhost",
      caCerts: [relay.certificate.cert],
      alpnProtocols: [i % 2 === 0 ? "moq-lite-06" : "h3"],
      endpoint,
    })));
  await until(() => relay.server.relay.doorkeeper.handshakes === 40, "all to be counted");
  await using client = await relay.client("moqt");
  client.publish("a");
  await until(() => relay.server.relay.origin.size === 1, "the honest one to be heard");
  await Promise.all(half.map((conn) => conn.closed.catch(() => {})));
  await until(() => relay.server.relay.doorkeeper.handshakes === 0, "their places to be free");
  assert.ok(await limited(relay, "handshake_timeout") >= 20);
  endpoint.close();
});
