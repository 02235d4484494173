import assert from "node:assert/strict";
import { OnDemand } from "./on_demand.ts";

Deno.test("code is loaded with the first call, is there at once from then on, and is loaded again after a failure", async () => {
  let loads = 0;
  const code = new OnDemand(async () => {
    await Promise.resolve();
    if (++loads === 1) throw new Error("offline");
    return { loads };
  });
  await assert.rejects(async () => await code.get(), /offline/);
  assert.deepEqual(await code.get(), { loads: 2 });
  assert.deepEqual(code.get(), { loads: 2 });
});

Deno.test("code that was given is not loaded", () => {
  const code = new OnDemand<{ own: boolean }>(() => assert.fail("it is there"));
  code.provide({ own: true });
  assert.deepEqual(code.get(), { own: true });
});
