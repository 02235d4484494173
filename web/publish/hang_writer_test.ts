import assert from "node:assert/strict";
import { Client } from "../../client/client.ts";
import { Relay } from "../../server/relay.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import { encodeLegacyFrame } from "../../media/hang/legacy_frame.ts";
import { HangWriter } from "./hang_writer.ts";

const VIDEO = {
  codec: "avc1.42e01f",
  description: "01",
  codedWidth: 640,
  codedHeight: 360,
  framerate: 30,
  bitrate: 1_000_000,
};
const AUDIO = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2, bitrate: 96_000 };
/** The same as encoders tell it. */
const PICTURE = {
  codec: "avc1.42e01f",
  description: Uint8Array.of(1),
  width: 640,
  height: 360,
  framerate: 30,
  bitrate: 1_000_000,
};
const SOUND = { codec: "opus", sampleRateHz: 48_000, channels: 2, bitrate: 96_000 };

/** A writer, and somebody who reads what it writes over a relay in memory. */
async function writing(options = { video: 1, audio: true }) {
  const relay = new Relay({ hop: 7n });
  const join = async () => {
    const [ours, theirs] = memoryPair({ protocol: "moq-lite-05" });
    void relay.accept(theirs);
    return await Client.over(ours);
  };
  const [publisher, reader] = [await join(), await join()];
  const broadcast = publisher.publish("demo");
  const writer = new HangWriter(broadcast, options);
  for await (const _announced of reader.announced()) break;
  return {
    writer,
    reader,
    async [Symbol.asyncDispose]() {
      broadcast.close();
      await Promise.all([publisher.close(), reader.close()]);
      await relay.close();
    },
  };
}

async function firstGroup(reader: Client, track: string) {
  for await (const group of reader.subscribe("demo", track)) {
    const frame = await group.frame();
    group.close();
    return frame!;
  }
  throw new Error(`${track} has ended`);
}

Deno.test("HangWriter writes one catalog, once everything is known", async () => {
  await using made = await writing();
  made.writer.describeVideo(0, PICTURE, 1_000_000);
  made.writer.describeAudio(SOUND, 1_000_000);
  made.writer.describeAudio(SOUND, 2_000_000);
  const { payload } = await firstGroup(made.reader, "catalog.json");
  const container = { kind: "legacy" };
  assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), {
    video: { renditions: { video0: { ...VIDEO, container } } },
    audio: { renditions: { audio0: { ...AUDIO, container } } },
  });
});

Deno.test("HangWriter begins a group with each keyframe, and leaves out what comes before the first", async () => {
  await using made = await writing({ video: 1, audio: false });
  made.writer.video(0, Uint8Array.of(9), 5_000_000, false);
  made.writer.video(0, Uint8Array.of(1, 2), 6_000_000, true);
  made.writer.video(0, Uint8Array.of(3), 7_000_000, false);
  const frame = await firstGroup(made.reader, "video0");
  assert.equal(frame.timestamp, 6_000_000);
  assert.deepEqual([...frame.payload], [...encodeLegacyFrame(6_000_000, Uint8Array.of(1, 2))]);
});

Deno.test("HangWriter lists every quality in one catalog, and goes on without one that is dropped", async () => {
  await using made = await writing({ video: 2, audio: false });
  const { writer, reader } = made;
  const small = { ...PICTURE, width: 320, height: 180, bitrate: 300_000 };
  writer.describeVideo(0, PICTURE, 1_000_000);
  const catalogs = reader.subscribe("demo", "catalog.json")[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await catalogs.next();
    const { payload } = (await value!.frame())!;
    value!.close();
    return Object.keys(JSON.parse(new TextDecoder().decode(payload)).video.renditions);
  };
  writer.describeVideo(1, small, 1_000_000);
  assert.deepEqual(await next(), ["video0", "video1"]);
  writer.dropVideo(0, 2_000_000);
  assert.deepEqual(await next(), ["video1"]);
  writer.video(0, Uint8Array.of(1), 3_000_000, true);
  writer.video(1, Uint8Array.of(2), 3_000_000, true);
  const frame = await firstGroup(reader, "video1");
  assert.deepEqual([...frame.payload], [...encodeLegacyFrame(3_000_000, Uint8Array.of(2))]);
  await catalogs.return?.();
});
