import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeReader, FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { NotFound } from "../errors.ts";
import {
  type Announced,
  type Announcement,
  Origin,
  type TrackEvent,
  type WatchOptions,
} from "../origin.ts";
import { originOffers } from "./origin_offers.ts";
import { MAX_WAIT_MS, MAX_WAITING, MAX_WAITING_EACH } from "./waiting.ts";

function newOrigin(lingerMs = 5000) {
  const context = testContext();
  const origin = new Origin({ context, hop: 1000n, lingerMs });
  origin.allowOffers(originOffers);
  return { context, origin };
}

let stamp = 1_000_000n;

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

Deno.test("a watcher of broadcasts hears of published tracks as of any broadcast, of one that asks for whole ones not", () => {
  const { origin } = newOrigin();
  const heard = (options: WatchOptions) => {
    const events: string[] = [];
    origin.watch(options, ({ kind, path, route }) => {
      events.push(`${kind} ${path}${route?.onlyTracks === true ? " tracks" : ""}`);
    });
    return () => events.splice(0);
  };
  const [every, whole, peer] = [heard({}), heard({ whole: true }), heard({ merged: true })];
  const first = origin.announce("room", new FakeSource("a"), only("video"))!;
  const second = origin.announce("room", new FakeSource("b"), only("audio"))!;
  assert.deepEqual([every(), whole(), peer()], [["active room tracks"], [], [
    "active room tracks",
  ]]);
  const namespace = origin.announce("room", new FakeSource("c"), all())!;
  assert.deepEqual([every(), whole()], [["updated room"], ["active room"]]);
  namespace.end();
  assert.deepEqual([every(), whole()], [["updated room tracks"], ["ended room"]]);
  const { hops } = only();
  second.update({ hops, warm: 0, cold: 0 });
  assert.deepEqual([every(), whole()], [["updated room"], ["active room"]]);
  second.update({ hops, warm: 0, cold: 0, onlyTracks: true });
  assert.deepEqual([every(), whole()], [["updated room tracks"], ["ended room"]]);
  second.end();
  first.end();
  assert.deepEqual([every(), whole(), peer()], [["ended room"], [], ["ended room"]]);
});

Deno.test("peers see no difference when one of several publishers of a path leaves", () => {
  const { origin, context } = newOrigin();
  const events: string[] = [];
  origin.watch({ merged: true }, ({ kind }) => void events.push(kind));
  const first = origin.announce("room", new FakeSource("a"), only("video"))!;
  origin.announce("room", new FakeSource("b"), only("audio"));
  first.end();
  context.clock.advance(10_000);
  assert.deepEqual(events, ["active"]);
});

/** A session that relays what one publisher publishes: two of them have the same publisher. */
const relayed = (by: bigint, ...tracks: string[]): Announcement => ({
  ...only(...tracks),
  hops: [50n, by],
});

Deno.test("readers move to another session of their publisher when a track is withdrawn, and stay there when it is offered again", () => {
  const { origin } = newOrigin();
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  origin.announce("room", a, relayed(51n, "video"));
  const other = origin.announce("room", b, relayed(52n, "video", "audio"))!;
  const reader = new FakeReader();
  const broadcast = origin.find("room", 0n, "video")!;
  broadcast.track("room", "video").add(reader);
  b.last.group(1);
  other.retract("video");
  a.last.group(2);
  assert.deepEqual([reader.sequences, reader.end], [[1, 2], undefined]);
  other.offer("video");
  assert.equal(b.subscriptions.length, 1);
  a.last.group(3);
  assert.deepEqual(reader.sequences, [1, 2, 3]);
});

Deno.test("readers of a withdrawn track that no other session has go on until its source ends", () => {
  const { origin } = newOrigin();
  const a = new FakeSource("a");
  const published = origin.announce("room", a, only("video", "audio"))!;
  const reader = new FakeReader();
  origin.find("room", 0n, "video")!.track("room", "video").add(reader);
  a.last.group(1);
  published.retract("video");
  a.last.group(2);
  assert.deepEqual([reader.sequences, reader.end], [[1, 2], undefined]);
  a.last.lost();
  assert.equal(reader.end?.kind, "failed");
  assert.equal(origin.find("room", 0n, "video"), undefined);
});

