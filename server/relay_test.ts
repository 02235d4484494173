import { UPDATE_HOLD_MS } from "../relay/watchers.ts";
import assert from "node:assert/strict";
import {
  hex,
  join,
  link,
  lite,
  RawPeer,
  type TestRelay,
  testRelay,
  tick,
  Viewer,
} from "../session/peers_test.ts";
import type { LiteVersion } from "../wire/lite/dialect.ts";
import type { Announcements } from "../client/announcements.ts";

/** News so far, as "+path" and "-path". */
function follow(announced: Announcements): string[] {
  const news: string[] = [];
  void (async () => {
    for await (const { path, active } of announced) news.push((active ? "+" : "-") + path);
  })();
  return news;
}

function upstreamSubscriptions({ relay }: TestRelay): number {
  return relay.stats.upstreamSubscriptions;
}

for (const version of [2, 4, 6] as const) {
  Deno.test(`fifty viewers on 0${version} cost one upstream subscription, and the last ends it`, async () => {
    const at = testRelay();
    const { client } = await join(at, version);
    const track = client.publish("a").track("v");
    await tick();
    const viewers: Viewer[] = [];
    for (let i = 0; i < 50; i++) {
      const joined = await join(at, version);
      viewers.push(new Viewer(joined.client.subscribe("a", "v")));
      await tick();
    }
    track.write("x");
    await tick();
    assert.ok(viewers.every((v) => v.text(0) === "x"));
    assert.equal(upstreamSubscriptions(at), 1);
    assert.equal(track.subscribers, 1);
    for (const viewer of viewers.slice(1)) viewer.subscription.close();
    await tick();
    assert.equal(track.subscribers, 1);
    viewers[0]!.subscription.close();
    await tick();
    assert.equal(track.subscribers, 0);
    await at.relay.close();
  });
}

for (const [from, to] of [[6, 6], [2, 6], [6, 2], [4, 4], [5, 3]] as const) {
  Deno.test(`a track that 0${from} refuses is refused to 0${to}`, async () => {
    const at = testRelay();
    const publisher = await join(at, from);
    publisher.client.publish("a");
    const { client } = await join(at, to);
    await tick();
    const unknown = new Viewer(client.subscribe("a", "nothing"));
    const nowhere = new Viewer(client.subscribe("z", "v", { waitMs: 0 }));
    await tick();
    assert.deepEqual([unknown.end, nowhere.end], ["not-found", "unannounced"]);
    assert.equal(at.relay.sessionCount, 2);
    await at.relay.close();
  });
}

/** Three relays, each linked to both others. */
async function triangle(version: LiteVersion): Promise<[TestRelay, TestRelay, TestRelay]> {
  const clock = testRelay().clock;
  const [a, b, c] = [1001n, 1002n, 1003n].map((hop) => testRelay({ hop, clock }));
  await link(b!.relay, a!.relay, version);
  await link(c!.relay, a!.relay, version);
  await link(c!.relay, b!.relay, version);
  return [a!, b!, c!];
}

for (const version of [6, 5, 4, 3] as const) {
  for (const from of [6, 4, 2] as const) {
    Deno.test(`three relays in a ring of 0${version} neither loop nor flap for a publisher on 0${from}`, async () => {
      const [a, b, c] = await triangle(version);
      const viewers = await Promise.all([a, b, c].map((at) => join(at, 6)));
      const news = viewers.map(({ client }) => follow(client.announced()));
      const publisher = await join(a, from);
      const broadcast = publisher.client.publish("room");
      const track = broadcast.track("v");
      await tick(3);
      assert.deepEqual(news, [["+room"], ["+room"], ["+room"]].map((n) => n));

      const watching = viewers.map(({ client }) => new Viewer(client.subscribe("room", "v")));
      await tick(3);
      track.write("x");
      await tick(3);
      assert.deepEqual(watching.map((v) => v.text(0)), ["x", "x", "x"]);
      assert.equal(track.subscribers, 1);
      const sent = [a, b, c].reduce((sum, at) => sum + at.relay.stats.groupsOut, 0);
      assert.equal(sent, 5, "to three viewers and over two links");

      for (const { subscription } of watching) subscription.close();
      broadcast.close();
      await tick(5);
      a.clock.advance(3000);
      await tick(5);
      assert.deepEqual(news, [["+room", "-room"], ["+room", "-room"], ["+room", "-room"]]);
      assert.deepEqual([a, b, c].map((at) => at.relay.origin.size), [0, 0, 0]);

      const again = publisher.client.publish("room");
      await tick(5);
      assert.deepEqual(news.map((n) => n.at(-1)), ["+room", "+room", "+room"]);
      again.close();
      await Promise.all([a, b, c].map((at) => at.relay.close()));
    });
  }
}

