import { all, bytes, words } from "../../tests/support/transports.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnectionClosed, StreamClosed, StreamReset } from "../errors.ts";
import { memoryPair } from "./memory.ts";

Deno.test("memoryPair() carries a unidirectional stream to its end", async () => {
  const [a, b] = memoryPair({ protocol: "moq-lite-05", path: "/room" });
  assert.deepEqual([b.protocol, b.path, b.kind], ["moq-lite-05", "/room", "memory"]);
  const send = await a.openUni();
  send.write(bytes("hello"));
  assert.equal(send.blocked, true);
  send.finish();
  assert.equal(send.done, true);
  const receive = (await b.acceptUni())!;
  assert.equal(words(await receive.read()), "hello");
  assert.equal(await receive.read(), undefined);
  assert.equal(await send.closed, "finished");
  assert.deepEqual(a.openStreams, { sending: 0, receiving: 0 });
  assert.deepEqual(b.openStreams, { sending: 0, receiving: 0 });
});

Deno.test("memoryPair() carries a bidirectional stream both ways", async () => {
  const [a, b] = memoryPair();
  const { send, receive } = await b.openBidi();
  send.write(bytes("ask"));
  const there = (await a.acceptBidi())!;
  assert.equal(words(await there.receive.read()), "ask");
  await there.send.flush(bytes("answer"));
  there.send.finish();
  assert.equal(words(await all(receive)), "answer");
});

Deno.test("a stream shows at the peer with its first bytes, not before", async () => {
  const [a, b] = memoryPair();
  const early = await a.openUni();
  const late = await a.openUni();
  late.write(bytes("late"));
  assert.equal(words(await (await b.acceptUni())!.read()), "late");
  early.write(bytes("early"));
  assert.equal(words(await (await b.acceptUni())!.read()), "early");
});

Deno.test("reset() reaches the reader with its code and drops what was not read", async () => {
  const [a, b] = memoryPair();
  const send = await a.openUni();
  await send.flush(bytes("lost"));
  send.reset(42);
  assert.equal(await send.closed, "reset");
  const receive = (await b.acceptUni())!;
  await assert.rejects(receive.read(), new StreamReset(42));
});

Deno.test("reset() without resets is an end in order after what was written", async () => {
  const [a, b] = memoryPair({ canReset: false });
  const send = await a.openUni();
  assert.equal(send.canReset, false);
  send.write(bytes("kept"));
  send.reset(42);
  assert.equal(words(await all((await b.acceptUni())!)), "kept");
  assert.equal(await send.closed, "reset");
});

Deno.test("stop() ends the reader's read and fails the writer", async () => {
  const [a, b] = memoryPair({ windowBytes: 2 });
  const send = await a.openUni();
  const woken = Promise.withResolvers<void>();
  send.write(bytes("too much"));
  const receive = (await b.acceptUni())!;
  assert.equal(words(await receive.read()), "to");
  send.onWritable(woken.resolve);
  receive.stop(7);
  assert.equal(await receive.read(), undefined);
  assert.equal(await send.closed, "stopped");
  await woken.promise;
  assert.equal(send.done, true);
  assert.equal(send.blocked, false);
  await assert.rejects(send.flush(bytes("more")), StreamClosed);
});

Deno.test("a write stays blocked until the reader has made room", async () => {
  const [a, b] = memoryPair({ windowBytes: 4 });
  const send = await a.openUni();
  send.write(bytes("123456"));
  let writable = false;
  send.onWritable(() => writable = true);
  const receive = (await b.acceptUni())!;
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.deepEqual([send.blocked, writable], [true, false]);
  assert.equal(words(await receive.read()), "1234");
  assert.equal(words(await receive.read()), "56");
  assert.deepEqual([send.blocked, writable], [false, true]);
});