Deno.test("Broadcast.fetch() and trackInfo() ask only the route that has the track", async () => {
  const { origin } = newOrigin();
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  a.info = { priority: 1, maxAgeMs: 1, timescale: 1 };
  origin.announce("room", a, relayed(51n, "video"));
  origin.announce("room", b, relayed(52n, "audio"));
  const broadcast = origin.find("room", 0n, "video")!;
  assert.equal(broadcast, origin.find("room", 0n, "audio"), "of one publisher");
  assert.equal(await broadcast.trackInfo("room", "video"), a.info);
  const group = await broadcast.fetch("room", "video", { group: 4, priority: 1 });
  group.release();
  await assert.rejects(broadcast.trackInfo("room", "chat"), NotFound);
  await assert.rejects(broadcast.fetch("room", "chat", { group: 4, priority: 1 }), NotFound);
});

Deno.test("published tracks stay offered while their lost publisher may come back", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const a = new FakeSource("a");
  const lost = origin.announce("room", a, only("video", "audio"))!;
  origin.announce("room", new FakeSource("b"), only("chat"));
  const [seeing, hearing] = [new FakeReader(), new FakeReader()];
  origin.find("room", 0n, "video")!.track("room", "video").add(seeing);
  origin.find("room", 0n, "audio")!.track("room", "audio").add(hearing);
  take();
  lost.end(true);
  for (const subscription of a.subscriptions) subscription.lost();
  assert.deepEqual(take(), []);
  assert.deepEqual(watched(origin).take(), ["+room:chat"], "who comes now hears of them later");
  assert.equal(origin.find("room", 0n, "video")?.lingering, true);
  assert.equal(origin.find("room", 0n, "else"), undefined);
  assert.deepEqual([seeing.end, hearing.end], [undefined, undefined]);

  // It comes back as another session, and publishes one track after the other.
  const back = origin.announce("room", new FakeSource("back"), only("video"))!;
  assert.deepEqual(take(), ["-room:video", "+room:video"], "it has to be asked for again");
  assert.deepEqual([seeing.end?.kind, hearing.end?.kind], ["failed", undefined]);
  assert.equal(server(origin, "room", "video"), "back");
  assert.equal(origin.find("room", 0n, "audio")?.lingering, true);
  back.offer("audio");
  assert.deepEqual(take(), ["-room:audio", "+room:audio"]);
  assert.equal(hearing.end?.kind, "failed");
  assert.equal([...origin.broadcasts()][0]![1].length, 2);
  context.clock.advance(60_000);
  assert.deepEqual(take(), []);
});

Deno.test("a lost publisher's tracks are given up in the end, and at once if another one has them", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const lost = origin.announce("room", new FakeSource("a"), only("video", "audio"))!;
  origin.announce("room", new FakeSource("b"), only("video"));
  take();
  lost.end(true);
  assert.equal(server(origin, "room", "video"), "b");
  assert.equal(origin.find("room", 0n, "audio")?.lingering, true);
  context.clock.advance(5000);
  assert.deepEqual(take(), ["-room:audio"]);
  assert.equal(origin.find("room", 0n, "audio"), undefined);
  // The whole namespace is served by another one: nothing is left to wait for.
  const again = origin.announce("room", new FakeSource("c"), only("text"))!;
  origin.announce("room", new FakeSource("d"), all());
  again.end(true);
  assert.deepEqual(take(), ["+room:text", "-room:text"]);
  assert.equal([...origin.broadcasts()][0]![1].length, 2);
});

Deno.test("so many tracks of lost publishers are kept, and those that were lost first are given up first", () => {
  const { origin } = newOrigin();
  const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
  const lose = (path: string, count: number) =>
    origin.announce(path, new FakeSource("a"), only(...names(count)))!.end(true);
  lose("a", 9_000);
  lose("b", 9_000);
  assert.ok(origin.find("a", 0n, "8999")?.lingering);
  lose("c", 5_000);
  assert.equal(origin.find("a", 0n, "8999"), undefined);
  assert.ok(origin.find("b", 0n, "8999")?.lingering);
  lose("d", 25_000);
  assert.equal(origin.size, 1);
  assert.ok(origin.find("d", 0n, "24999")?.lingering, "one alone may stay");
});

