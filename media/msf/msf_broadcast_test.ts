import assert from "node:assert/strict";
import { MemoryRelay } from "../../tests/support/plugin_run.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import type { Subscription } from "../../client/subscription.ts";
import { Splitter } from "../mp4/splitter.ts";
import type { Rendition } from "../rendition.ts";
import { MsfBroadcast } from "./msf_broadcast.ts";

const PICTURE: Rendition = {
  ...{ kind: "video", name: "video0", codec: "vp09.00.11.08", container: "legacy" },
  ...{ width: 64, height: 48, framerate: 25 },
};
const SOUND: Rendition = {
  ...{ kind: "audio", name: "audio0", codec: "opus", container: "legacy" },
  ...{ sampleRateHz: 48_000, channels: 2 },
};
/** Start codes and no description: its header is not known. */
const ANNEX_B: Rendition = { ...PICTURE, name: "video1", codec: "avc1.42c00d" };

async function offering() {
  const at = new MemoryRelay();
  const [publisher, reader] = [await at.client(), await at.client()];
  const broadcast = publisher.publish("demo");
  const clock = new ManualClock();
  const msf = new MsfBroadcast(broadcast, clock);
  for await (const _announced of reader.announced()) break;
  return {
    ...{ clock, msf },
    describe: (
      renditions: readonly Rendition[],
      at: { timestampUs: number; group?: number } = { timestampUs: 5 },
    ) => msf.describe(renditions, ({ name }) => broadcast.track(name), at),
    catalog: () => reader.subscribe("demo", "catalog"),
    async [Symbol.asyncDispose]() {
      msf.close();
      broadcast.close();
      await publisher.close();
      await reader.close();
      await at[Symbol.asyncDispose]();
    },
  };
}

function codecsOf(init: Uint8Array<ArrayBuffer>): string[] {
  const [event] = new Splitter().push(init);
  return event?.type === "init" ? event.tracks.map(({ codec }) => codec) : [];
}

async function next(track: Subscription) {
  const group = await track.group();
  const frame = await group!.frame();
  group!.close();
  const json = JSON.parse(new TextDecoder().decode(frame!.payload));
  return { group: group!.sequence, timestampUs: frame!.timestamp, json };
}

Deno.test("the catalog has each rendition in hang's container, and as CMAF with its own header", async () => {
  await using demo = await offering();
  demo.describe([SOUND, PICTURE, ANNEX_B]);
  const track = demo.catalog();
  const { json } = await next(track);
  const told = json.tracks.map((t: Record<string, unknown>) => [t.name, t.packaging, t.altGroup]);
  assert.deepEqual(told, [
    ["video0.cmaf", "cmaf", 1],
    ["audio0.cmaf", "cmaf", 2],
    ["video0", "legacy", 1],
    ["video1", "legacy", 1],
    ["audio0", "legacy", 2],
  ]);
  const inits = new Map(
    json.initDataList.map((d: { id: string; data: string }) => [d.id, d.data]),
  ) as Map<string, string>;
  for (const [at, codec] of [[0, "vp09.00.11.08"], [1, "opus"]] as const) {
    const init = Uint8Array.fromBase64(inits.get(json.tracks[at].initRef)!);
    assert.deepEqual(codecsOf(init), [codec]);
  }
  track.close();
});

Deno.test("the catalog comes again every two seconds, only while somebody reads it", async () => {
  await using demo = await offering();
  demo.describe([PICTURE], { timestampUs: 5, group: 40 });
  demo.clock.advance(60_000);
  const track = demo.catalog();
  const first = await next(track);
  assert.deepEqual([first.group, first.timestampUs], [40, 5]);
  demo.clock.advance(2000);
  const second = await next(track);
  assert.deepEqual([second.group, second.timestampUs], [41, 62_000_005]);
  assert.deepEqual(second.json, first.json);
  track.close();
});

Deno.test("a rendition with another header gets another track; one that is gone ends", async () => {
  await using demo = await offering();
  demo.describe([PICTURE, SOUND]);
  const track = demo.catalog();
  await next(track);
  demo.describe([PICTURE]);
  const names = async () => (await next(track)).json.tracks.map((t: { name: string }) => t.name);
  assert.deepEqual(await names(), ["video0.cmaf", "video0"]);
  demo.describe([{ ...PICTURE, width: 128 }, SOUND]);
  assert.deepEqual(await names(), ["video0.cmaf2", "audio0.cmaf2", "video0", "audio0"]);
  track.close();
});