Deno.test("a second publisher takes new viewers over, the old keep theirs, and the first comes back", async () => {
  const at = testRelay();
  const [one, two] = [await join(at, 6), await join(at, 6)];
  const viewer = await join(at, 6);
  const news = follow(viewer.client.announced());
  const old = one.client.publish("a").track("v");
  await tick();
  const kept = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  old.write("old 0");
  const other = two.client.publish("a");
  const track = other.track("v");
  await tick();
  const fresh = await join(at, 6);
  const moved = new Viewer(fresh.client.subscribe("a", "v"));
  await tick();
  track.write("new 0");
  old.write("old 1");
  await tick();
  assert.deepEqual([kept.text(0), kept.text(1), moved.text(0)], ["old 0", "old 1", "new 0"]);
  assert.deepEqual(moved.groups.size, 1);
  track.close();
  other.close();
  await tick(2);
  const back = new Viewer((await join(at, 6)).client.subscribe("a", "v"));
  await tick();
  assert.equal(back.text(1), "old 1");
  old.write("old 2");
  await tick();
  assert.deepEqual([kept.text(2), back.text(2), moved.end], ["old 2", "old 2", "ended"]);
  assert.equal(news[0], "+a");
  assert.ok(!news.includes("-a"));
  await at.relay.close();
});

for (const version of [6, 5, 4] as const) {
  Deno.test(`a publisher on 0${version} that crashes and returns in time keeps its viewers`, async () => {
    const at = testRelay();
    const publisher = await join(at, version, {}, { hop: 55n });
    // A publisher of ours has its hop in the chain only where the peer appends it.
    const track = publisher.client.publish("a").track("v");
    const viewer = await join(at, 6);
    const news = follow(viewer.client.announced());
    await tick();
    const watch = new Viewer(viewer.client.subscribe("a", "v"));
    await tick();
    track.write("0");
    const broken = track.group();
    broken.write("1a");
    await tick();
    publisher.near.drop();
    await tick();
    at.clock.advance(4000);
    await tick();
    assert.equal(watch.end, undefined);

    const returned = await join(at, version, {}, { hop: 55n });
    const again = returned.client.publish("a").track("v");
    const resumed = again.group(1);
    resumed.write("1a");
    await tick(2);
    resumed.write("1b");
    resumed.close();
    again.write("2");
    await tick(2);
    assert.deepEqual([watch.text(0), watch.text(1), watch.text(2)], ["0", "1a,1b", "2"]);
    assert.deepEqual(watch.cut, []);
    assert.deepEqual(news, ["+a"]);
    at.clock.advance(UPDATE_HOLD_MS); // its route is as good as before
    await tick();
    at.clock.advance(10_000);
    await tick();
    assert.deepEqual(news, ["+a"]);
    await at.relay.close();
  });
}

Deno.test("a publisher that crashes and stays away is gone after the linger, its group cut", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  const track = publisher.client.publish("a").track("v");
  const viewer = await join(at, 6);
  const news = follow(viewer.client.announced());
  await tick();
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  track.group().write("half");
  await tick();
  publisher.near.drop();
  await tick();
  at.clock.advance(4999);
  await tick();
  assert.deepEqual([news, watch.end, watch.cut], [["+a"], undefined, []]);
  at.clock.advance(2);
  await tick(2);
  assert.deepEqual(news, ["+a", "-a"]);
  assert.deepEqual([watch.end, watch.cut], ["lost", [0]]);
  assert.equal(at.relay.counters.lost, 1);
  await at.relay.close();
});

Deno.test("a clean end of a publisher's session is told at once", async () => {
  const at = testRelay();
  const publisher = await join(at, 6);
  publisher.client.publish("a");
  const viewer = await join(at, 6);
  const news = follow(viewer.client.announced());
  await tick();
  await publisher.client.close();
  await tick();
  assert.deepEqual(news, ["+a", "-a"]);
  await at.relay.close();
});

Deno.test("an anonymous publisher that returns serves newcomers; those it left are told", async () => {
  const at = testRelay();
  const publisher = await join(at, 2);
  const track = publisher.client.publish("a").track("v");
  const viewer = await join(at, 6);
  const news = follow(viewer.client.announced());
  await tick();
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  track.write("0");
  await tick();
  publisher.near.drop();
  await tick();
  const again = (await join(at, 2)).client.publish("a").track("v");
  await tick(2);
  assert.equal(watch.end, "lost"); // 0 never equals 0: it may be anybody
  const newcomer = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  again.write("new");
  await tick();
  assert.equal(newcomer.text(0), "new");
  assert.deepEqual(news, ["+a", "-a", "+a"]);
  await at.relay.close();
});

