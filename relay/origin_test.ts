import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeReader, FakeSource, testContext } from "../tests/support/fixtures/relay.ts";
import { ScopedOrigin } from "./namespace.ts";
import { type AnnounceEvent, type Announcement, Origin, type WatchOptions } from "./origin.ts";
import type { HopId } from "./route.ts";
import { UPDATE_HOLD_MS } from "./watchers.ts";

const SELF = 1000n;

function newOrigin(lingerMs = 5000) {
  const context = testContext();
  return { context, origin: new Origin({ context, hop: SELF, lingerMs }) };
}

function by(hops: HopId[], warm = 1, cold = warm): Announcement {
  return { hops, warm, cold };
}

function watched(origin: Origin, options: WatchOptions = {}) {
  const events: string[] = [];
  const routes: AnnounceEvent["route"][] = [];
  const watch = origin.watch(options, (event) => {
    events.push(`${event.kind} ${event.suffix}`);
    routes.push(event.route);
  });
  const take = () => events.splice(0);
  return { take, watch, routes };
}

Deno.test("Origin.watch() tells what there is, then every change", () => {
  const { origin } = newOrigin();
  const a = origin.announce("room/a", new FakeSource("a"), by([1n]))!;
  const { take, watch } = watched(origin);
  assert.deepEqual(take(), ["active room/a"]);
  const b = origin.announce("/room//b/", new FakeSource("b"), by([2n]))!;
  assert.equal(b.path, "room/b");
  assert.equal(origin.size, 2);
  a.end();
  a.end();
  assert.deepEqual(take(), ["active room/b", "ended room/a"]);
  watch.close();
  b.end();
  assert.deepEqual(take(), []);
  assert.equal(origin.size, 0);
});

Deno.test("Origin.watch() matches its prefix by whole segments", () => {
  const { origin } = newOrigin();
  for (const path of ["room", "room/a", "roomy/b", "room/a/c"]) {
    origin.announce(path, new FakeSource(path), by([0n]));
  }
  assert.deepEqual(watched(origin, { prefix: "/room/" }).take(), [
    "active ",
    "active a",
    "active a/c",
  ]);
  assert.deepEqual(watched(origin, { prefix: "room/a" }).take(), ["active ", "active c"]);
  assert.deepEqual(watched(origin, { prefix: "oom" }).take(), []);
});

Deno.test("Origin.watch() leaves out segments that begin with a dot, but for those who ask below them", () => {
  const { origin } = newOrigin();
  origin.announce(".stats/node", new FakeSource("a"), by([1n]));
  origin.announce("room/.meta/x", new FakeSource("a"), by([1n]));
  assert.deepEqual(watched(origin).take(), []);
  assert.deepEqual(watched(origin, { prefix: ".stats" }).take(), ["active node"]);
  assert.deepEqual(watched(origin, { prefix: "room" }).take(), []);
  assert.deepEqual(watched(origin, { prefix: "room/.meta" }).take(), ["active x"]);
  assert.ok(origin.find(".stats/node"));
});

Deno.test("Origin refuses a route through itself and a chain of more than 32 hops, and counts them", () => {
  const { origin, context } = newOrigin();
  const chain = (length: number) => Array.from({ length }, (_, i) => BigInt(i + 1));
  const source = new FakeSource("a");
  assert.equal(origin.announce("a", source, by([5n, SELF, 6n])), undefined);
  assert.equal(origin.announce("a", source, by(chain(33))), undefined);
  assert.ok(origin.announce("a", source, by(chain(32))));
  assert.equal(context.stats.loopsRefused, 2);
});

Deno.test("Origin refuses a chain in which somebody stands twice, but 0 may repeat", () => {
  const { origin, context } = newOrigin();
  const source = new FakeSource("a");
  assert.equal(origin.announce("a", source, by([5n, 5n])), undefined);
  assert.equal(origin.announce("a", source, by([5n, 6n, 0n, 5n])), undefined);
  const route = origin.announce("a", source, by([5n, 0n, 0n]))!;
  const { take } = watched(origin);
  route.update(by([5n, 6n, 6n]));
  assert.deepEqual(take(), ["active a", "ended a"]);
  assert.equal(context.stats.loopsRefused, 3);
});

