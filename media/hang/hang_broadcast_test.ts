import assert from "node:assert/strict";
import fc from "fast-check";
import { CATALOG_TRACK, PRIORITY } from "./catalog.ts";
import { encode, RECIPES } from "../../tests/support/fixtures/ffmpeg_fixtures.ts";
import { HangBroadcast, type HangBroadcastOptions, type HangRecord } from "./hang_broadcast.ts";
import type * as Oracle from "../../tests/support/fixtures/hang_oracle.ts";
import { encodeLegacyFrame } from "./legacy_frame.ts";
import type { InitEvent, MediaEvent, SampleEvent } from "../mp4/media_track.ts";
import { Splitter } from "../mp4/splitter.ts";
import { need } from "../../tests/support/require.ts";

/** Bundles the reading side of `@moq/hang` and loads it. */
async function loadHangOracle(): Promise<typeof Oracle> {
  const out = await Deno.makeTempFile({ suffix: ".js" });
  const entry = new URL("../../tests/support/fixtures/hang_oracle.ts", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "deno", "-o", out, entry],
  }).output();
  if (!success) throw new Error(`Cannot bundle @moq/hang: ${new TextDecoder().decode(stderr)}`);
  const oracle = await import(`file://${out}`);
  await Deno.remove(out);
  return oracle;
}

const ignore = !need("ffmpeg").ok;
const oracle = await loadHangOracle();

const INIT: InitEvent = {
  type: "init",
  tracks: [
    {
      id: 1,
      kind: "video",
      codec: "avc1.42c00d",
      timescale: 15_360,
      width: 320,
      height: 180,
      description: Uint8Array.of(1, 66, 192, 13),
    },
    { id: 2, kind: "audio", codec: "opus", timescale: 48_000, sampleRateHz: 48_000, channels: 2 },
  ],
  ignored: [],
};

function sample(trackId: number, timestampUs: number, fields: Partial<SampleEvent> = {}) {
  const durationUs = trackId === 1 ? 33_333 : 20_000;
  return {
    type: "sample" as const,
    trackId,
    timestampUs,
    decodeTimeUs: timestampUs,
    durationUs,
    fragmentUs: durationUs,
    keyframe: trackId === 2,
    data: Uint8Array.of(trackId, 7),
    ...fields,
  };
}

function publish(events: Iterable<MediaEvent>, options?: HangBroadcastOptions): HangRecord[] {
  const broadcast = new HangBroadcast(options);
  const records = Array.from(events).flatMap((event) => broadcast.take(event));
  return [...records, ...broadcast.end()];
}

const of = (records: readonly HangRecord[], track: string) =>
  records.filter((record) => record.track === track);
const catalogs = (records: readonly HangRecord[]) =>
  of(records, CATALOG_TRACK).map((record) => JSON.parse(new TextDecoder().decode(record.payload)));

/** Feeds records to hang's own consumer, as a subscription would, and returns what it plays. */
async function play(records: readonly HangRecord[]) {
  const groups = Map.groupBy(records, (record) => record.group);
  const arriving = [...groups].map(([sequence, frames]) => ({
    sequence,
    readFrame: () => Promise.resolve(frames.shift()),
    close() {},
  }));
  const total = records.length;
  const consumer = new oracle.Consumer(
    { name: "test", recvGroup: () => Promise.resolve(arriving.shift()), close() {} } as never,
    { format: new oracle.Legacy.Format(), latency: 1e9 as never },
  );
  const played: { timestamp: number; payload: Uint8Array; keyframe: boolean; group: number }[] = [];
  while (played.length < total) {
    const next = await consumer.next();
    if (next?.frame) played.push({ ...next.frame, group: next.group });
  }
  consumer.close();
  return played;
}

for (const recipe of RECIPES) {
  Deno.test({
    name: `hang's own reader plays every frame of ${recipe.name}`,
    ignore,
    async fn() {
      const events = [...new Splitter().push(await encode(recipe))];
      const records = publish(events);
      const init = events[0];
      assert(init?.type === "init");

      const [json, ...more] = catalogs(records);
      assert.deepEqual(more, []);
      const catalog = oracle.RootSchema.parse(json);
      const renditions: Record<string, { codec: string; container: unknown }> = {
        ...catalog.video?.renditions as object,
        ...catalog.audio?.renditions as object,
      };
      assert.deepEqual(
        Object.values(renditions).map((rendition) => rendition.codec),
        init.tracks.map((track) => track.codec),
      );
      for (const [i, [name, rendition]] of Object.entries(renditions).entries()) {
        assert.deepEqual(rendition.container, { kind: "legacy" });
        const mine = of(records, name);
        const sent = events.filter((event): event is SampleEvent =>
          event.type === "sample" && event.trackId === init.tracks[i]?.id
        );
        const played = await play(mine);
        assert(sent.length - played.length <= 1, "only an audio frame of the priming is left out");
        const offset = sent.length - played.length;
        for (const [at, frame] of played.entries()) {
          assert.deepEqual(frame.payload.slice(), sent[at + offset]?.data.slice());
          assert.equal(frame.timestamp, mine[at]?.timestampUs);
          assert.equal(frame.keyframe, mine[at]?.keyframe);
          assert.equal(frame.group, mine[at]?.group);
        }
      }
    },
  });
}

Deno.test("the names and priorities are those of @moq/hang", () => {
  assert.equal(CATALOG_TRACK, oracle.TRACK);
  assert.deepEqual(PRIORITY, oracle.PRIORITY);
});

