/** Sessions over WebSocket, plain and by TLS, on real sockets. */
import assert from "node:assert/strict";
import type { Client } from "../../client/mod.ts";
import { selfSigned } from "../../config/tls/self_signed.ts";
import { dialFromBrowser } from "../../transport/browser/browser_dial.ts";
import { launch, type Launched } from "../support/server.ts";

const LARGE = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);

/** Passes groups of three frames, the second of them large, from one client to the other, each to its end. */
async function passOn(writer: Client, reader: Client): Promise<void> {
  using broadcast = writer.publish("live");
  const track = broadcast.track("video");
  for await (const { active } of reader.announced("live")) if (active) break;
  using subscription = reader.subscribe("live", "video");
  let next = 0;
  const write = () => {
    using group = track.group();
    group.write(Uint8Array.of(next));
    group.write(LARGE);
    group.write(Uint8Array.of(next++, 1));
  };
  write();
  for await (const group of subscription) {
    const frames: Uint8Array[] = [];
    for await (const { payload } of group) frames.push(payload);
    assert.deepEqual(frames.map(({ length }) => length), [1, LARGE.length, 2]);
    assert.equal(frames[0]![0], group.sequence);
    assert.equal(Buffer.compare(frames[1]!, LARGE), 0);
    if (group.sequence === 5) return;
    write();
  }
}

interface Sessions {
  readonly sessions: readonly { readonly transport: string; readonly version: string }[];
}

async function transportsOf(relay: Launched): Promise<string[]> {
  const { sessions } = await relay.api<Sessions>("/api/v1/sessions");
  return sessions.map(({ transport, version }) => `${transport} ${version}`).sort();
}

Deno.test("a client over ws and one over wss get the newest version, and frames of any size pass", async () => {
  await using relay = await launch();
  await using plain = await relay.client("ws");
  await using secure = await relay.client("wss");
  await passOn(plain, secure);
  await passOn(secure, plain);
  assert.deepEqual(await transportsOf(relay), ["websocket moq-lite-06", "websocket moq-lite-06"]);
});

Deno.test("what comes by WebSocket is watched by QUIC, and the other way round", async () => {
  await using relay = await launch();
  await using socket = await relay.client("ws");
  await using quic = await relay.client("moqt");
  await passOn(socket, quic);
  await passOn(quic, socket);
});

for (const version of ["moq-lite-05", "moq-lite-04", "moq-lite-03", "moq-lite-02", "moq-lite-01"]) {
  Deno.test(`${version} is spoken over WebSocket`, async () => {
    await using relay = await launch();
    await using writer = await relay.client("ws", { versions: [version] });
    await using reader = await relay.client("ws", { versions: [version] });
    assert.deepEqual([writer.version, reader.version], [version, version]);
    await passOn(writer, reader);
  });
}

Deno.test("a replaced certificate reaches new TLS connections, and those that are up stay", async () => {
  await using relay = await launch();
  await using before = await relay.client("wss");
  const next = await selfSigned(["localhost", "127.0.0.1"]);
  relay.server.replaceCertificate({ ...relay.certificate, ...next });
  await assert.rejects(relay.client("wss"), { code: "QUMO_CERTIFICATE_REFUSED" });
  await using after = await relay.client("wss", { caCerts: [next.cert] });
  await passOn(before, after);
});

/** Installs a WebTransport whose handshake ends as the test says, as in a browser without UDP. */
function withWebTransport(ready: () => Promise<void>): Disposable {
  const kept = Object.getOwnPropertyDescriptor(globalThis, "WebTransport");
  const value = class {
    readonly ready = ready();
    readonly closed = new Promise<never>(() => {});
    close() {}
  };
  Object.defineProperty(globalThis, "WebTransport", { value, configurable: true });
  return {
    [Symbol.dispose]: () => void (kept && Object.defineProperty(globalThis, "WebTransport", kept)),
  };
}

const FAILURES: Readonly<Record<string, () => Promise<void>>> = {
  "fails": () => Promise.reject(new Error("no UDP here")),
  "never comes up": () => new Promise(() => {}),
};

for (const [how, ready] of Object.entries(FAILURES)) {
  Deno.test(`a browser whose WebTransport ${how} comes by WebSocket`, async () => {
    await using relay = await launch();
    using _fake = withWebTransport(ready);
    const url = `http://127.0.0.1:${relay.port}/`;
    const options = { protocols: ["moq-lite-06"], webSocketAfterMs: 50 };
    const connection = await dialFromBrowser(url, options);
    assert.deepEqual([connection.kind, connection.protocol], ["websocket", "moq-lite-06"]);
    connection.close();
  });
}

Deno.test("a browser where both ways fail is told why WebTransport did", async () => {
  using _fake = withWebTransport(() => Promise.reject(new Error("no UDP here")));
  const refused = dialFromBrowser("https://127.0.0.1:9/", { protocols: ["moq-lite-06"] });
  await assert.rejects(refused, { code: "QUMO_HANDSHAKE_FAILED", message: /no UDP here/ });
  const never = dialFromBrowser("https://127.0.0.1:9/", {
    protocols: ["moq-lite-06"],
    webSocketAfterMs: Infinity,
  });
  await assert.rejects(never, { code: "QUMO_HANDSHAKE_FAILED" });
});
