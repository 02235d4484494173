/** Clients of other projects, over WebSocket because there is no WebTransport: `@moq/net`, and an old `@moq/lite`. */
import assert from "node:assert/strict";
import * as Lite from "@moq/lite";
import * as Net from "@moq/net";
import { launch, type Launched, until } from "../support/server.ts";
import { isPayloadOf, payloadOf } from "../support/payload.ts";

/** Hides WebTransport, as on an old browser. */
function withoutWebTransport(): Disposable {
  const kept = Object.getOwnPropertyDescriptor(globalThis, "WebTransport");
  Reflect.deleteProperty(globalThis, "WebTransport");
  return {
    [Symbol.dispose]: () => void (kept && Object.defineProperty(globalThis, "WebTransport", kept)),
  };
}

const GROUPS = 6;
const FRAMES = 4;

/** One of ours publishes. */
async function publish(relay: Launched) {
  const client = await relay.client("moqt");
  const track = client.publish("ours").track("data");
  return {
    watched: () => until(() => track.subscribers > 0, "a viewer"),
    /** Those libraries skip a group that a newer one has overtaken. So each is written when the one before has come. */
    write() {
      using group = track.group();
      for (let f = 0; f < FRAMES; f++) group.write(payloadOf(group.sequence, f));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function versions(relay: Launched): Promise<string[]> {
  const { sessions } = await relay.api<
    { sessions: { transport: string; version: string }[] }
  >("/api/v1/sessions");
  return sessions.filter(({ transport }) => transport === "websocket").map((s) => s.version);
}

Deno.test("@moq/net without WebTransport gets moq-lite-05 and every frame", async () => {
  using _hidden = withoutWebTransport();
  await using relay = await launch();
  await using publisher = await publish(relay);
  const session = await Net.Connection.connect(new URL(`http://127.0.0.1:${relay.port}/`));
  const announced = session.announced();
  while ((await announced.next())?.path !== "ours");
  assert.deepEqual(await versions(relay), ["moq-lite-05"]);
  const track = session.consume(Net.Path.from("ours")).track("data").subscribe({
    latencyMax: 30_000,
  });
  await publisher.watched();
  for (let g = 0; g < GROUPS; g++) {
    publisher.write();
    const group = (await track.recvGroup())!;
    for (let f = 0; f < FRAMES; f++) {
      const frame = await group.readFrame();
      assert.ok(isPayloadOf(group.sequence, f, frame!.payload));
    }
  }
  session.close();
  await session.closed;
});

Deno.test("@moq/lite 0.2.2, which offers qmux-00 alone, gets moq-lite-02 and every frame", async () => {
  using _hidden = withoutWebTransport();
  await using relay = await launch();
  await using publisher = await publish(relay);
  const session = await Lite.Connection.connect(new URL(`http://127.0.0.1:${relay.port}/`));
  const announced = session.announced();
  while ((await announced.next())?.path !== "ours");
  assert.deepEqual(await versions(relay), ["moq-lite-02"]);
  const track = session.consume(Lite.Path.from("ours")).subscribe("data", 0);
  await publisher.watched();
  for (let g = 0; g < GROUPS; g++) {
    publisher.write();
    const group = (await track.nextGroup())!;
    for (let f = 0; f < FRAMES; f++) {
      assert.ok(isPayloadOf(group.sequence, f, (await group.readFrame())!));
    }
  }
  session.close();
  await session.closed;
});
