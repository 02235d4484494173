import assert from "node:assert/strict";
import { Cuts, type Part, Segmenter, type SegmentOutput } from "./segmenter.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

const VIDEO: Rendition = {
  ...{ kind: "video", name: "v", codec: "vp09.00.10.08", container: "legacy" },
  ...{ width: 320, height: 180, framerate: 25 },
};
const AUDIO: Rendition = {
  ...{ kind: "audio", name: "a", codec: "opus", container: "legacy" },
  ...{ sampleRateHz: 48_000, channels: 2 },
};

/** Parts by segment; "init" where a header came. */
class Collected implements SegmentOutput {
  readonly segments: Part[][] = [];
  inits = 0;
  #open: Part[] = [];
  init(): void {
    this.inits++;
  }
  part(part: Part): void {
    this.#open.push(part);
  }
  endSegment(): void {
    this.segments.push(this.#open.splice(0));
  }
  get lengthsMs(): number[] {
    return this.segments.map((parts) => parts.reduce((ms, p) => ms + p.durationUs / 1000, 0));
  }
}

const frameAt = (ms: number, keyframe: boolean): MediaFrame => ({
  ...{ group: 0, index: 0, timestampUs: ms * 1000, keyframe, payload: new Uint8Array(10) },
});

function segmenter(rendition: Rendition, cuts = new Cuts()) {
  const out = new Collected();
  const options = {
    targetMs: 2000,
    partMs: 500,
    cuts,
    leads: rendition === VIDEO,
    maxBytes: 1_000_000,
  };
  const cutter = new Segmenter(rendition, options, out);
  const push = (frame: MediaFrame) => cutter.push(frame, 0);
  return { out, segmenter: { push, end: () => cutter.end() } };
}

Deno.test("segments end at the first keyframe near the target, parts are never longer than theirs", () => {
  const { out, segmenter: video } = segmenter(VIDEO);
  for (let i = 0; i < 250; i++) video.push(frameAt(i * 40, i % 30 === 0)); // every 1.2 s
  video.end();
  assert.deepEqual(out.lengthsMs, [2400, 2400, 2400, 2400, 400]);
  assert.equal(out.inits, 1);
  for (const parts of out.segments) {
    assert.ok(parts.every(({ durationUs }) => durationUs > 0 && durationUs <= 500_000));
    assert.equal(parts[0]!.independent, true);
    // At least 85 % of it, all but the last (RFC 8216bis, 4.4.4.9).
    assert.ok(parts.slice(0, -1).every(({ durationUs }) => durationUs >= 425_000));
  }
});

Deno.test("sound is cut where the picture is, so that numbers tell the same time", () => {
  const cuts = new Cuts();
  const [video, audio] = [segmenter(VIDEO, cuts), segmenter(AUDIO, cuts)];
  audio.segmenter.push(frameAt(300, true)); // it may come first
  for (let ms = 0; ms < 9000; ms += 20) {
    if (ms % 40 === 0) video.segmenter.push(frameAt(ms, ms % 2000 === 0));
    if (ms > 300) audio.segmenter.push(frameAt(ms, true));
  }
  const starts = ({ out }: typeof video) => out.segments.map(([first]) => first!.startUs / 1000);
  assert.deepEqual(starts(video), [0, 2000, 4000, 6000]);
  assert.deepEqual(starts(audio), [300, 2000, 4000, 6000]);
});

Deno.test("a jump in time begins anew, and what never has a keyframe is cut all the same", () => {
  const { out, segmenter: video } = segmenter(VIDEO);
  video.push(frameAt(0, false)); // nobody could decode it
  assert.equal(out.inits, 0);
  video.push(frameAt(40, true));
  video.push(frameAt(3_600_000, true));
  assert.deepEqual([out.inits, out.segments.length], [2, 1]);
  for (let ms = 40; ms < 65_000; ms += 40) video.push(frameAt(3_600_000 + ms, false));
  assert.equal(out.segments.length, 3);
});

Deno.test("times that stand still, or swing, hold no more than a segment may be", () => {
  const large = { ...frameAt(0, true), payload: new Uint8Array(10_000) };
  for (const rendition of [VIDEO, AUDIO]) {
    const { out, segmenter: still } = segmenter(rendition);
    for (let i = 0; i < 1000; i++) still.push({ ...large, keyframe: i === 0 });
    for (let i = 0; i < 500; i++) still.push({ ...large, timestampUs: (i % 2) * 1_900_000 });
    assert.ok(out.segments.length >= 14, `${out.segments.length}`);
    for (const parts of out.segments) {
      const bytes = parts.reduce((sum, part) => sum + part.bytes.length, 0);
      assert.ok(bytes < 1_100_000, `${bytes}`);
    }
  }
  const { out, segmenter: small } = segmenter(AUDIO);
  for (let i = 0; i < 25_000; i++) small.push(frameAt(0, true));
  assert.equal(out.segments.length, 2);
});

Deno.test("times that jump with every frame begin anew a few times, and then once in a while", () => {
  const out = new Collected();
  const options = { targetMs: 2000, partMs: 500, cuts: new Cuts(), leads: true, maxBytes: 1e6 };
  const video = new Segmenter(VIDEO, options, out);
  let left = 0;
  for (let i = 0; i < 1000; i++) {
    if (!video.push(frameAt(i * 3_600_000, true), i)) left++;
  }
  assert.deepEqual([out.inits, left > 900], [9, true]);
  assert.ok(video.push(frameAt(1, true), 60_000));
  assert.equal(out.inits, 10);
});