Deno.test("Origin takes a route out while it is a loop, and back in when it is none any more", () => {
  const { origin } = newOrigin();
  const { take } = watched(origin);
  const route = origin.announce("a", new FakeSource("a"), by([5n]))!;
  route.update(by([5n, SELF]));
  route.update(by([5n, SELF, 6n]));
  route.update(by([5n, 6n]));
  assert.deepEqual(take(), ["active a", "ended a", "active a"]);
  route.end();
  route.update(by([5n]));
  assert.deepEqual(take(), ["ended a"]);
});

Deno.test("Origin serves the best of a publisher's routes, and tells when another becomes it", () => {
  const { origin } = newOrigin();
  const { take, routes } = watched(origin);
  const [far, near] = [new FakeSource("far"), new FakeSource("near")];
  origin.announce("a", far, by([5n, 6n], 3));
  const better = origin.announce("a", near, by([5n, 7n], 2))!;
  assert.equal([...origin.broadcasts()].flatMap(([, all]) => all).length, 1, "one broadcast");
  assert.equal(origin.find("a")?.best()?.source, near);
  better.update(by([5n, 7n], 4));
  assert.equal(origin.find("a")?.best()?.source, far);
  better.end();
  assert.deepEqual(take(), ["active a", "updated a", "updated a"]);
  assert.deepEqual(routes.map((route) => route?.source), [far, near, far]);
});

Deno.test("Origin tells no watcher of an update that changes nothing", () => {
  const { origin } = newOrigin();
  const { take } = watched(origin);
  const route = origin.announce("a", new FakeSource("a"), by([5n], 1))!;
  route.update(by([5n], 1));
  assert.deepEqual(take(), ["active a"]);
  route.update(by([5n], 2));
  assert.deepEqual(take(), ["updated a"]);
});

Deno.test("Origin moves readers to the same publisher's newest session at the next group", () => {
  const { origin } = newOrigin();
  const [old, young] = [new FakeSource("old"), new FakeSource("young")];
  origin.announce("a", old, by([5n]));
  const reader = new FakeReader();
  origin.find("a")!.track("a", "t").add(reader);
  old.last.group(5);
  origin.announce("a", young, by([5n]));
  assert.equal(young.last.request.startGroup, 6);
  young.last.group(6);
  assert.equal(old.last.sink.openGroup(7), undefined);
  assert.deepEqual(reader.sequences, [5, 6]);
});

Deno.test("Origin gives newcomers another publisher; those who read keep theirs; it comes back after", () => {
  const { origin } = newOrigin();
  const { take, routes } = watched(origin);
  const [first, second] = [new FakeSource("first"), new FakeSource("second")];
  origin.announce("a", first, by([5n]));
  const old = new FakeReader();
  origin.find("a")!.track("a", "t").add(old);
  const other = origin.announce("a", second, by([6n]))!;
  const fresh = new FakeReader();
  origin.find("a")!.track("a", "t").add(fresh);
  first.last.group(1);
  second.last.group(8);
  assert.deepEqual([old.sequences, fresh.sequences], [[1], [8]]);
  other.end();
  second.last.group(9);
  assert.deepEqual(fresh.sequences, [8, 9], "what runs goes on to its own end");
  assert.equal(origin.find("a")!.publisher, 5n);
  assert.deepEqual(take(), ["active a", "updated a", "updated a"]);
  assert.deepEqual(routes.map((route) => route?.source), [first, second, first]);
});

Deno.test("Origin takes two who do not say who they are for two publishers", () => {
  const { origin } = newOrigin();
  const [a, b] = [new FakeSource("a"), new FakeSource("b")];
  origin.announce("a", a, by([0n]));
  origin.announce("a", b, by([0n]));
  assert.equal([...origin.broadcasts()][0]![1].length, 2);
  assert.equal(origin.find("a")?.best()?.source, b);
});

