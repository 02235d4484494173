import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { silent } from "../../base/logger.ts";
import type { PluginContext, PluginRoute } from "../plugin.ts";
import { serveOffers } from "./resources.ts";

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

const heldBytes = () => {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
};

Deno.test("an offer that comes byte by byte is held as its text, and refused when it is late", async () => {
  const CHUNKS = 8000;
  const clock = new ManualClock();
  const over = new AbortController();
  let answer!: PluginRoute;
  const ctx = {
    clock,
    log: silent,
    signal: over.signal,
    http: {
      route(_prefix: string, route: PluginRoute) {
        answer = route;
        return { [Symbol.dispose]() {} };
      },
    },
    hold: () => Promise.resolve({ lost: over.signal, end() {} }),
    status() {},
  } as unknown as PluginContext;
  const serving = serveOffers(
    ctx,
    { path: "whip", maxSessions: 1, maxSessionsPerAddress: 1, iceServers: [] },
    { role: "publish", doing: "publishing", open: () => Promise.reject(new Error("no offer")) },
  );
  const allRead = Promise.withResolvers<void>();
  let count = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (count++ < CHUNKS) return controller.enqueue(Uint8Array.of(0x61));
      allRead.resolve();
    },
  }, { highWaterMark: 0 });
  const headers = { "content-type": "application/sdp" };
  const request = new Request("http://relay.example/whip/cam", { method: "POST", headers, body });
  const before = heldBytes();
  const answered = answer(request, { remote: "", network: "" });
  await allRead.promise;
  const perChunk = (heldBytes() - before) / CHUNKS;
  assert.ok(perChunk < 150, `${perChunk} bytes for each chunk`);
  clock.advance(10_000);
  assert.equal((await answered).status, 408);
  over.abort();
  await serving;
});