Deno.test("encodeLegacyFrame() writes what hang's reader takes apart, for any time and bytes", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 1 }), (timestampUs, data) => {
    const frame = encodeLegacyFrame(timestampUs, data);
    const [decoded] = new oracle.Legacy.Format().decode(frame);
    assert.equal(Number(decoded?.timestamp), timestampUs);
    assert.deepEqual(decoded?.payload.slice(), data);
  }));
  for (const edge of [0, 63, 64, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, 2 ** 32]) {
    const [decoded] = new oracle.Legacy.Format().decode(encodeLegacyFrame(edge, Uint8Array.of(1)));
    assert.equal(Number(decoded?.timestamp), edge);
  }
  for (const wrong of [-1, 0.5, NaN, 2 ** 53]) {
    assert.throws(() => encodeLegacyFrame(wrong, new Uint8Array()), RangeError);
  }
});

Deno.test("HangBroadcast begins a video group at each keyframe, and drops what no keyframe precedes", () => {
  const flags = [false, true, false, false, true, false];
  const records = publish([
    INIT,
    ...flags.map((keyframe, i) => sample(1, i * 33_333, { keyframe })),
  ]);
  assert.deepEqual(
    of(records, "video0").map(({ group, keyframe, timestampUs }) => [group, keyframe, timestampUs]),
    [[0, true, 33_333], [0, false, 66_666], [0, false, 99_999], [1, true, 133_332], [
      1,
      false,
      166_665,
    ]],
  );
});

Deno.test("HangBroadcast gives each audio frame its own group, or groups as long as asked for", () => {
  const events = [INIT, ...Array.from({ length: 10 }, (_, i) => sample(2, i * 20_000))];
  const single = of(publish(events), "audio0");
  assert.deepEqual(single.map((record) => record.group), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert(single.every((record) => record.keyframe && record.endsGroup));
  const grouped = of(publish(events, { audioGroupMs: 60 }), "audio0");
  assert.deepEqual(grouped.map((record) => record.group), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
  assert(grouped.every((record) => !record.endsGroup));
});

Deno.test("HangBroadcast waits for both tracks and 200 ms of media, then publishes one catalog", () => {
  const events: MediaEvent[] = [INIT];
  for (let i = 0; i < 60; i++) {
    events.push(sample(1, i * 33_333, { keyframe: i % 30 === 0 }), sample(2, i * 20_000));
  }
  const records = publish(events);
  assert.deepEqual(catalogs(records), [{
    video: {
      renditions: {
        video0: {
          codec: "avc1.42c00d",
          container: { kind: "legacy" },
          description: "0142c00d",
          codedWidth: 320,
          codedHeight: 180,
          framerate: 30,
          jitter: 34,
        },
      },
    },
    audio: {
      renditions: {
        audio0: {
          codec: "opus",
          container: { kind: "legacy" },
          sampleRate: 48_000,
          numberOfChannels: 2,
          jitter: 20,
        },
      },
    },
  }]);
  const at = records.findIndex((record) => record.track === CATALOG_TRACK);
  // The tenth audio frame after the first is the one that completes the 200 ms.
  assert.equal(records[at]?.timestampUs, 333_330);
});

Deno.test("HangBroadcast updates the catalog in a new group when a track appears late", () => {
  const events: MediaEvent[] = [INIT];
  for (let i = 0; i < 90; i++) events.push(sample(1, i * 33_333, { keyframe: i % 30 === 0 }));
  for (let i = 0; i < 20; i++) events.push(sample(2, 3_000_000 + i * 20_000));
  const records = publish(events);
  const kinds = catalogs(records).map((catalog) => Object.keys(catalog));
  assert.deepEqual(kinds, [["video"], ["video", "audio"]]);
  assert.deepEqual(of(records, CATALOG_TRACK).map((record) => record.group), [0, 1]);
});

Deno.test("HangBroadcast declares as jitter what fragments and B-frames hold back", () => {
  const held = { fragmentUs: 2_000_000, keyframe: true };
  const fragments = publish([INIT, sample(1, 0, held), sample(2, 0, held)]);
  assert.equal(catalogs(fragments)[0].video.renditions.video0.jitter, 2000);
  const presented = [0, 4, 2, 1, 3, 8, 6, 5, 7];
  const reordered = publish([
    INIT,
    ...presented.map((frame, i) =>
      sample(1, frame * 40_000, { decodeTimeUs: i * 40_000, keyframe: i === 0, durationUs: 40_000 })
    ),
  ]);
  // From 120 ms ahead to 80 ms behind its place in the stream, and the frame itself.
  assert.equal(catalogs(reordered)[0].video.renditions.video0.jitter, 240);
});

Deno.test("HangBroadcast never publishes a time below zero, and keeps the tracks in step", () => {
  const early = publish([
    INIT,
    sample(2, -21_333),
    sample(1, 0, { keyframe: true }),
    sample(2, 0),
  ]);
  assert.deepEqual(of(early, "audio0").map((record) => record.timestampUs), [0, 21_333]);
  assert.deepEqual(of(early, "video0").map((record) => record.timestampUs), [21_333]);
  const late = publish([INIT, sample(1, 0, { keyframe: true }), sample(2, -21_333), sample(2, 0)]);
  assert.deepEqual(of(late, "audio0").map((record) => record.timestampUs), [0]);
});

Deno.test("HangBroadcast publishes no empty frame, and no track it was not told of", () => {
  const records = publish([
    INIT,
    sample(1, 0, { keyframe: true, data: new Uint8Array() }),
    sample(3, 0),
  ]);
  assert.deepEqual(records.map((record) => record.track), [CATALOG_TRACK]);
});
