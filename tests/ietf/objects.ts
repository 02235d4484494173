/** What becomes of objects on their way through the relay. */
import assert from "node:assert/strict";
import { sleep } from "../../base/sleep.ts";
import { concat } from "../../base/bytes.ts";
import { encodeProperties } from "../../wire/ietf/pairs.ts";
import { type Draft, profileOf } from "../../wire/ietf/profile.ts";
import type { IetfPeer, SeenSubgroup } from "../support/ietf_peer.ts";
import { showProperties } from "../support/ietf_peer.ts";
import { ALIAS, type Path, path, withoutAlias } from "../support/peers/ietf_stage.ts";
import type { Claim } from "./claims.ts";

const OBJECT = [{ type: 0x3a, value: 300 }, { type: 0x75, value: Uint8Array.of(1, 2, 3) }];
const TRACK = [{ type: 0x50, value: 70_000 }, { type: 0x77, value: Uint8Array.of(9) }];
const SHOWN = "{58=300 117=0x010203}";
const pairs = (draft: Draft, list = OBJECT) => encodeProperties(list, profileOf(draft));

/** So many streams, whole, in the order of group and subgroup. */
async function streams(viewer: IetfPeer, count: number): Promise<SeenSubgroup[]> {
  const found: SeenSubgroup[] = [];
  while (found.length < count) found.push(await (await viewer.nextSubgroup()).done());
  return found.toSorted((a, b) =>
    a.header.group - b.header.group || (a.subgroup ?? 0) - (b.subgroup ?? 0)
  );
}
const shownAll = async ({ viewer }: Path, count: number) =>
  (await streams(viewer, count)).map(withoutAlias);

/** Ends the track, and says how many streams the viewer was told of. */
async function ended({ up, down }: Path, streams: number): Promise<number | undefined> {
  up.say("publishDone", { code: 2, streams, reason: "over" }).finish();
  const done = await down.expect("publishDone");
  assert.equal(done.code, 2);
  return done.streams;
}

/** Layouts of objects are the same in these drafts. */
const layout = (draft: Draft) => {
  const { varints, pairDeltas } = profileOf(draft);
  return `${varints.size(64)} ${pairDeltas}`;
};

