import assert from "node:assert/strict";
import fc from "fast-check";
import { createFile, MP4BoxBuffer } from "mp4box";
import { encode, LIVE, probe, RECIPES } from "../../tests/support/fixtures/ffmpeg_fixtures.ts";
import { MediaError } from "../media_error.ts";
import type { MediaEvent, SampleEvent } from "./media_track.ts";
import { Splitter } from "./splitter.ts";
import { need } from "../../tests/support/require.ts";

const ignore = !need("ffmpeg").ok;

/** All events of a stream cut at these places, and the error it ended with, if any. */
function split(file: Uint8Array, cuts: readonly number[] = []) {
  const splitter = new Splitter();
  const events: MediaEvent[] = [];
  let error: MediaError | undefined;
  try {
    const borders = [0, ...cuts.toSorted((a, b) => a - b), file.length];
    for (let i = 1; i < borders.length; i++) {
      events.push(...collect(splitter, file.subarray(borders[i - 1], borders[i]), events));
    }
    splitter.end();
  } catch (thrown) {
    if (!(thrown instanceof MediaError)) throw thrown;
    error = thrown;
  }
  return { events, error };
}

/** Pushes into `events` while iterating, so that what comes before an error is kept. */
function collect(splitter: Splitter, bytes: Uint8Array, events: MediaEvent[]): MediaEvent[] {
  for (const event of splitter.push(bytes)) events.push(event);
  return [];
}

function samplesOf(events: readonly MediaEvent[]): SampleEvent[] {
  return events.filter((event) => event.type === "sample");
}

const small = ignore ? undefined : await encode({
  name: "small",
  codecs: "-c:v libx264 -preset ultrafast -g 5 -s 64x36 -b:v 20k -c:a aac -b:a 16k",
  movflags: LIVE,
  lengthSeconds: 0.4,
});
const byGop = ignore ? undefined : await encode({
  name: "small, by GOP",
  codecs: "-c:v libx264 -bf 3 -g 5 -s 64x36 -b:v 20k -c:a libopus -b:a 16k",
  movflags: "frag_keyframe+empty_moov+default_base_moof",
  lengthSeconds: 0.4,
});

for (const recipe of RECIPES) {
  Deno.test({
    name: `Splitter finds the packets ffprobe finds: ${recipe.name}`,
    ignore,
    async fn() {
      const file = await encode(recipe);
      const { events, error } = split(file);
      assert.equal(error, undefined);
      const init = events[0];
      assert(init?.type === "init");
      const expected = await probe(file);
      assert(expected.length > 0);
      const samples = samplesOf(events);
      for (const [streamIndex, track] of init.tracks.entries()) {
        const mine = samples.filter((sample) => sample.trackId === track.id);
        const theirs = expected.filter((packet) => packet.streamIndex === streamIndex);
        assert.equal(mine.length, theirs.length);
        // Where times lie before the decode time, ffprobe moves the whole track by as much; players
        // do not, and neither does the splitter.
        const lowest = Math.min(...mine.map((sample) => sample.timestampUs - sample.decodeTimeUs));
        const movedUs = Math.max(0, -lowest);
        for (const [i, packet] of theirs.entries()) {
          const sample = mine[i];
          assert(sample);
          assert.equal(sample.data.length, packet.sizeBytes);
          assert.equal(sample.keyframe, packet.keyframe);
          const lateUs = packet.timestampUs - sample.timestampUs - movedUs;
          // Some have the time of the next one in the file: see the test below.
          assert(Math.abs(lateUs) <= 2 || Math.abs(lateUs - sample.durationUs) <= 2);
        }
        const decodeTimes = mine.map((sample) => sample.decodeTimeUs);
        assert.deepEqual(decodeTimes, decodeTimes.toSorted((a, b) => a - b));
      }
    },
  });

  Deno.test({
    name: `Splitter names the codecs as mp4box does: ${recipe.name}`,
    ignore,
    async fn() {
      const file = await encode({ ...recipe, lengthSeconds: 0.5 });
      const oracle = createFile();
      const named = new Map<number, string>();
      oracle.onReady = (info) => info.tracks.forEach((track) => named.set(track.id, track.codec));
      oracle.appendBuffer(MP4BoxBuffer.fromArrayBuffer(file.buffer, 0));
      const init = split(file).events[0];
      assert(init?.type === "init");
      assert.equal(named.size, init.tracks.length);
      for (const track of init.tracks) {
        // mp4box writes the sample entry's own capital letter; WebCodecs knows "opus".
        const theirs = named.get(track.id)?.replace("Opus", "opus");
        assert.equal(track.codec.toLowerCase(), theirs?.toLowerCase());
      }
    },
  });
}

