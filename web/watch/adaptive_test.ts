import assert from "node:assert/strict";
import { Adaptive, type Offered, type Seen } from "./adaptive.ts";

const LADDER: readonly Offered[] = [
  { track: "high", config: { codedWidth: 1280, codedHeight: 720, bitrate: 2_500_000 } },
  { track: "middle", config: { codedWidth: 640, codedHeight: 360, bitrate: 880_000 } },
  { track: "low", config: { codedWidth: 320, codedHeight: 180, bitrate: 310_000 } },
];
const LOOK_MS = 250;

/** A viewer behind a connection that carries so much: what does not get through comes later and later. */
class Viewer {
  readonly adaptive = new Adaptive();
  readonly tracks: string[] = [];
  /** Those before which the one before was let go. */
  readonly atOnce: string[] = [];
  #nowMs = 0;
  #lagMs = 100;
  #bytes = 0;

  constructor(readonly place = { width: 1280, height: 720 }, readonly offered = LADDER) {}

  watch(seconds: number, capacityBits: number, changed: Partial<Seen> = {}): this {
    for (let i = 0; i < seconds * 1000 / LOOK_MS; i++) {
      this.#nowMs += LOOK_MS;
      const choice = this.adaptive.look({
        offered: this.offered,
        shownMs: 1_800_000_000_000 + this.#nowMs - this.#lagMs,
        bytes: this.#bytes,
        ...this.place,
        idle: false,
        ...changed,
      }, this.#nowMs);
      const track = choice?.track ?? "none";
      if (choice?.atOnce) this.atOnce.push(track);
      if (this.tracks.at(-1) !== track) this.tracks.push(track);
      const needs = this.offered.find((each) => each.track === track)?.config.bitrate ?? 0;
      const got = Math.min(needs, capacityBits);
      this.#bytes += got / 8 * LOOK_MS / 1000;
      // What queues up on the way, or is worked off.
      const growth = needs > capacityBits ? LOOK_MS * (1 - capacityBits / needs) : -LOOK_MS;
      this.#lagMs = Math.min(3000, Math.max(100, this.#lagMs + growth));
    }
    return this;
  }
}

Deno.test("Adaptive takes the smallest quality that fills the picture's place", () => {
  const first = (width: number, height: number) =>
    new Viewer({ width, height }).watch(1, 1e9).tracks[0];
  assert.equal(first(1920, 1080), "high");
  assert.equal(first(700, 400), "high");
  assert.equal(first(640, 360), "middle");
  assert.equal(first(200, 100), "low");
});

Deno.test("Adaptive goes to what the connection carries, and up again step by step", () => {
  const viewer = new Viewer().watch(30, 1e7);
  assert.deepEqual(viewer.tracks, ["high"]);
  viewer.watch(9, 500_000);
  assert.deepEqual(viewer.tracks, ["high", "low"]);
  viewer.watch(40, 1e7);
  assert.deepEqual(viewer.tracks, ["high", "low", "middle", "high"]);
  assert.deepEqual(viewer.atOnce, ["low"]);
});

Deno.test("Adaptive takes the next quality where that is enough", () => {
  assert.deepEqual(new Viewer().watch(10, 1e7).watch(10, 1_800_000).tracks, ["high", "middle"]);
});

Deno.test("Adaptive tries a quality that was too much more and more seldom", () => {
  const changes = (minutes: number) => {
    const viewer = new Viewer().watch(10, 1e7);
    return viewer.watch(minutes * 60, 1_500_000).tracks.filter((track) => track === "high").length;
  };
  assert.ok(changes(2) >= 2, "it is tried again");
  assert.ok(changes(20) - changes(10) <= 6, `${changes(10)} and ${changes(20)} tries`);
});

Deno.test("Adaptive does not take a pause, a hidden player or a new beginning for a slow connection", () => {
  const viewer = new Viewer().watch(20, 1e7);
  viewer.watch(20, 1e7, { idle: true, shownMs: 5 }).watch(5, 1e7);
  viewer.watch(2, 1e7, { shownMs: undefined }).watch(5, 1e7, {});
  assert.deepEqual(viewer.tracks, ["high"]);
});

Deno.test("Adaptive leaves one quality alone, and goes on when the best is gone", () => {
  assert.deepEqual(new Viewer(undefined, LADDER.slice(0, 1)).watch(5, 1e5).tracks, ["none"]);
  const viewer = new Viewer().watch(5, 1e7).watch(5, 1e7, { offered: LADDER.slice(1) });
  assert.deepEqual(viewer.tracks, ["high", "middle"]);
});