Deno.test("Origin follows an announcement that changes its publisher", () => {
  const { origin } = newOrigin();
  const { take } = watched(origin);
  const route = origin.announce("a", new FakeSource("a"), by([5n]))!;
  route.update(by([6n]));
  assert.equal(origin.find("a")!.publisher, 6n);
  assert.equal([...origin.broadcasts()][0]![1].length, 1);
  assert.deepEqual(take(), ["active a", "updated a"]);
  route.end();
  assert.equal(origin.size, 0);
});

Deno.test("Origin lets a broadcast linger after an abrupt loss only, and its readers wait", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const [source, again] = [new FakeSource("a"), new FakeSource("again")];
  const held = origin.announce("a", source, by([5n]))!;
  const reader = new FakeReader();
  origin.find("a")!.track("a", "t").add(reader);
  source.last.group(1);
  held.end(true);
  source.last.lost();
  context.clock.advance(4999);
  assert.deepEqual(take(), ["active a"]);
  assert.ok(origin.find("a")?.lingering);
  const back = origin.announce("a", again, by([5n]))!;
  assert.deepEqual(take(), ["updated a"]);
  again.last.group(2);
  assert.deepEqual(reader.sequences, [1, 2]);
  context.clock.advance(60_000);
  assert.equal(reader.end, undefined);
  back.end();
  assert.deepEqual(take(), ["ended a"]);
});

Deno.test("Origin gives a broadcast up when its publisher does not come back in time", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const source = new FakeSource("a");
  const held = origin.announce("a", source, by([5n]))!;
  const reader = new FakeReader();
  origin.find("a")!.track("a", "t").add(reader);
  held.end(true);
  source.last.lost();
  context.clock.advance(5000);
  assert.deepEqual(take(), ["active a", "ended a"]);
  assert.equal(reader.end?.kind === "failed" && reader.end.why, "lost");
  assert.equal(origin.find("a"), undefined);
});

Deno.test("Origin counts the time of each loss anew", () => {
  const { origin, context } = newOrigin();
  const announce = () => origin.announce("a", new FakeSource("a"), by([5n]))!;
  announce().end(true);
  context.clock.advance(4000);
  announce().end(true);
  context.clock.advance(4000);
  assert.equal(origin.size, 1);
  context.clock.advance(1000);
  assert.equal(origin.size, 0);
});

Deno.test("Origin waits for so many lost publishers, and gives up those that have been away longest", () => {
  const { origin } = newOrigin();
  for (let i = 0; i < 20_100; i++) {
    origin.announce(`b/${i}`, new FakeSource("a"), by([5n]))!.end(true);
  }
  assert.equal(origin.size, 20_000);
  assert.equal(origin.find("b/99"), undefined);
  assert.ok(origin.find("b/100")?.lingering);
});

Deno.test("Origin does not wait when that is switched off", () => {
  const { origin } = newOrigin(0);
  origin.announce("a", new FakeSource("a"), by([5n]))!.end(true);
  assert.equal(origin.size, 0);
});

Deno.test("Origin tells the end of a lost publisher before another one that comes in its place", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin);
  const source = new FakeSource("a");
  const held = origin.announce("a", source, by([0n]))!;
  const reader = new FakeReader();
  origin.find("a")!.track("a", "t").add(reader);
  held.end(true);
  source.last.lost();
  const next = origin.announce("a", new FakeSource("b"), by([0n]))!;
  assert.equal([...origin.broadcasts()][0]![1].length, 1);
  assert.equal(reader.end?.kind, "failed");
  context.clock.advance(60_000);
  assert.deepEqual(take(), ["active a", "ended a", "active a"]);
  next.end();
  assert.deepEqual(take(), ["ended a"]);
  assert.equal(origin.size, 0);
});

