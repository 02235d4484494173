import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import type { ReceiveStream } from "../transport/connection.ts";
import { StreamReader } from "./stream_reader.ts";

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

const heldBytes = () => {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
};

Deno.test("a stream that waits for its turn holds the bytes that come, and nothing for each chunk", async () => {
  const CHUNKS = 8000;
  const allRead = Promise.withResolvers<void>();
  let count = 0;
  const stream: ReceiveStream = {
    async read() {
      if (count++ < CHUNKS) return Uint8Array.of(7);
      allRead.resolve();
      return await new Promise(() => {});
    },
    stop() {},
  };
  const reader = new StreamReader(stream, "a test");
  const turn = Promise.withResolvers<void>();
  const before = heldBytes();
  const waiting = reader.prefetch(turn.promise);
  await allRead.promise;
  const perChunk = (heldBytes() - before) / CHUNKS;
  assert.ok(perChunk < 100, `${perChunk} bytes for each chunk`);
  turn.resolve();
  await waiting;
  assert.deepEqual(await reader.bytes(2, "a test"), Uint8Array.of(7, 7));
});
