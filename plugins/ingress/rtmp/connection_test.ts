import assert from "node:assert/strict";
import { rtmpDial, rtmpMessage, rtmpPublish } from "../../../tests/support/peers/rtmp_client.ts";
import { RtmpConnection } from "./connection.ts";
import { FLV_HEADER, flvTag } from "./flv.ts";
import { MESSAGE } from "./message.ts";

Deno.test("messages without media are left out and slow their sender down; those that come together are handed on in one piece", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  await using client = await rtmpDial(listener.addr.port);
  let pausedMs = 0;
  const pause = (ms: number) => {
    pausedMs += ms;
    return Promise.resolve();
  };
  const connection = new RtmpConnection(await accepting, () => undefined, pause);
  const opening = connection.open();
  const frame = (i: number) => Uint8Array.of(0x27, 1, i);
  const media = Array.from(
    { length: 500 },
    (_, i) => rtmpMessage(MESSAGE.video, frame(i % 256), i),
  );
  // A whole header, then one byte for each further message.
  const empty = [rtmpMessage(MESSAGE.video, new Uint8Array(0)), new Uint8Array(60_000).fill(0xc3)];
  assert.ok(await client.send(...rtmpPublish("live", "x")));
  assert.equal(await opening, "publishing");
  const wanted = await new Blob([
    FLV_HEADER,
    ...media.map((_, i) => flvTag(MESSAGE.video, i, frame(i % 256))),
  ]).bytes();
  const sending = client.send(...empty, await new Blob(media).bytes());
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of connection.media()) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= wanted.length) break;
  }
  assert.ok(await sending);
  connection.close();
  assert.deepEqual(await new Blob(pieces).bytes(), wanted);
  assert.ok(pausedMs > 200, `60,000 chunks waited for ${pausedMs} ms`);
  assert.ok(pieces.length < 50, `${pieces.length} pieces`);
});