Deno.test("Origin.watch() shows no route through excludeHop, but the best other one", () => {
  const { origin } = newOrigin();
  const { take, routes } = watched(origin, { excludeHop: 7n });
  const [through, other] = [new FakeSource("through"), new FakeSource("other")];
  origin.announce("a", through, by([5n, 7n], 1));
  assert.deepEqual(take(), []);
  const second = origin.announce("a", other, by([5n, 8n], 9))!;
  assert.deepEqual(take(), ["active a"]);
  assert.equal(routes.at(-1)?.source, other);
  second.end();
  assert.deepEqual(take(), ["ended a"]);
  assert.equal(origin.find("a", 7n), undefined);
  assert.ok(origin.find("a", 8n));
});

Deno.test("Origin.watch() does not show a source what it announced itself", () => {
  const { origin } = newOrigin();
  const [me, other] = [new FakeSource("me"), new FakeSource("other")];
  const { take } = watched(origin, { except: me });
  const mine = origin.announce("a", me, by([5n], 1))!;
  assert.deepEqual(take(), []);
  origin.announce("a", other, by([6n], 2));
  assert.deepEqual(take(), ["active a"]);
  mine.end();
  assert.deepEqual(take(), []);
});

Deno.test("Origin.find() falls back to the longest announced path above", () => {
  const { origin } = newOrigin();
  const [room, deep] = [new FakeSource("room"), new FakeSource("deep")];
  origin.announce("room", room, by([5n]));
  origin.announce("room/a", deep, by([6n]));
  const path = (asked: string) => origin.find(asked)?.path;
  assert.equal(path("room/a"), "room/a");
  assert.equal(path("/room/a/b//c"), "room/a");
  assert.equal(path("room/b"), "room");
  assert.equal(path("roomy"), undefined);
  assert.equal(path(""), undefined);
  origin.find("room/b/c")!.track("room/b/c", "t").add(new FakeReader());
  assert.equal(room.last.broadcast, "room/b/c");
  origin.announce("", new FakeSource("all"), by([9n]));
  assert.equal(path("elsewhere"), "");
});

Deno.test("Origin.find() asks a publisher above only for what it may serve", () => {
  const { origin } = newOrigin();
  const rights = {
    mayPublish: (path: string) => path === "live",
    maySubscribe: () => true,
    subscribesBelow: () => "all" as const,
  };
  const [stranger, owner] = [new FakeSource("stranger"), new FakeSource("owner")];
  const narrow = new ScopedOrigin(origin, rights);
  const announced = narrow.announce("live", stranger, by([5n]))!;
  assert.ok(origin.find("live"));
  assert.equal(origin.find("live/boss-cam"), undefined);
  announced.update(by([5n, 6n]));
  assert.equal(origin.find("live/boss-cam"), undefined, "nor by a later route");
  // Another session of the same publisher may: only its route is used.
  origin.announce("live", owner, by([5n, 7n, 8n]));
  origin.find("live/boss-cam")!.track("live/boss-cam", "t").add(new FakeReader());
  assert.deepEqual([stranger.subscriptions.length, owner.subscriptions.length], [0, 1]);
  origin.find("live")!.track("live", "t").add(new FakeReader());
  assert.equal(stranger.subscriptions.length, 1);
});

Deno.test("Origin.watch() with merged tells the changes of 300 ms as one; what is new or gone, at once", () => {
  const { origin, context } = newOrigin();
  const { take, routes } = watched(origin, { merged: true });
  const prompt = watched(origin);
  const route = origin.announce("a", new FakeSource("a"), by([5n], 1))!;
  route.update(by([5n], 2));
  context.clock.advance(UPDATE_HOLD_MS - 1);
  route.update(by([5n], 3));
  assert.deepEqual(take(), ["active a"]);
  assert.deepEqual(prompt.take(), ["active a", "updated a", "updated a"]);
  context.clock.advance(1);
  assert.deepEqual(take(), ["updated a"]);
  assert.equal(routes.at(-1)?.warm, 3);
  route.update(by([5n], 4));
  route.update(by([5n], 3));
  context.clock.advance(UPDATE_HOLD_MS);
  assert.deepEqual(take(), [], "there and back is nothing");
  route.update(by([5n], 9));
  route.end();
  assert.deepEqual(take(), ["ended a"]);
  context.clock.advance(UPDATE_HOLD_MS);
  assert.deepEqual(take(), []);
});

