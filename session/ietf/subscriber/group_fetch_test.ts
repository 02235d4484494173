/** Groups that are fetched from a peer, in drafts of every kind. */
import assert from "node:assert/strict";
import { NotFound, SourceLost } from "../../../relay/errors.ts";
import {
  seen,
  tick,
  Upstream,
  type UpstreamOptions,
} from "../../../tests/support/fixtures/ietf_upstream.ts";
import { ns, raw } from "../../../tests/support/ietf_peer.ts";
import type { ScriptedFetch } from "../../../tests/support/peers/ietf_streams.ts";
import { requestCode } from "../../../wire/ietf/codes.ts";
import { encodeProperties } from "../../../wire/ietf/pairs.ts";
import type { Draft } from "../../../wire/ietf/profile.ts";

const DRAFTS: readonly Draft[] = [14, 16, 18, 22];

/** Group 3 of room/alice video is asked for. */
async function fetching(draft: Draft, options?: UpstreamOptions) {
  const up = await Upstream.of(draft, options);
  up.publishes("publishNamespace", { namespace: ns("room", "alice") });
  await tick();
  const broadcast = up.origin.find("room/alice")!;
  const group = broadcast.fetchGroup("room/alice", "video", { group: 3, priority: 0 });
  group.catch(() => {});
  const asked = (await up.asked.next())!;
  await tick();
  const answer = () => up.peer.fetchStream(asked.id);
  return { up, group, asked, answer };
}

const OK = { endOfTrack: false, end: { group: 3 } };

Deno.test("a whole group is fetched, with all its subgroups, gaps and properties", async () => {
  for (const draft of DRAFTS) {
    for (const readBytes of [Infinity, 1, 5]) {
      const { up, group, asked, answer } = await fetching(draft, { readBytes });
      const { target, parameters } = asked.value("fetch");
      assert.deepEqual(target, {
        kind: "track",
        namespace: ns("room", "alice"),
        track: raw("video"),
      });
      const range = { kind: "range", start: { group: 3, object: 0 }, end: { group: 3 } };
      assert.deepEqual(parameters.filter, range);
      asked.hears("fetchOk", OK);
      const properties = encodeProperties(
        [{ type: 0x0d, value: raw("x".repeat(90)) }],
        up.context.profile,
      );
      const stream = await answer();
      stream.object({ group: 3, subgroup: 1, object: 0, priority: 9 }, "a");
      stream.object({ group: 3, subgroup: 0, object: 1, properties }, "bb");
      stream.object({ group: 3, subgroup: 1, object: 70 }, "");
      stream.object({ group: 3, subgroup: 0, object: 300 }, "d").fin();
      const found = await group;
      await tick(3);
      const { profile } = up.context;
      const shown = found.subgroups.map((
        one,
      ) => [one.head.id, one.head.publisherPriority, seen(one, profile)]);
      assert.deepEqual(shown, [
        [1, 246, ["0=a", "70="]],
        [0, 127, [`1{${properties.toHex()}}=bb`, "300=d"]],
      ]);
      assert.deepEqual([found.state, found.isOver], ["complete", true]);
      assert.equal(asked.end, "finished");
      found.release();
      assert.equal(up.relay.pool.holders.size, 0);
    }
  }
});

Deno.test("a fetch that is refused, empty or late finds nothing", async () => {
  for (const draft of DRAFTS) {
    const refused = await fetching(draft);
    const code = requestCode(refused.up.context.profile, "fetch", "doesNotExist");
    refused.asked.hears("requestError", { code });
    await assert.rejects(refused.group, NotFound);
    assert.equal(refused.asked.end, "finished");

    const empty = await fetching(draft);
    empty.asked.hears("fetchOk", OK);
    (await empty.answer()).fin();
    await assert.rejects(empty.group, NotFound);

    const late = await fetching(draft);
    late.asked.hears("fetchOk", OK);
    await tick();
    late.up.relay.clock.advance(10_000);
    await assert.rejects(late.group, NotFound);
    assert.equal(late.asked.end, "cancelled");

    const lost = await fetching(draft);
    lost.up.subscriber.close(true);
    await assert.rejects(lost.group, SourceLost);
  }
});

Deno.test("a fetched group that is not all there is cut", async () => {
  const faults: readonly [string, (stream: ScriptedFetch) => void][] = [
    ["it leaves out what may exist", (s) => s.missing("unknown", 3, 5).fin()],
    ["another group", (s) => s.object({ group: 4, object: 1 }, "b").fin()],
    ["an object comes twice", (s) => s.object({ group: 3, object: 0 }, "b").fin()],
    ["its stream ends inside an object", (s) => (s.send.write(Uint8Array.of(0x04)), s.fin())],
    ["it is reset", (s) => s.reset()],
  ];
  for (const [what, then] of faults) {
    const { group, asked, answer } = await fetching(18);
    asked.hears("fetchOk", OK);
    const stream = await answer();
    stream.object({ group: 3, object: 0 }, "a");
    const found = await group;
    assert.equal(found.state, "open", what);
    then(stream);
    await tick(2);
    assert.equal(found.state, "cut", what);
    found.release();
  }
});

Deno.test("objects that do not exist are no hole", async () => {
  const { up, group, asked, answer } = await fetching(16);
  asked.hears("fetchOk", OK);
  const stream = await answer();
  stream.object({ group: 3, object: 2, datagram: true }, "a").missing("nonexistent", 3, 7);
  stream.object({ group: 3, object: 8 }, "b").fin();
  const found = await group;
  await tick();
  assert.deepEqual(found.subgroups.map(({ head }) => head.id), [2, 0]);
  assert.deepEqual(found.subgroups.flatMap((one) => seen(one, up.context.profile)), ["2=a", "8=b"]);
  assert.equal(found.state, "complete");
});

Deno.test("a fetched object that is too large ends its fetch alone", async () => {
  const { up, group, asked, answer } = await fetching(18, { cache: { maxFrameBytes: 10 } });
  asked.hears("fetchOk", OK);
  const stream = await answer();
  stream.object({ group: 3, object: 0 }, "a").object({ group: 3, object: 1 }, "x".repeat(11));
  const found = await group;
  await tick();
  assert.equal(found.state, "cut");
  assert.equal(up.peer.closed, undefined);
});

Deno.test("a fetch whose last reader has left is given up", async () => {
  for (const draft of DRAFTS) {
    const { up, group, asked, answer } = await fetching(draft);
    asked.hears("fetchOk", OK);
    const stream = await answer();
    stream.object({ group: 3, object: 0 }, "a");
    (await group).release();
    stream.object({ group: 3, object: 1 }, "b");
    await tick();
    assert.equal(await stream.send.closed, "stopped");
    assert.equal(up.relay.pool.holders.size, 0);
  }
});

Deno.test("the stream of a fetch that nobody has sent is stopped", async () => {
  const up = await Upstream.of(18);
  const stream = await up.peer.fetchStream(99);
  stream.object({ group: 1, object: 1 }, "x");
  await tick();
  assert.equal(await stream.send.closed, "stopped");
});
