import assert from "node:assert/strict";
import { memoryPair } from "../transport/memory/memory.ts";
import { testRelay, tick } from "./peers_test.ts";
import { Client } from "../client/client.ts";

/** A client whose transport can be told to drain. */
async function drainable(version: string) {
  const at = testRelay();
  const [ours, theirs] = memoryPair({ protocol: version });
  void at.relay.accept(theirs);
  const asks = Promise.withResolvers<void>();
  const connection = Object.assign(ours, { draining: asks.promise });
  const told: string[] = [];
  const client = await Client.over(connection, {
    clock: at.clock,
    ongoaway: (uri) => told.push(uri),
  });
  return { at, client, theirs, told, drain: () => asks.resolve() };
}

Deno.test("a transport that drains is as good as GOAWAY, a moment later", async () => {
  const { at, client, told, drain } = await drainable("moq-lite-05");
  drain();
  await tick();
  assert.deepEqual(told, []);
  at.clock.advance(1000);
  assert.deepEqual(told, [""]);
  await client.close();
});

Deno.test("GOAWAY that comes with the drain is heard alone, and a relay that asks its peers to leave drains their transport", async () => {
  const { at, client, theirs, told, drain } = await drainable("moq-lite-05");
  let drained = 0;
  Object.assign(theirs, { drain: () => void drained++ });
  client.publish("a");
  await tick();
  drain();
  const dismissed = at.relay.dismiss(100, "https://next.example/");
  await tick();
  at.clock.advance(500);
  await tick();
  assert.deepEqual(told, ["https://next.example/"]);
  at.clock.advance(1000);
  await tick();
  assert.deepEqual([told.length, drained], [1, 1]);
  at.clock.advance(5000);
  await dismissed;
  await client.close();
});