Deno.test("openUni() waits for the peer's credit", async () => {
  const [a, b] = memoryPair({ maxUniStreams: 1 });
  const first = await a.openUni();
  let opened = false;
  const second = a.openUni().then((stream) => (opened = true, stream));
  first.write(bytes("x"));
  first.finish();
  const receive = (await b.acceptUni())!;
  assert.equal(opened, false);
  await all(receive);
  await second;
  assert.equal(opened, true);
});

Deno.test("openBidi() gets its credit back when both directions are over", async () => {
  const [a, b] = memoryPair({ maxBidiStreams: 1 });
  const first = await a.openBidi();
  const second = a.openBidi();
  first.send.finish();
  const there = (await b.acceptBidi())!;
  assert.equal(await there.receive.read(), undefined);
  there.send.finish();
  assert.equal(await first.receive.read(), undefined);
  assert.equal((await second).send.done, false);
});

Deno.test("datagrams arrive whole, and too large ones are refused", async () => {
  const [a, b] = memoryPair({ maxDatagramBytes: 5 });
  assert.equal(a.sendDatagram(bytes("hello")), true);
  assert.equal(a.sendDatagram(bytes("hello!")), false);
  assert.equal(words(await b.readDatagram()), "hello");
});

Deno.test("close() tells both ends the code and reason, and ends every stream and accept", async () => {
  const [a, b] = memoryPair({ maxUniStreams: 1 });
  const send = await a.openUni();
  send.write(bytes("x"));
  const receive = (await b.acceptUni())!;
  await receive.read();
  const pending = receive.read();
  const waiting = a.openUni();
  const accept = b.acceptBidi();
  a.close(3, "done here");
  a.close(4, "again");
  const info = { code: 3, reason: "done here", abrupt: false };
  await assert.rejects(waiting, ConnectionClosed);
  await assert.rejects(pending, ConnectionClosed);
  assert.deepEqual([await a.closed, await b.closed], [info, info]);
  assert.equal(await send.closed, "lost");
  assert.equal(await accept, undefined);
  assert.equal(await b.acceptUni(), undefined);
  assert.equal(await b.readDatagram(), undefined);
  assert.equal(a.sendDatagram(bytes("x")), false);
  await assert.rejects(b.openBidi(), ConnectionClosed);
  assert.deepEqual([a.openStreams, b.openStreams], [
    { sending: 0, receiving: 0 },
    { sending: 0, receiving: 0 },
  ]);
});

Deno.test("drop() looks like a lost network at both ends", async () => {
  const [a, b] = memoryPair();
  const pending = b.acceptUni();
  a.drop();
  assert.equal((await a.closed).abrupt, true);
  assert.equal((await b.closed).abrupt, true);
  assert.equal(await pending, undefined);
});

Deno.test("bytes come out as they went in, whatever the window and the cuts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      async (chunks, windowBytes, readBytes) => {
        const [a, b] = memoryPair({ windowBytes, readBytes });
        const send = await a.openUni();
        for (const chunk of chunks) send.write(chunk);
        send.finish();
        const got = await all((await b.acceptUni())!);
        assert.deepEqual([...got], chunks.flatMap((chunk) => [...chunk]));
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("stall() holds back what one end sends: bytes, ends, datagrams and the close, in order", async () => {
  const [a, b] = memoryPair();
  const begun = await a.openUni();
  begun.write(bytes("early"));
  const there = (await b.acceptUni())!;
  assert.equal(words(await there.read()), "early");
  a.stall();
  begun.write(bytes("late"));
  begun.finish();
  (await a.openUni()).write(bytes("new"));
  a.sendDatagram(bytes("small"));
  const seen: string[] = [];
  void there.read().then((chunk) => seen.push(words(chunk)!), () => seen.push("failed"));
  void b.readDatagram().then((datagram) => seen.push(words(datagram)!));
  void b.closed.then(({ code }) => seen.push(`closed ${code}`));
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(seen, []);
  a.resume();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(seen, ["late", "small"]);
  a.stall();
  a.close(7);
  assert.equal((await a.closed).code, 7);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(seen.length, 2);
  a.resume();
  assert.equal((await b.closed).code, 7);
});