Deno.test("Origin.watch() with merged takes the same chain from another source for no news", () => {
  const { origin, context } = newOrigin();
  const { take } = watched(origin, { merged: true });
  const old = origin.announce("a", new FakeSource("old"), by([5n]))!;
  origin.announce("a", new FakeSource("young"), by([5n]));
  old.end();
  context.clock.advance(10_000);
  assert.deepEqual(take(), ["active a"]);
});

Deno.test("Origin lets a listener announce, withdraw and watch from inside its callback", () => {
  const { origin } = newOrigin();
  const outer: string[] = [];
  const inner: string[] = [];
  origin.watch({}, ({ kind, path }) => {
    outer.push(`${kind} ${path}`);
    if (kind !== "active" || path !== "a") return;
    origin.announce("b", new FakeSource("b"), by([6n]))!.end();
    origin.watch({}, (event) => inner.push(`${event.kind} ${event.path}`));
  });
  origin.announce("a", new FakeSource("a"), by([5n]))!.end();
  assert.deepEqual(outer, ["active a", "active b", "ended b", "ended a"]);
  assert.deepEqual(inner, ["active a", "ended a"]);
});

Deno.test("Origin discourages a route: any other wins from then on", () => {
  const { origin } = newOrigin();
  const [going, other] = [new FakeSource("going"), new FakeSource("other")];
  const leaving = origin.announce("a", going, by([5n], 0))!;
  origin.announce("a", other, by([5n, 6n], 50));
  assert.equal(origin.find("a")?.best()?.source, going);
  leaving.discourage();
  assert.equal(origin.find("a")?.best()?.source, other);
});

Deno.test("Origin.watch() always adds up to what is announced, whatever happens", () => {
  const step = fc.record({
    act: fc.constantFrom("announce", "update", "end", "lose", "wait"),
    path: fc.constantFrom("a", "a/b", "c"),
    hops: fc.array(fc.constantFrom(0n, 5n, 6n, 7n, SELF), { minLength: 1, maxLength: 3 }),
    warm: fc.nat(3),
    which: fc.nat(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
    const { origin, context } = newOrigin();
    const views = [undefined, 7n].map((excludeHop) => {
      const seen = new Map<string, unknown>();
      origin.watch({ excludeHop: excludeHop ?? 0n }, ({ kind, path, route }) => {
        assert.equal(seen.has(path), kind !== "active", `${kind} ${path}`);
        if (kind === "ended") seen.delete(path);
        else seen.set(path, route);
      });
      return { seen, excludeHop };
    });
    const held: NonNullable<ReturnType<Origin["announce"]>>[] = [];
    for (const { act, path, hops, warm, which } of steps) {
      const one = held[which % Math.max(1, held.length)];
      if (act === "announce") {
        const announced = origin.announce(path, new FakeSource("x"), by(hops, warm));
        if (announced !== undefined) held.push(announced);
      } else if (act === "update") one?.update(by(hops, warm));
      else if (act === "wait") context.clock.advance(3000);
      else one?.end(act === "lose");
      for (const [, all] of origin.broadcasts()) {
        for (const broadcast of all) {
          assert.ok(broadcast.lingering !== broadcast.routes.length > 0);
        }
      }
    }
    context.clock.advance(10_000);
    for (const { seen, excludeHop } of views) {
      const there = [...origin.broadcasts()].filter(([, all]) =>
        all.some((b) => b.best(excludeHop) !== undefined)
      );
      assert.deepEqual([...seen.keys()].sort(), there.map(([path]) => path).sort());
    }
    for (const one of held) one.end();
    assert.equal(origin.size, 0);
    for (const { seen } of views) assert.equal(seen.size, 0);
  }));
});