for (const canReset of [true, false]) {
  for (const version of [6, 4, 2] as const) {
    const how = canReset ? "with" : "without";
    Deno.test(`a group cut by its publisher never looks whole on 0${version} ${how} resets`, async () => {
      const at = testRelay();
      const publisher = await join(at, 6, { canReset });
      const track = publisher.client.publish("a").track("v");
      const viewer = await join(at, version, { canReset });
      await tick();
      const watch = new Viewer(viewer.client.subscribe("a", "v"));
      await tick();
      const group = track.group();
      group.write("whole frame");
      await tick();
      group.abort();
      const empty = track.group();
      await tick();
      empty.abort();
      track.write("next");
      await tick();
      assert.deepEqual([watch.text(0), watch.cut.includes(0)], ["whole frame", true]);
      assert.ok(!watch.whole.includes(1));
      assert.equal(watch.text(2), "next");
      assert.equal(at.relay.sessionCount, 2);
      await at.relay.close();
    });
  }
}

Deno.test("a publisher's half a varint or half a frame before FIN is a cut group", async () => {
  const at = testRelay();
  const publisher = RawPeer.at(at, "moq-lite-04");
  (await publisher.nextBidi()).say('04 01 01 "a" 00');
  const viewer = await join(at, 6, { canReset: false });
  await tick();
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick();
  await publisher.uni('00 02 00 00 02 "hi" 40', true);
  await publisher.uni('00 02 00 01 05 "hi"', true);
  await publisher.uni('00 02 00 02 02 "hi"', true);
  await tick();
  assert.deepEqual([watch.cut.sort(), watch.whole], [[0, 1], [2]]);
  await at.relay.close();
});

Deno.test("when one of two relays dies in the middle of a group, viewers of the third see its bytes unbroken", async () => {
  const clock = testRelay().clock;
  const [a, b, c] = [1001n, 1002n, 1003n].map((hop) => testRelay({ hop, clock }));
  const first = await join(a!, 6, {}, { hop: 55n });
  const second = await join(b!, 6, {}, { hop: 55n });
  const [toA] = await link(c!.relay, a!.relay, 6);
  const [toB] = await link(c!.relay, b!.relay, 6);
  const tracks = [first, second].map(({ client }) => client.publish("a").track("v"));
  const viewer = await join(c!, 6);
  await tick(3);
  const watch = new Viewer(viewer.client.subscribe("a", "v"));
  await tick(3);
  const groups = tracks.map((track) => track.group());
  const write = (text: string) => groups.forEach((group) => group.write(text, 1000));
  write("one");
  write("two");
  await tick(3);
  const used = tracks[0]!.subscribers > 0 ? toA : toB;
  used.drop();
  await tick(3);
  write("three");
  groups.forEach((group) => group.close());
  await tick(3);
  assert.deepEqual([watch.text(0), watch.whole, watch.cut], ["one,two,three", [0], []]);
  tracks.forEach((track) => track.write("next", 2000));
  await tick(3);
  assert.equal(watch.text(1), "next");
  for (const at of [a, b, c]) await at!.relay.close();
});

Deno.test("a broadcast below the root of a session's URL is known by its whole path to others", async () => {
  const at = testRelay();
  const publisher = await join(at, 6, { path: "/rooms/x?jwt=1" });
  publisher.client.publish("alice").track("v").write("hi");
  const viewer = await join(at, 4);
  const news = follow(viewer.client.announced());
  const inside = await join(at, 6, { path: "rooms" });
  const newsInside = follow(inside.client.announced());
  await tick();
  assert.deepEqual([news, newsInside], [["+rooms/x/alice"], ["+x/alice"]]);
  const watch = new Viewer(inside.client.subscribe("x/alice", "v"));
  await tick();
  assert.equal(watch.text(0), "hi");
  await at.relay.close();
});

Deno.test("a chain that no further relay can carry is not announced, and harms nobody", async () => {
  const at = testRelay();
  const viewer = RawPeer.at(at, "moq-lite-04");
  const news = await viewer.bidi("01 02 00 00");
  const publisher = RawPeer.at(at, "moq-lite-04");
  const chain = Array.from({ length: 32 }, (_, i) => (i + 1).toString(16).padStart(2, "0")).join(
    " ",
  );
  const asked = await publisher.nextBidi();
  asked.say(`24 01 01 "a" 20 ${chain}`).say('04 01 01 "b" 00');
  await tick();
  assert.match(news.take(), /^0f 01 01 62 03 c0( ..){7} 00 43 09$/);
  assert.equal(publisher.code, undefined);
  assert.deepEqual(hex("24").length, 1);
  assert.equal(lite(4).hopAppendedBy, "sender");
  await at.relay.close();
});
