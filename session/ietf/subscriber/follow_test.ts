/** What we ask of a server that we have dialed, and what becomes of its answers. */
import assert from "node:assert/strict";
import { FakeReader } from "../../../tests/support/fixtures/relay.ts";
import {
  type ScriptedExchange,
  tick,
  Upstream,
} from "../../../tests/support/fixtures/ietf_upstream.ts";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import type { Draft } from "../../../wire/ietf/profile.ts";
import { MAX_FOLLOWED_TRACKS } from "./publications.ts";

async function following(draft: Draft) {
  const up = await Upstream.of(draft, { root: "at" });
  void up.subscriber.follow();
  await tick();
  const asked: ScriptedExchange[] = [];
  while (up.asked.length > 0) asked.push((await up.asked.next())!);
  return { up, asked };
}

Deno.test("a server is asked for its namespaces and, paused, for its tracks", async () => {
  for (const draft of [14, 16, 18, 22] as const) {
    const { asked } = await following(draft);
    const told = asked.map(({ request: { kind, value } }) => {
      const { prefix, wanted, parameters } = value as never;
      return [kind, prefix, wanted, parameters];
    });
    const paused = { forward: false };
    assert.deepEqual(
      told,
      draft < 18 ? [["subscribeNamespace", [], "both", paused]] : [
        ["subscribeNamespace", [], "both", {}],
        ["subscribeTracks", [], "tracks", paused],
      ],
    );
  }
});

Deno.test("NAMESPACE is an announcement until NAMESPACE_DONE, and worse than the publisher's own", async () => {
  const { up, asked: [asked] } = await following(18);
  asked!.hears("requestOk").hears("namespace", { suffix: ns("room", "a/b") });
  asked!.hears("namespace", { suffix: ns("room", "a/b") });
  await tick();
  const broadcast = up.origin.find("at/room/a\\sb")!;
  assert.deepEqual([broadcast.routes.length, broadcast.routes[0]!.warm], [1, 1]);
  asked!.hears("namespaceDone", { suffix: ns("room", "a/b") });
  await tick();
  assert.equal(up.origin.find("at/room/a\\sb"), undefined);
});

Deno.test("a server that gives the request up is asked again, one that refuses is not", async () => {
  const { up, asked: [asked, tracks] } = await following(18);
  tracks!.hears("requestError", { code: 3 });
  asked!.hears("requestOk").hears("namespace", { suffix: ns("room") });
  await tick();
  assert.ok(up.origin.find("at/room"));
  asked!.reset();
  await tick();
  assert.equal(up.origin.find("at/room"), undefined);
  up.relay.clock.advance(1000);
  await tick();
  assert.equal(up.asked.length, 1);
  (await up.asked.next())!.hears("namespace", { suffix: ns("room") });
  await tick();
  assert.ok(up.origin.find("at/room"));
});

Deno.test("a lost server's namespaces linger", async () => {
  const { up, asked: [asked] } = await following(18);
  asked!.hears("namespace", { suffix: ns("room") });
  await tick();
  const broadcast = up.origin.find("at/room")!;
  up.subscriber.close(true);
  assert.ok(broadcast.lingering);
});

Deno.test("a track that a server offers comes while somebody reads it", async () => {
  for (const draft of [14, 18, 22] as const) {
    const { up } = await following(draft);
    const offered = up.publishes("publish", {
      namespace: ns("room"),
      track: raw("video"),
      alias: 1,
      parameters: { forward: false },
    });
    await tick();
    assert.deepEqual(offered.said, ["requestOk"]);
    const track = up.origin.find("at/room", 0n, "video")!.track("at/room", "video");
    const reader = new FakeReader();
    track.add(reader);
    (await up.peer.subgroup({ alias: 1, group: 1 })).object("x");
    await tick();
    assert.equal(track.ring.size, 1);
    track.remove(reader);
    assert.deepEqual(offered.said.slice(1), [
      'update {"forward":true}',
      'update {"forward":false}',
    ]);
    assert.equal(track.ring.size, 0, "these groups are old for whoever comes next");
  }
});

Deno.test("a server may offer so many tracks and no more", async () => {
  const { up } = await following(18);
  const offer = (alias: number) =>
    up.publishes("publish", { namespace: ns("room"), track: raw(`${alias}`), alias });
  const all = Array.from({ length: MAX_FOLLOWED_TRACKS + 1 }, (_, alias) => offer(alias));
  await tick();
  assert.deepEqual(all.map(({ end }) => end).filter(Boolean), ["refused uninterested"]);
});
