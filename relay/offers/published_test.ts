import assert from "node:assert/strict";
import { FakeReader, FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { type Announcement, Origin, type WatchOptions } from "../origin.ts";

function newOrigin(lingerMs = 5000) {
  const context = testContext();
  return { context, origin: new Origin({ context, hop: 1000n, lingerMs }) };
}

let stamp = 1n;

/** A session that publishes these tracks and no others. Each session is another publisher. */
function only(...tracks: string[]): Announcement {
  return { hops: [++stamp, 0n], warm: 0, cold: 0, tracks: new Set(tracks), onlyTracks: true };
}

/** A session that serves whatever is asked for. */
function all(...tracks: string[]): Announcement {
  const announcement = { hops: [++stamp, 0n], warm: 0, cold: 0 };
  return tracks.length === 0 ? announcement : { ...announcement, tracks: new Set(tracks) };
}

function watched(origin: Origin, options: WatchOptions = {}) {
  const events: string[] = [];
  const watch = origin.watchTracks(options, ({ path, track, gone }) => {
    events.push(`${gone ? "-" : "+"}${path}:${track}`);
  });
  return { watch, take: () => events.splice(0) };
}

/** Which source serves a track. */
const server = (origin: Origin, path: string, track?: string) =>
  origin.find(path, 0n, track)?.best(0n, path, track)?.source.label;

Deno.test("two sessions publish different tracks of one path, and each serves its own", () => {
  const { origin } = newOrigin();
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  const first = origin.announce("room", a, only("video"))!;
  origin.announce("room", b, only("audio"));
  assert.equal(server(origin, "room", "video"), "a");
  assert.equal(server(origin, "room", "audio"), "b");
  assert.equal(server(origin, "room", "chat"), undefined);
  assert.equal(server(origin, "room"), "a", "a newcomer takes nobody's place");
  assert.equal(server(origin, "room/below", "video"), undefined);
  origin.find("room", 0n, "audio")!.track("room", "audio").add(new FakeReader());
  assert.deepEqual([a.subscriptions.length, b.subscriptions.length], [0, 1]);
  first.end();
  assert.equal(server(origin, "room", "video"), undefined);
  assert.equal(server(origin, "room"), "b");
});

Deno.test("who has offered the very track goes before who serves all, here or above", () => {
  const { origin } = newOrigin();
  const [whole, single, above] = ["whole", "single", "above"].map((name) => new FakeSource(name));
  origin.announce("room", above!, all());
  const one = origin.announce("room/a", single!, only("video"))!;
  assert.equal(server(origin, "room/a", "video"), "single");
  assert.equal(server(origin, "room/a", "audio"), "above");
  assert.equal(server(origin, "room/a"), "single");
  origin.announce("room/a", whole!, all());
  assert.equal(server(origin, "room/a", "video"), "single");
  assert.equal(server(origin, "room/a", "audio"), "whole");
  assert.equal(server(origin, "room/a"), "whole");
  one.discourage();
  assert.equal(server(origin, "room/a", "video"), "whole", "it is about to leave");
});

Deno.test("a set of tracks grows and shrinks one by one, or by an update", () => {
  const { origin } = newOrigin();
  const published = origin.announce("room", new FakeSource("a"), only("a"))!;
  const { take } = watched(origin);
  assert.deepEqual(take(), ["+room:a"]);
  published.offer("b");
  published.offer("b");
  published.retract("a");
  published.retract("a");
  assert.deepEqual(take(), ["+room:b", "-room:a"]);
  const { hops } = origin.find("room")!.routes[0]!;
  published.update({ hops, warm: 1, cold: 1, onlyTracks: true });
  assert.deepEqual(take(), [], "an update without tracks leaves them");
  assert.equal(server(origin, "room", "b"), "a");
  published.update({ hops, warm: 1, cold: 1, onlyTracks: true, tracks: new Set(["b", "c"]) });
  assert.deepEqual(take(), ["+room:c"]);
  published.update({ hops, warm: 1, cold: 1 });
  assert.equal(server(origin, "room/below", "any"), "a", "the namespace is announced as well");
  published.end();
  published.offer("late");
  assert.deepEqual(take(), ["-room:b", "-room:c"]);
  assert.equal(origin.size, 0);
});

Deno.test("a request waits for its track, whoever serves it in the end", async () => {
  const { origin, context } = newOrigin();
  const waits = (path: string, track: string, ms = 1000) => origin.awaitRoute(path, track, ms);
  assert.equal(await waits("room", "video", 0).promise, undefined);
  const video = waits("/room/", "video");
  const audio = waits("room", "audio");
  const below = waits("room/a/b", "video");
  const never = waits("other", "video");
  const left = waits("room", "video");
  left.cancel();
  left.cancel();
  const published = origin.announce("room", new FakeSource("a"), only("video"))!;
  assert.equal(await video.promise, origin.find("room"));
  assert.equal(await waits("room", "video").promise, origin.find("room"));
  published.offer("audio");
  assert.equal(await audio.promise, origin.find("room"));
  origin.announce("room/a", new FakeSource("b"), all());
  assert.equal(await below.promise, origin.find("room/a"));
  context.clock.advance(1000);
  assert.deepEqual([await never.promise, await left.promise], [undefined, undefined]);
});