Deno.test("a lost publisher that comes back has only what it publishes now", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const a = new FakeSource("a");
  const lost = origin.announce("room", a, relayed(51n, "video", "audio"))!;
  const [seeing, hearing] = [new FakeReader(), new FakeReader()];
  origin.find("room", 0n, "video")!.track("room", "video").add(seeing);
  origin.find("room", 0n, "audio")!.track("room", "audio").add(hearing);
  lost.end(true);
  for (const subscription of a.subscriptions) subscription.lost();
  take();
  const back = new FakeSource("back");
  origin.announce("room", back, relayed(51n, "video"));
  assert.deepEqual(take(), ["-room:audio"]);
  assert.equal(hearing.end?.kind, "failed");
  back.last.group(7);
  assert.deepEqual([seeing.sequences, seeing.end], [[7], undefined]);
  context.clock.advance(60_000);
  assert.equal([...origin.broadcasts()].length, 1);
});

Deno.test("tracks of what may be an echo of a withdrawn route are offered when it has proved to be none", async () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const gone = origin.announce("room", new FakeSource("a"), all())!;
  origin.announce("room", new FakeSource("b"), { ...all("video"), hops: [7n, 0n, 0n] });
  gone.end();
  assert.deepEqual(take(), ["+room:video", "-room:video"]);
  assert.equal(origin.find("room", 0n, "video"), undefined);
  const waiting = origin.awaitRoute("room", "video", 60_000);
  context.clock.advance(2000);
  assert.deepEqual(take(), ["+room:video"]);
  assert.equal((await waiting.promise)?.path, "room");
});

Deno.test("requests wait within a limit, are counted above it, and none waits for ever", async () => {
  const { origin, context } = newOrigin();
  const askers = Array.from({ length: MAX_WAITING / MAX_WAITING_EACH + 1 }, () => ({}));
  const waiting = Array.from(
    { length: MAX_WAITING },
    (_, i) => origin.awaitRoute(`room/${i}`, "t", Infinity, 0n, askers[i % askers.length]),
  );
  assert.equal(await origin.awaitRoute("one/more", "t", 1000).promise, undefined);
  assert.equal(context.stats.waitsRefused, 1);
  origin.announce("room/7", new FakeSource("a"), only("t"));
  assert.equal(await waiting[7]!.promise, origin.find("room/7"));
  const last = origin.awaitRoute("one/more", "t", 1000);
  assert.equal(context.stats.waitsRefused, 1, "there is room again");
  for (const one of waiting.slice(0, -1)) one.cancel();
  context.clock.advance(MAX_WAIT_MS);
  assert.equal(await waiting.at(-1)!.promise, undefined);
  assert.equal(await last.promise, undefined);
});

Deno.test("one asker takes no more than its part of the places of those that wait", async () => {
  const { origin, context } = newOrigin();
  const [one, other] = [{}, {}];
  const waits = (track: string, asker: object) => origin.awaitRoute("p", track, 1000, 0n, asker);
  const waiting = Array.from({ length: MAX_WAITING_EACH }, (_, i) => waits(`${i}`, one));
  assert.equal(await waits("more", one).promise, undefined);
  assert.equal(context.stats.waitsRefused, 1);
  const fair = waits("more", other);
  waiting[0]!.cancel();
  const again = waits("more", one);
  const found = origin.announce("p", new FakeSource("a"), only("more"));
  assert.deepEqual([await fair.promise, await again.promise].map((b) => b?.path), ["p", "p"]);
  found!.end();
});

Deno.test("a request does not get what it may not be served by", async () => {
  const { origin, context } = newOrigin();
  const settled: string[] = [];
  const waits = (name: string, path: string, excludeHop: bigint) => {
    const { promise } = origin.awaitRoute(path, "t", 1000, excludeHop);
    return promise.then((found) => void settled.push(`${name} ${found?.path}`));
  };
  const all = [waits("through", "room", 9n), waits("below", "room/a", 0n)];
  const mayServe = (path: string) => path === "room";
  const one = origin.announce("room", new FakeSource("a"), {
    ...{ hops: [5n, 9n], warm: 0, cold: 0 },
    mayServe,
  })!;
  await Promise.resolve();
  assert.deepEqual(settled, []);
  one.update({ hops: [5n, 8n], warm: 0, cold: 0, mayServe });
  await Promise.race(all);
  context.clock.advance(1000);
  await Promise.all(all);
  assert.deepEqual(settled, ["through room", "below undefined"]);
});

