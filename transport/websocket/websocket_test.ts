import assert from "node:assert/strict";
import { chooseSubprotocol, overWebSocket, subprotocolsOf } from "./websocket.ts";
import { SocketStream } from "./websocket_stream.ts";

const KNOWN = ["moq-lite-06", "moq-lite-05", "moql"];

Deno.test("subprotocolsOf() goes by the version of MoQ first, and names qmux alone last", () => {
  assert.deepEqual(subprotocolsOf(["moq-lite-05", "moql"]), [
    ...["qmux-02.moq-lite-05", "qmux-01.moq-lite-05", "qmux-00.moq-lite-05"],
    ...["qmux-02.moql", "qmux-01.moql", "qmux-00.moql"],
    ...["qmux-02", "qmux-01", "qmux-00"],
  ]);
  assert.ok(!subprotocolsOf(["moq-lite-05"]).includes("qmux-02"), "there is no SETUP in 05");
});

Deno.test("chooseSubprotocol() takes the version that the client prefers, in the newest qmux, or nothing", () => {
  const choose = (offer?: string) => chooseSubprotocol(offer, KNOWN);
  assert.equal(choose("qmux-00.moq-lite-05 , qmux-02.moql, qmux-02"), "qmux-00.moq-lite-05");
  assert.equal(choose("x, qmux-00.moq-lite-05,qmux-02.moq-lite-06"), "qmux-00.moq-lite-05");
  assert.equal(choose("qmux-01.moq-lite-06, qmux-02.moq-lite-06"), "qmux-02.moq-lite-06");
  assert.equal(choose("qmux-00, webtransport"), "qmux-00");
  for (const offer of [undefined, "", ",", "webtransport", "qmux-02.moqt-18", "QMUX-02"]) {
    assert.equal(choose(offer), undefined, offer);
  }
});

/** One end of a WebSocket in memory. */
class FakeSocket {
  readonly url = "ws://fake/";
  readonly extensions = "";
  readyState: number = WebSocket.OPEN;
  binaryType = "blob";
  bufferedAmount = 0;
  peer: FakeSocket | undefined;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  constructor(readonly protocol = "") {}
  send(bytes: Uint8Array): void {
    const data = bytes.slice().buffer;
    if (this.peer === undefined) this.bufferedAmount += data.byteLength;
    else queueMicrotask(() => this.peer!.onmessage?.({ data }));
  }
  close(): void {
    for (const end of [this, this.peer]) {
      if (end === undefined || end.readyState === WebSocket.CLOSED) continue;
      end.readyState = WebSocket.CLOSED;
      queueMicrotask(() => end.onclose?.({ code: 1000, reason: "" }));
    }
  }
  asSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

async function pair(subprotocol: string) {
  const [near, far] = [new FakeSocket(subprotocol), new FakeSocket(subprotocol)];
  near.peer = far;
  far.peer = near;
  const common = { path: "/room?jwt=x", remoteAddress: "10.0.0.1:1" };
  return await Promise.all([
    overWebSocket(near.asSocket(), { side: "client", ...common }),
    overWebSocket(far.asSocket(), { side: "server", subprotocol, ...common }),
  ]);
}

for (const qmux of ["qmux-00", "qmux-01", "qmux-02"]) {
  Deno.test(`streams both ways, resets with their code and the close pass over ${qmux}`, async () => {
    const [client, server] = await pair(`${qmux}.moq-lite-05`);
    assert.deepEqual([server.kind, server.protocol, server.path], [
      ...["websocket", "moq-lite-05", "/room?jwt=x"],
    ]);
    const asked = await client.openBidi();
    asked.send.write(Uint8Array.of(1, 2, 3));
    const got = (await server.acceptBidi())!;
    assert.deepEqual(await got.receive.read(), Uint8Array.of(1, 2, 3));
    got.send.write(Uint8Array.of(4));
    got.send.finish();
    assert.deepEqual(await asked.receive.read(), Uint8Array.of(4));
    assert.equal(await asked.receive.read(), undefined);

    const cut = await server.openUni({ sendOrder: 5 });
    assert.ok(cut.canReset);
    await cut.flush(Uint8Array.of(9));
    const uni = (await client.acceptUni())!;
    assert.deepEqual(await uni.read(), Uint8Array.of(9));
    cut.reset(26);
    await assert.rejects(uni.read(), { code: "QUMO_STREAM_RESET", peerCode: 26 });
    assert.equal(await cut.closed, "reset");

    const stopped = await client.openUni();
    await stopped.flush(Uint8Array.of(7));
    (await server.acceptUni())!.stop(3);
    assert.equal(await stopped.closed, "stopped");

    client.close(12, "bye");
    assert.deepEqual(await server.closed, { code: 12, reason: "bye", abrupt: false });
    assert.equal(await server.acceptUni(), undefined);
  });
}

Deno.test("a stream stays blocked while the peer gives no credit, and goes on when it reads", async () => {
  const [client, server] = await pair("qmux-02.moq-lite-05");
  const send = await client.openUni();
  send.write(new Uint8Array(300_000)); // The window of a stream is 262,144 bytes.
  const receive = (await server.acceptUni())!;
  let taken = (await receive.read())!.length;
  assert.ok(send.blocked);
  const writable = new Promise<void>((resolve) => send.onWritable(resolve));
  while (taken < 300_000) taken += (await receive.read())!.length;
  await writable;
  assert.ok(!send.blocked);
  client.close();
  await server.closed;
});

async function stuck(options: { readonly stallMs?: number } = {}) {
  const socket = new FakeSocket();
  let dropped = 0;
  const stream = new SocketStream(socket.asSocket(), { ...options, drop: () => void dropped++ });
  const writer = (await stream.opened).writable.getWriter();
  const failed = writer.write(new Uint8Array(100_000)).then(() => "", ({ message }) => message);
  return { socket, stream, failed, dropped: () => dropped };
}

Deno.test("a socket that takes no data is dropped", async () => {
  const { stream, failed, dropped } = await stuck({ stallMs: 30 });
  assert.deepEqual(await stream.closed, { closeCode: 1006, reason: "it takes no data" });
  assert.equal(await failed, "the WebSocket is closed");
  assert.equal(dropped(), 1);
});

Deno.test("a peer that goes on sending while it takes no answer is dropped", async () => {
  const { socket, stream, failed, dropped } = await stuck();
  for (let i = 0; i < 9; i++) socket.onmessage!({ data: new ArrayBuffer(60_000) });
  const { reason } = await stream.closed;
  assert.equal(reason, "the peer keeps sending and takes no answer");
  assert.equal(await failed, "the WebSocket is closed");
  assert.equal(dropped(), 1);
});
