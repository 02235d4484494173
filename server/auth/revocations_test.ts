import assert from "node:assert/strict";
import { Revocations } from "./revocations.ts";

Deno.test("Revocations.list() tells what is held, the oldest first, until it is forgotten", () => {
  const revocations = new Revocations();
  revocations.add({ sub: "alice" }, 1000);
  revocations.add({ jti: "one" }, 2000, 5000);
  assert.deepEqual(revocations.list(3000), [
    { sub: "alice", atMs: 1000 },
    { jti: "one", atMs: 2000, untilMs: 5000 },
  ]);
  assert.deepEqual(revocations.list(5000), [{ sub: "alice", atMs: 1000 }]);
});
