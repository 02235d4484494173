import assert from "node:assert/strict";
import { textWithin } from "./text_within.ts";

Deno.test("textWithin() reads a whole body, and no further than it may be long", async () => {
  assert.equal(await textWithin(new Response("grüße"), 7), "grüße");
  assert.equal(await textWithin(new Response(null), 0), "");
  await assert.rejects(textWithin(new Response("grüße"), 6), RangeError);
  await assert.rejects(textWithin(new Response(Uint8Array.of(0xff)), 9), TypeError);
});

Deno.test("textWithin() ends a body that goes on for ever", async () => {
  let pulled = 0;
  let cancelled = false;
  const body = new ReadableStream({
    pull: (to) => (pulled++, to.enqueue(new Uint8Array(10).fill(97))),
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  await assert.rejects(textWithin(new Response(body), 35), /more than 35 bytes/);
  assert.deepEqual([pulled, cancelled], [4, true]);
});