export const OBJECTS: readonly Claim[] = [
  {
    says: "ids with gaps, empty objects and the end of a group come as they were sent",
    async run(stage, pair) {
      const at = await path(stage, pair);
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 3 });
      out.objects("a", { id: 5, payload: "b" }, { id: 6 }, { id: 9, status: 3 }).fin();
      const next = await at.publisher.subgroup({ alias: ALIAS, group: 10 });
      next.objects({ id: 7, payload: "c" }, { id: 8, status: 4 }).fin();
      assert.deepEqual(await shownAll(at, 2), [
        "3/0 p128 [0=a 5=b 6= 9!3] fin",
        "10/0 p128 [7=c 8!4] fin",
      ]);
      assert.equal(await ended(at, 2), 2);
    },
  },
  {
    says: "three subgroups of a group at once stay three streams with their ids and priorities",
    async run(stage, pair) {
      const at = await path(stage, pair);
      const outs = await Promise.all(
        [[0, 10], [1, 20], [6, 0]].map(([subgroup, priority]) =>
          at.publisher.subgroup({ alias: ALIAS, group: 4, subgroup, priority })
        ),
      );
      for (let id = 0; id < 9; id++) outs[id % 3]!.object({ id, payload: `o${id}` });
      for (const out of outs) out.fin();
      assert.deepEqual(await shownAll(at, 3), [
        "4/0 p10 [0=o0 3=o3 6=o6] fin",
        "4/1 p20 [1=o1 4=o4 7=o7] fin",
        "4/6 p0 [2=o2 5=o5 8=o8] fin",
      ]);
      assert.equal(await ended(at, 3), 3);
    },
  },
  {
    says: "a subgroup named after its first object keeps its name",
    async run(stage, pair) {
      const at = await path(stage, pair);
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 4, subgroup: undefined });
      out.objects({ id: 6, payload: "x" }, "y").fin();
      assert.deepEqual(await shownAll(at, 1), ["4/6 p128 [6=x 7=y] fin"]);
    },
  },
  {
    says: "properties of objects and of the track come as they were sent",
    async run(stage, pair) {
      const { from, to } = pair;
      const has = profileOf(from).trackProperties;
      const accepts = has ? { properties: pairs(from, TRACK) } : {};
      const at = await path(stage, { ...pair, accepts });
      const shown = has && profileOf(to).trackProperties ? "{80=70000 119=0x09}" : "";
      assert.equal(showProperties(at.ok.properties, profileOf(to)), shown);
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 1, properties: true });
      out.objects({ payload: "a", properties: pairs(from) }, "b").fin();
      const [seen] = await streams(at.viewer, 1);
      assert.deepEqual(seen!.decoded, [`0${SHOWN}=a`, "1=b"]);
    },
  },
  {
    says: "a track without properties gets none",
    async run(stage, pair) {
      const { ok } = await path(stage, pair);
      assert.equal(ok.properties.toHex(), "");
    },
  },
  {
    says: "datagrams stay datagrams, with their ids, properties, status and end of group",
    async run(stage, pair) {
      const { from, to } = pair;
      const at = await path(stage, pair);
      const { publisher, viewer, ok } = at;
      const head = { alias: ALIAS, group: 2 };
      publisher.datagram({ ...head, object: 0, priority: 9 }, "zero");
      publisher.datagram({ ...head, object: 4, properties: pairs(from) }, "four");
      publisher.datagram({ ...head, object: 5, endOfGroup: true }, "last");
      publisher.datagram({ ...head, group: 3, object: 1, status: 3 });
      const seen: string[] = [];
      while (seen.length < 4) {
        const one = await viewer.nextDatagram(`the datagram behind ${seen.join(", ")}`);
        assert.equal(one.alias, ok.alias);
        const { group, object, priority, status, endOfGroup, payload, properties } = one;
        const text = new TextDecoder().decode(payload);
        seen.push(
          `${group}/${object} p${priority} ${status} ${endOfGroup} ${text}` +
            showProperties(properties, profileOf(to)),
        );
      }
      assert.deepEqual(seen.toSorted(), [
        "2/0 p9 0 false zero",
        `2/4 p128 0 false four${SHOWN}`,
        "2/5 p128 0 true last",
        "3/1 p128 3 false ",
      ]);
      assert.equal(await ended(at, 0), 0);
      assert.equal(viewer.streams.length, 0);
    },
  },
  {
    says: "between drafts of one layout each byte behind the head is the same",
    when: ({ from, to }) => layout(from) === layout(to),
    async run(stage, pair) {
      const at = await path(stage, pair);
      const head = { alias: ALIAS, group: 1, subgroup: 3, properties: true };
      const out = await at.publisher.subgroup(head);
      const parts: Uint8Array[] = [];
      for (let id = 0; id < 40; id++) {
        const payload = crypto.getRandomValues(new Uint8Array(id % 7 === 0 ? 20_000 : id * 13));
        const properties = id % 3 === 0 && payload.length > 0 ? pairs(pair.from) : undefined;
        parts.push(out.bytesOf({ id: id * 3, payload, ...(properties && { properties }) }));
      }
      const all = concat(parts);
      for (let at = 0; at < all.length; at += 1777) out.raw(all.slice(at, at + 1777));
      out.fin();
      const seen = await (await at.viewer.nextSubgroup()).done();
      assert.equal(seen.end, "fin");
      const came = seen.bytes.subarray(seen.headBytes);
      assert.equal(came.length, all.length);
      assert.ok(came.every((byte, i) => byte === all[i]), "a byte differs");
    },
  },
  {
    says: "a stream that its publisher resets in the middle of an object is reset for viewers too",
    when: (_, { resets }) => resets,
    async run(stage, pair) {
      const at = await path(stage, pair);
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 1, endOfGroup: true });
      out.object("whole").raw(out.bytesOf("half of it").subarray(0, 6));
      const seen = await (await at.viewer.nextSubgroup()).until(1);
      out.reset(2);
      await seen.done();
      assert.match(seen.end!, /^reset/);
      assert.deepEqual(seen.words, ["0=whole"]);
      assert.equal(await ended(at, 1), 1);
    },
  },
  {
    says: "a stream that ends because its publisher has gone ends behind a whole object",
    when: (_, { resets }) => !resets,
    async run(stage, pair) {
      const at = await path(stage, pair);
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 1, endOfGroup: true });
      out.object("whole").raw(out.bytesOf("half of it").subarray(0, 6));
      const seen = await (await at.viewer.nextSubgroup()).until(1);
      at.publisher.close();
      await seen.done();
      assert.deepEqual([seen.words, seen.end, seen.rest], [["0=whole"], "fin", 0]);
      assert.equal(seen.header.endOfGroup, false);
      assert.equal((await at.down.expect("publishDone")).streams, 1);
    },
  },
  {
    says:
      "without resets, what a slow viewer gets of a group that is too old is whole objects, and FIN",
    when: ({ from, to }, { relay }) => relay !== undefined && from === 18 && to === 18,
    async run(stage, pair) {
      const { promise: hold, resolve: read } = Promise.withResolvers<void>();
      const slow = { canReset: false, windowBytes: 300 };
      const wishes = { deliveryTimeoutMs: 20 };
      const at = await path(stage, { ...pair, pair: slow, hold, wishes });
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 0, endOfGroup: true });
      for (let i = 0; i < 40; i++) out.object(`object ${i} ${"x".repeat(90)}`);
      out.fin();
      // Newer groups come, and nobody has read of this one for longer than its viewer wants to wait.
      for (let group = 1; group <= 4; group++) {
        (await at.publisher.subgroup({ alias: ALIAS, group })).object("small").fin();
        await sleep(15);
      }
      await sleep(1_200); // it is looked after twice a second
      read();
      const seen = await (await at.viewer.nextSubgroup()).done();
      assert.deepEqual([seen.header.group, seen.end, seen.rest], [0, "fin", 0]);
      assert.ok(seen.objects.length > 0 && seen.objects.length < 40, `${seen.objects.length}`);
      assert.equal(seen.header.endOfGroup, false);
    },
  },
  {
    says: "an object is passed on before its stream ends",
    async run(stage, pair) {
      const at = await path(stage, pair);
      const out = await at.publisher.subgroup({ alias: ALIAS, group: 1 });
      out.object("a");
      const seen = await (await at.viewer.nextSubgroup()).until(1);
      assert.equal(seen.end, undefined);
      out.object("b").fin();
      assert.equal(withoutAlias(await seen.done()), "1/0 p128 [0=a 1=b] fin");
    },
  },
];
