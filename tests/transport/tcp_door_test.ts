/** What TCP connections may have of the public port: how many, how long, and what a second request may take. */
import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { launch, type Launched, until } from "../support/server.ts";

const REQUEST = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const UPGRADE = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n" +
  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: qmux-01.moq-lite-05\r\n\r\n";

/** A connection that has sent something, and its close. */
class Visitor {
  readonly #conn: Deno.Conn;
  /** Fulfils when the relay has closed it. */
  readonly ended: Promise<void>;
  answers = 0;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.ended = this.#read();
  }
  static async come(
    relay: Launched,
    text = REQUEST,
    by: "http" | "https" = "http",
  ): Promise<Visitor> {
    const at = { hostname: "127.0.0.1", port: relay.port };
    const conn = by === "http"
      ? await Deno.connect(at)
      : await Deno.connectTls({ ...at, caCerts: [relay.certificate.cert] });
    const visitor = new Visitor(conn);
    await visitor.send(text);
    return visitor;
  }
  async send(text: string): Promise<void> {
    await this.#conn.write(new TextEncoder().encode(text)).catch(() => {});
  }
  leave(): void {
    try {
      this.#conn.close();
    } catch { // It is closed.
    }
  }
  async #read(): Promise<void> {
    const buffer = new Uint8Array(4096);
    try {
      for (let length; (length = await this.#conn.read(buffer)) !== null;) {
        const text = new TextDecoder().decode(buffer.subarray(0, length));
        this.answers += text.split("HTTP/1.1 ").length - 1;
      }
    } catch { // Reset: closed as well.
    }
    this.leave();
  }
}

async function limited(relay: Launched, limit: string): Promise<number> {
  const text = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  return Number(new RegExp(`^qumo_limited_total\\{limit="${limit}"\\} (\\d+)`, "m").exec(text)![1]);
}

Deno.test("idle keep-alive connections of one address stop at their cap, others are closed, and room comes back", async () => {
  await using relay = await launch({ flags: { "limits.max_http_connections_per_address": "40" } });
  const visitors: Visitor[] = [];
  for (let i = 0; i < 200; i++) visitors.push(await Visitor.come(relay));
  let closed = 0;
  for (const visitor of visitors) void visitor.ended.then(() => closed++);
  await until(() => closed === 160, "all above the cap to be closed");
  assert.equal(visitors.filter(({ answers }) => answers === 1).length, 40);
  assert.equal(await limited(relay, "max_http_connections_per_address"), 160);
  visitors[0]!.leave();
  await until(async () => {
    const again = await Visitor.come(relay);
    await Promise.race([again.ended, until(() => again.answers > 0, "an answer")]);
    again.leave();
    return again.answers === 1;
  }, "room after one has left");
  for (const visitor of visitors) visitor.leave();
});

Deno.test("limits.max_http_connections holds for all addresses, and a reload changes it at once", async () => {
  await using relay = await launch({ flags: { "limits.max_http_connections": "3" } });
  const visitors = [await Visitor.come(relay), await Visitor.come(relay, REQUEST, "https")];
  visitors.push(await Visitor.come(relay), await Visitor.come(relay));
  await visitors[3]!.ended;
  assert.equal(await limited(relay, "max_http_connections"), 1);
  const loaded = parseConfig("", {
    flags: {
      "server.address": "127.0.0.1:0",
      "admin.address": "127.0.0.1:0",
      "limits.max_http_connections": "9",
    },
  });
  const outcome = await relay.server.reload(loaded, relay.certificate);
  assert.ok(outcome.applied.includes("limits.max_http_connections"));
  const later = await Visitor.come(relay);
  await until(() => later.answers === 1, "an answer under the new limit");
  for (const visitor of [...visitors, later]) visitor.leave();
});

Deno.test("a connection on which nothing is asked any more is closed after http_keep_alive, one that asks stays", async () => {
  await using relay = await launch({ flags: { "server.http_keep_alive": "1s" } });
  const idle = [await Visitor.come(relay), await Visitor.come(relay, REQUEST, "https")];
  const busy = await Visitor.come(relay);
  let gone = false;
  void busy.ended.then(() => gone = true);
  const asks = setInterval(() => void busy.send(REQUEST), 200);
  await Promise.all(idle.map(({ ended }) => ended));
  assert.deepEqual(idle.map(({ answers }) => answers), [1, 1]);
  const { answers } = busy;
  await until(() => busy.answers > answers, "a further answer");
  clearInterval(asks);
  assert.equal(gone, false);
  await busy.ended;
});

for (const by of ["http", "https"] as const) {
  Deno.test(`a second request over ${by} that is sent byte by byte is cut off like a first one`, async () => {
    await using relay = await launch({
      flags: { "server.handshake_timeout": "1s", "server.http_keep_alive": "1h" },
    });
    const visitor = await Visitor.come(relay, REQUEST, by);
    await until(() => visitor.answers === 1, "the first answer");
    const drip = setInterval(() => void visitor.send("G"), 100);
    await visitor.ended;
    clearInterval(drip);
    assert.equal(await limited(relay, "handshake_timeout"), 1);
  });
}

Deno.test("a WebSocket session counts as a session and no more as a connection; one that says nothing is closed", async () => {
  await using relay = await launch({
    flags: { "limits.max_http_connections": "2", "server.handshake_timeout": "2s" },
  });
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push(await relay.client(i % 2 === 0 ? "ws" : "wss"));
  await until(() => relay.server.sessionCount === 4, "four sessions");
  const silent = await Visitor.come(relay, UPGRADE);
  await until(() => silent.answers === 1, "the upgrade");
  await silent.ended;
  assert.equal(relay.server.sessionCount, 4);
  for (const client of clients) await client.close();
});
