import assert from "node:assert/strict";
import { join, testRelay } from "./peers_test.ts";

Deno.test("sessions that announce thousands of paths at once leave other tasks their turn, however many sessions they are", async () => {
  const at = testRelay();
  const clients = [];
  for (let i = 0; i < 20; i++) clients.push((await join(at, 6)).client);
  for (const [i, client] of clients.entries()) {
    for (let n = 0; n < 100; n++) client.publish(`${i}/${n}`);
  }
  const steps: number[] = [];
  for (let before = 0; before < 2000;) {
    await new Promise((resolve) => setTimeout(resolve));
    steps.push(at.relay.origin.size - before);
    before = at.relay.origin.size;
  }
  assert.ok(Math.max(...steps) <= 400, `at once: ${steps}`);
  await at.relay.close();
});
