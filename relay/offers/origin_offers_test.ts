import assert from "node:assert/strict";
import { FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { Origin } from "../origin.ts";
import { originOffers } from "./origin_offers.ts";

const WHOLE = { hops: [1n], warm: 0, cold: 0 };

function newOrigin() {
  const context = testContext();
  return { context, origin: new Origin({ context, hop: 1000n, lingerMs: 0 }) };
}

Deno.test("an origin that allows no offers tells of no track, and lets no request wait", async () => {
  const { origin } = newOrigin();
  const told: string[] = [];
  const watch = origin.watchTracks({}, ({ track }) => told.push(track));
  origin.announce("room", new FakeSource("a"), WHOLE)!.offer("video");
  watch.catchUp();
  watch.close();
  assert.deepEqual(told, []);
  assert.equal(origin.find("room", 0n, "audio")?.path, "room");
  assert.equal((await origin.awaitRoute("room", "video", 5000).promise)?.path, "room");
  assert.equal(await origin.awaitRoute("hall", "video", 5000).promise, undefined);
});

Deno.test("offers are allowed once there is who makes them, and a second time changes nothing", async () => {
  const { context, origin } = newOrigin();
  origin.announce("room", new FakeSource("whole"), WHOLE);
  origin.allowOffers(originOffers);
  const single = { hops: [2n], warm: 0, cold: 0, tracks: new Set(["video"]), onlyTracks: true };
  origin.announce("room", new FakeSource("single"), single);
  const waits = origin.awaitRoute("hall", "audio", 5000);
  origin.allowOffers(originOffers);
  const labels = (track: string) =>
    origin.find("room", 0n, track)?.best(0n, "room", track)?.source.label;
  assert.deepEqual([labels("video"), labels("audio")], ["single", "whole"]);
  const told: string[] = [];
  origin.watchTracks({}, ({ path, track }) => told.push(`${path}:${track}`));
  origin.announce("hall", new FakeSource("b"), { ...single, tracks: new Set(["audio"]) });
  assert.deepEqual(told, ["room:video", "hall:audio"]);
  assert.equal((await waits.promise)?.path, "hall");
  assert.equal(context.stats.waitsRefused, 0);
});
