import assert from "node:assert/strict";
import { FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import { ScopedOrigin } from "../namespace.ts";
import { type Announced, Origin, type WatchOptions } from "../origin.ts";
import type { HopId } from "../route.ts";
import { originOffers } from "./origin_offers.ts";
import { type TrackEvent, TrackWatchers } from "./track_watchers.ts";

let stamp = 100n;

function newOrigin() {
  const origin = new Origin({ context: testContext(), hop: 1000n, lingerMs: 0 });
  origin.allowOffers(originOffers);
  return origin;
}

/** A session publishes one track. It offers the namespace as well if it has a chain of its own. */
function publish(
  origin: Origin,
  path: string,
  track: string,
  source = new FakeSource("a"),
  hops?: HopId[],
): Announced {
  return origin.announce(path, source, {
    hops: hops ?? [++stamp, 0n],
    warm: 0,
    cold: 0,
    tracks: new Set([track]),
    onlyTracks: hops === undefined,
  })!;
}

function told({ path, track, gone }: TrackEvent): string {
  return `${gone ? "-" : "+"}${path}:${track}`;
}

function watched(origin: Pick<Origin, "watchTracks">, options: WatchOptions = {}) {
  const events: string[] = [];
  const watch = origin.watchTracks(options, (event) => void events.push(told(event)));
  return { watch, take: () => events.splice(0) };
}

Deno.test("a watcher of tracks hears of those below its prefix, part by part, and of hidden ones if it asks", () => {
  const origin = newOrigin();
  for (const path of ["room", "room/a", "roomy", "room/.meta", "other"]) publish(origin, path, "t");
  assert.deepEqual(watched(origin, { prefix: "/room/" }).take(), ["+room:t", "+room/a:t"]);
  assert.deepEqual(watched(origin, { prefix: "roo" }).take(), []);
  assert.deepEqual(watched(origin, { prefix: "room/.meta" }).take(), ["+room/.meta:t"]);
  const { take } = watched(origin, { prefix: "room", hidden: true });
  assert.deepEqual(take(), ["+room:t", "+room/a:t", "+room/.meta:t"]);
  publish(origin, "room/a/b", "t").end();
  publish(origin, "roomy/b", "t").end();
  assert.deepEqual(take(), ["+room/a/b:t", "-room/a/b:t"]);
});

Deno.test("a watcher of tracks hears of a track once, however many sessions publish it", () => {
  const origin = newOrigin();
  const { take, watch } = watched(origin);
  const first = publish(origin, "room", "video");
  const second = publish(origin, "room", "video");
  first.end();
  assert.deepEqual(take(), ["+room:video"]);
  second.end();
  assert.deepEqual(take(), ["-room:video"]);
  watch.close();
  publish(origin, "room", "video");
  assert.deepEqual(take(), []);
});

Deno.test("a watcher of tracks does not hear of its own, nor of those through a hop that is left out", () => {
  const origin = newOrigin();
  const [me, other] = [new FakeSource("me"), new FakeSource("other")];
  const { take } = watched(origin, { except: me, excludeHop: 7n });
  const mine = publish(origin, "room", "video", me);
  const through = publish(origin, "room", "audio", other, [5n, 7n]);
  assert.deepEqual(take(), []);
  const theirs = publish(origin, "room", "video", other);
  assert.deepEqual(take(), ["+room:video"]);
  mine.end();
  assert.deepEqual(take(), []);
  theirs.end();
  through.update({ hops: [5n, 8n], warm: 0, cold: 0 });
  assert.deepEqual(take(), ["-room:video", "+room:audio"]);
  through.update({ hops: [5n, 7n], warm: 0, cold: 0 });
  assert.deepEqual(take(), ["-room:audio"]);
  through.update({ hops: [6n], warm: 0, cold: 0 });
  assert.deepEqual(take(), ["+room:audio"], "another publisher, the same tracks");
});

Deno.test("a broadcast that lists no tracks is no news for a watcher of tracks", () => {
  const origin = newOrigin();
  const { take } = watched(origin);
  origin.announce("live", new FakeSource("lite"), { hops: [5n], warm: 0, cold: 0 })!.end();
  assert.deepEqual(take(), []);
});

Deno.test("a session hears of no track that it may not subscribe to, and waits for none", async () => {
  const origin = newOrigin();
  const scoped = new ScopedOrigin(origin, {
    mayPublish: (path) => path === "mine",
    subscribesBelow: () => "some",
    maySubscribe: (path) => path.startsWith("open"),
  });
  const { take } = watched(scoped);
  const waiting = scoped.awaitRoute("secret", "t", 1000);
  publish(origin, "secret", "t");
  publish(origin, "open/a", "t");
  assert.deepEqual(take(), ["+open/a:t"]);
  assert.equal(await waiting.promise, undefined);
  waiting.cancel();
  assert.equal(scoped.find("secret", 0n, "t"), undefined);
  assert.ok(scoped.find("open/a", 0n, "t"));
  assert.equal(await scoped.awaitRoute("open/a", "t", 1000).promise, origin.find("open/a"));
  assert.equal(origin.context.stats.requestsRefused, 2);
  // What it publishes itself stays within its rights, in each update.
  const source = new FakeSource("me");
  const mine = scoped.announce("mine", source, { hops: [5n], warm: 0, cold: 0 })!;
  mine.offer("t");
  mine.discourage();
  assert.equal(origin.find("mine", 0n, "t")?.best()?.source, source);
  assert.equal(origin.find("mine/below", 0n, "t"), undefined);
});

Deno.test("a watcher of tracks that does not read is told each once, as it is when it reads again", () => {
  const origin = newOrigin();
  let room = 0;
  const heard: string[] = [];
  publish(origin, "room", "early");
  const watch = origin.watchTracks({ ready: () => room > 0 }, (event) => {
    room--;
    heard.push(told(event));
  });
  assert.deepEqual(heard, []);
  const all: Announced[] = [];
  for (let i = 0; i < 100; i++) {
    publish(origin, "room", `gone ${i}`).end();
    all.push(publish(origin, "room", "kept"));
  }
  room = 1;
  watch.catchUp();
  assert.deepEqual(heard.splice(0), ["+room:early"]);
  room = 9;
  watch.catchUp();
  watch.catchUp();
  assert.deepEqual(heard.splice(0), ["+room:kept"]);
  room = 0;
  for (const one of all) one.end();
  const back = publish(origin, "room", "kept");
  room = 9;
  watch.catchUp();
  assert.deepEqual(heard.splice(0), [], "away and back is nothing");
  room = 0;
  back.end();
  watch.close();
  room = 9;
  watch.catchUp();
  assert.deepEqual(heard, []);
});

Deno.test("a watcher of tracks may publish, withdraw and watch from inside its callback", () => {
  const origin = newOrigin();
  const [outer, inner]: [string[], string[]] = [[], []];
  origin.watchTracks({}, (event) => {
    outer.push(told(event));
    if (told(event) !== "+a:t") return;
    publish(origin, "b", "t").end();
    origin.watchTracks({}, (each) => void inner.push(told(each)));
  });
  publish(origin, "a", "t").end();
  assert.deepEqual(outer, ["+a:t", "+b:t", "-b:t", "-a:t"]);
  assert.deepEqual(inner, ["+a:t", "-a:t"]);
});

Deno.test("one change asks once for each watcher of its path, and nothing when nobody watches", () => {
  let asked = 0;
  const watchers = new TrackWatchers({
    offered: () => ++asked < 0,
    below: () => [],
  });
  watchers.tell("room/7", "t");
  const all = Array.from(
    { length: 1000 },
    (_, i) => watchers.add({ prefix: `room/${i}` }, () => {}),
  );
  watchers.tell("other", "t");
  assert.equal(asked, 0);
  watchers.tell("room/7", "t");
  assert.equal(asked, 1);
  const above = watchers.add({ prefix: "room" }, () => {});
  watchers.tell("room/7/cam", "t");
  assert.equal(asked, 3);
  all[7]!.close();
  above.close();
  above.close();
  watchers.tell("room/7", "t");
  assert.equal(asked, 3);
});

/** A chain that counts how often somebody looks through it. */
class CountedHops extends Array<HopId> {
  looks = 0;
  override includes(hop: HopId): boolean {
    this.looks++;
    return super.includes(hop);
  }
}

Deno.test("one track more or less costs the same with twenty tracks as with twenty thousand", () => {
  const looksFor = (count: number) => {
    const origin = newOrigin();
    const hops = new CountedHops();
    hops.push(5n);
    const published = origin.announce("room", new FakeSource("a"), { hops, warm: 0, cold: 0 })!;
    let heard = 0;
    for (let i = 0; i < 10; i++) {
      origin.watchTracks({ excludeHop: 9n }, () => heard++);
      origin.watch({ excludeHop: 9n }, () => {});
    }
    for (let i = 0; i < count; i++) published.offer(`track ${i}`);
    const before = hops.looks;
    published.offer("one more");
    published.retract("one more");
    assert.equal(heard, 10 * (count + 2));
    return hops.looks - before;
  };
  assert.equal(looksFor(20_000), looksFor(20));
  assert.equal(
    looksFor(20),
    10,
    "each watcher of tracks looks at the route once, while there is one",
  );
});