Deno.test({
  name: "a frame that ffmpeg wrote with the time of the next one begins where the one before ends",
  ignore,
  async fn() {
    const opus = {
      name: "",
      codecs: "-c:v libx264 -preset ultrafast -c:a libopus",
      movflags: LIVE,
    };
    const { events } = split(await encode({ ...opus, lengthSeconds: 3 }));
    const sounds = samplesOf(events).filter(({ trackId }) => trackId === 2);
    const steps = sounds.slice(1).map((sample, i) => sample.decodeTimeUs - sounds[i]!.decodeTimeUs);
    assert.deepEqual(new Set(steps), new Set([20_000]));
    assert.deepEqual(new Set(sounds.slice(0, -2).map((s) => s.durationUs)), new Set([20_000]));
  },
});

Deno.test({
  name: "Splitter yields the same events however the stream is cut into chunks",
  ignore,
  fn() {
    for (const file of [small, byGop]) {
      assert(file);
      const whole = split(file);
      assert.equal(whole.error, undefined);
      fc.assert(
        fc.property(fc.array(fc.nat(file.length), { maxLength: 60 }), (cuts) => {
          assert.deepEqual(split(file, cuts), whole);
        }),
        { numRuns: 60 },
      );
      assert.deepEqual(split(file, Array.from(file.keys())), whole);
    }
  },
});

Deno.test({
  name: "Splitter yields a sample with the very chunk that completes it",
  ignore,
  fn() {
    assert(small);
    const splitter = new Splitter();
    const samples = samplesOf(split(small).events);
    let seen = 0;
    for (const [i, byte] of small.entries()) {
      for (const event of splitter.push(Uint8Array.of(byte))) {
        if (event.type !== "sample") continue;
        seen++;
        assert.deepEqual(small.slice(i + 1 - event.data.length, i + 1), event.data.slice());
      }
    }
    assert.equal(seen, samples.length);
  },
});

Deno.test({
  name: "Splitter delivers what came before the cut of a truncated stream, then refuses its end",
  ignore,
  fn() {
    assert(byGop);
    const whole = split(byGop).events;
    let complete = 0;
    for (let length = 0; length < byGop.length; length++) {
      const { events, error } = split(byGop.subarray(0, length));
      assert.deepEqual(events.length, whole.slice(0, events.length).length);
      assert.deepEqual(events.at(-1), whole[events.length - 1]);
      if (error) assert.equal(error.code, "QUMO_MEDIA_INVALID");
      else complete++;
    }
    // The only clean ends are between fragments: after the moov and after each data box.
    assert(complete < 12, `${complete} lengths passed as whole`);
  },
});

Deno.test({
  name: "Splitter throws MediaError and nothing else, whatever bytes are damaged",
  ignore,
  fn() {
    for (const file of [small, byGop]) {
      assert(file);
      const place = fc.nat(Math.min(file.length, 4000) - 1);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), {
            minLength: 1,
            maxLength: 8,
          }),
          (damage) => {
            const damaged = file.slice();
            for (const [at, byte] of damage) damaged[at] = byte;
            // `split` lets any other exception through.
            const { events } = split(damaged);
            assert(samplesOf(events).length < 70_000 * 3);
          },
        ),
        { numRuns: 400 },
      );
    }
  },
});

Deno.test("Splitter throws MediaError for bytes that are no MP4", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 300 }), (bytes) => {
    const { events, error } = split(bytes);
    assert.deepEqual(events, []);
    assert(error);
  }));
});

Deno.test({
  name:
    "Splitter with resync throws for no damage behind the header, and keeps what came before it",
  ignore,
  fn() {
    assert(small);
    const whole = samplesOf(split(small).events).length;
    const soundBytes = small.length >> 1;
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(small.length - soundBytes - 1), fc.integer({ min: 0, max: 255 })),
          { minLength: 1, maxLength: 6 },
        ),
        fc.integer({ min: 1, max: 5000 }),
        (damage, chunkBytes) => {
          const damaged = small.slice();
          for (const [at, byte] of damage) damaged[soundBytes + at] = byte;
          const splitter = new Splitter({ resync: true });
          let samples = 0;
          for (let at = 0; at < damaged.length; at += chunkBytes) {
            for (const event of splitter.push(damaged.slice(at, at + chunkBytes))) {
              if (event.type === "sample") samples++;
            }
          }
          // What a damaged size swallows cannot be had back.
          assert(samples >= whole / 2 - 1 && samples <= whole + 6 * 65_536, `${samples}`);
        },
      ),
      { numRuns: 200 },
    );
  },
});
