/** Groups with very many objects: a request for one of them holds up nobody else. */
import assert from "node:assert/strict";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import { peerAt, type TestRelay, testRelay, tick } from "../../peers_test.ts";

const OBJECTS = 50_000;
const room = { namespace: ns("room"), track: raw("v") };

/** A group of tiny objects that somebody watches. */
async function longGroup(at: TestRelay) {
  const publisher = await peerAt(at, 18);
  await (await publisher.ask("publishNamespace", { namespace: ns("room") })).expect("requestOk");
  await (await peerAt(at, 18)).ask("subscribe", room);
  const upstream = await publisher.asked("subscribe");
  upstream.say("subscribeOk", { alias: 7 });
  await tick();
  const stream = await publisher.subgroup({ alias: 7, group: 1 });
  stream.raw(Uint8Array.from({ length: 3 * OBJECTS }, (_, i) => [0, 1, 65][i % 3]!));
  await tick(2);
  return stream;
}

/** How often other tasks had their turn before something was here. */
async function turnsUntil(isHere: () => boolean): Promise<number> {
  for (let turns = 0;; turns++) {
    assert.ok(turns < 1000, "it never came");
    if (isHere()) return turns;
    await tick();
  }
}

Deno.test("the last objects of a long group are sought in slices: other tasks have their turn", async () => {
  const at = testRelay();
  (await longGroup(at)).fin();
  const start = { group: 1, object: OBJECTS - 2 };
  const filter = { kind: "range", start, end: { group: 1 } } as const;
  const fetcher = await peerAt(at, 18);
  await fetcher.ask("fetch", { target: { kind: "track", ...room }, parameters: { filter } });
  const fetched = await turnsUntil(() => fetcher.streams[0]?.end === "fin");
  assert.equal(fetcher.streams[0]!.words.length, 2);
  const viewer = await peerAt(at, 18);
  await viewer.ask("subscribe", { ...room, parameters: { filter } });
  const sought = await turnsUntil(() => viewer.streams[0]?.end === "fin");
  assert.equal(viewer.streams[0]!.words.length, 2);
  const slices = Math.floor(OBJECTS / 4096);
  assert.ok(fetched >= slices && sought >= slices, `${fetched} and ${sought} turns`);
  await at.relay.close();
});

Deno.test("who wants what comes next in a long group does not walk over what has come", async () => {
  const at = testRelay();
  const stream = await longGroup(at);
  const viewer = await peerAt(at, 18);
  const filter = { kind: "next-object" } as const;
  await (await viewer.ask("subscribe", { ...room, parameters: { filter } })).expect("subscribeOk");
  stream.objects({ payload: "next" });
  const turns = await turnsUntil(() => viewer.streams.length > 0);
  assert.ok(turns < 5, `${turns} turns`);
  assert.match(`${viewer.streams[0]}`, new RegExp(`\\[${OBJECTS}=next`));
  await at.relay.close();
});
