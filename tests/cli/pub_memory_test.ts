/** `qumo-relay pub` may run for months. */
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { publish } from "../../cli/media/publish_fmp4.ts";
import { launch } from "../support/server.ts";

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

const CHUNKS = 50;

/** A box of MP4 without media. */
function boxOf(type: string): Uint8Array {
  const box = new Uint8Array(16 * 1024);
  new DataView(box.buffer).setUint32(0, box.length);
  box.set(new TextEncoder().encode(type), 4);
  return box;
}

Deno.test("pub holds nothing of the input that it has published", async () => {
  await using relay = await launch();
  const given: WeakRef<Uint8Array>[] = [];
  let held = CHUNKS;
  const input = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve)); // lets it process what it has read
      if (given.length === CHUNKS) {
        collectGarbage();
        held = given.filter((chunk) => chunk.deref() !== undefined).length;
        return controller.close();
      }
      const chunk = boxOf(given.length === 0 ? "ftyp" : "free");
      given.push(new WeakRef(chunk));
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
  const url = `http://127.0.0.1:${relay.port}/`;
  const options = { connect: {}, once: true, audioGroupMs: 0, paced: false };
  await assert.rejects(publish(input, { url, broadcast: "demo", ...options }), /before its moov/);
  assert.ok(held <= 2, `${held} of ${CHUNKS} chunks are held`);
});