Deno.test("a session that publishes 20,000 tracks at one path or in as many leaves nothing behind", () => {
  const { origin, context } = newOrigin();
  const count = 20_000;
  let there = 0;
  origin.watchTracks({}, ({ gone }) => void (there += gone ? -1 : 1));
  const one = origin.announce("room", new FakeSource("a"), only())!;
  for (let i = 0; i < count; i++) one.offer(`${i}`);
  const many = Array.from(
    { length: count },
    (_, i) => origin.announce(`many/${i}`, new FakeSource("b"), only("t"))!,
  );
  assert.equal(there, 2 * count);
  assert.equal(server(origin, "room", "19999"), "a");
  for (const each of many) each.end();
  assert.equal(there, count);
  one.end(true);
  assert.equal(there, count, "it lingers");
  context.clock.advance(5000);
  assert.deepEqual([there, origin.size], [0, 0]);
});

Deno.test("Origin.find() and watchTracks() always agree with what is offered, whatever happens", () => {
  const tracks = ["a", "b", "c"];
  const step = fc.record({
    act: fc.constantFrom("announce", "offer", "retract", "update", "end", "lose", "wait"),
    path: fc.constantFrom("p", "p/q"),
    track: fc.constantFrom(...tracks),
    publisher: fc.constantFrom(0n, 1n, 2n, 3n),
    onlyTracks: fc.boolean(),
    which: fc.nat(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { origin, context } = newOrigin();
    const seen = new Set<string>();
    const behind = new Set<string>();
    let ready = true;
    const hear = (seen: Set<string>) => ({ path, track, gone }: TrackEvent) => {
      const key = `${path} ${track}`;
      assert.equal(seen.has(key), gone, key);
      if (gone) seen.delete(key);
      else seen.add(key);
    };
    origin.watchTracks({}, hear(seen));
    const slow = origin.watchTracks({ ready: () => ready }, hear(behind));
    interface Model {
      readonly announced: Announced;
      readonly path: string;
      readonly tracks: Set<string>;
      onlyTracks: boolean;
    }
    let held: Model[] = [];
    for (const { act, path, track, publisher, onlyTracks, which } of steps) {
      const one = held[which % Math.max(1, held.length)];
      ready = which % 3 > 0;
      const told = { hops: [publisher, 9n], warm: 0, cold: 0, onlyTracks };
      if (act === "announce") {
        const tracks = new Set([track]);
        const announced = origin.announce(path, new FakeSource("x"), { ...told, tracks });
        held.push({ announced: announced!, path, tracks, onlyTracks });
      } else if (act === "offer") {
        one?.announced.offer(track);
        one?.tracks.add(track);
      } else if (act === "retract") {
        one?.announced.retract(track);
        one?.tracks.delete(track);
      } else if (act === "update") {
        one?.announced.update(told);
        if (one !== undefined) one.onlyTracks = onlyTracks;
      } else if (act === "wait") {
        context.clock.advance(6000);
      } else {
        one?.announced.end(act === "lose");
        held = held.filter((other) => other !== one);
      }
      for (const path of ["p", "p/q"]) {
        for (const track of [...tracks, "none"]) {
          const here = held.filter((each) => each.path === path);
          const offering = here.some(({ tracks }) => tracks.has(track));
          const whole = (at: string) => held.some((one) => one.path === at && !one.onlyTracks);
          const serving = offering || whole(path) || (path === "p/q" && whole("p"));
          const found = origin.find(path, 0n, track);
          if (offering) assert.ok(seen.has(`${path} ${track}`));
          // A lost publisher keeps its path from those above.
          if (serving && !(found?.lingering && found.path === path && !whole(path))) {
            assert.equal(found?.lingering, false);
          }
          if (!serving) assert.ok(found === undefined || found.lingering);
          const route = found?.best(0n, path, track);
          assert.equal(route === undefined, found === undefined || found.lingering);
          if (offering) assert.equal(route?.tracks?.has(track), true);
        }
      }
    }
    context.clock.advance(10_000);
    ready = true;
    slow.catchUp();
    const offered = held.flatMap(({ path, tracks }) => [...tracks].map((t) => `${path} ${t}`));
    assert.deepEqual([...seen].sort(), [...new Set(offered)].sort());
    assert.deepEqual([...behind].sort(), [...seen].sort());
    for (const { announced } of held) announced.end();
    assert.deepEqual([seen.size, origin.size], [0, 0]);
  }));
});
