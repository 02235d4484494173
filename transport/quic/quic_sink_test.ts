import assert from "node:assert/strict";
import { sinkOf } from "./quic_sink.ts";

Deno.test("a stream with no resource behind it is written through its writer, in order, and closed", async () => {
  const got: number[] = [];
  let closed = false;
  const sink = sinkOf(
    new WritableStream<Uint8Array>({
      write: (bytes) => void got.push(...bytes),
      close: () => void (closed = true),
    }),
  );
  await Promise.all([sink.write(new Uint8Array([1, 2])), sink.write(new Uint8Array([3]))]);
  await sink.close();
  assert.deepEqual(got, [1, 2, 3]);
  assert.equal(closed, true);
});

Deno.test("a stream of this runtime is written past its queue: the stream itself stays unlocked", async () => {
  const path = await Deno.makeTempFile();
  try {
    const file = await Deno.open(path, { write: true });
    const stream = file.writable;
    const sink = sinkOf(stream);
    assert.equal(stream.locked, false);
    await Promise.all([sink.write(new Uint8Array([1, 2])), sink.write(new Uint8Array([3]))]);
    await sink.close();
    assert.deepEqual([...await Deno.readFile(path)], [1, 2, 3]);
  } finally {
    await Deno.remove(path);
  }
});
