import assert from "node:assert/strict";
import { FramePool } from "../../../../relay/group/frame_pool.ts";
import { Group } from "../../../../relay/group/group.ts";
import { GroupWriter } from "../../../../relay/group/group_writer.ts";
import type { SubgroupHead } from "../../../../relay/group/subgroup_head.ts";
import { newRelayStats } from "../../../../relay/stats.ts";
import { Track } from "../../../../relay/track.ts";
import { objects, ObjectWriter } from "../../../../tests/support/fixtures/objects.ts";
import { ManualClock } from "../../../../tests/support/manual_clock.ts";
import type { SendStream } from "../../../../transport/connection.ts";
import { readStreamHead, type SubgroupHeader } from "../../../../wire/ietf/data/stream_head.ts";
import { type Draft, profileOf } from "../../../../wire/ietf/profile.ts";
import { codesOf, type IetfContext, layoutOf } from "../../context.ts";
import { Aliases } from "./aliases.ts";
import { ObjectEncoder } from "./object_encoder.ts";
import { ObjectWalk } from "./object_walk.ts";

const LIMITS = { maxGroupBytes: 1 << 20 };
const RESETS = { canReset: true } as SendStream;
const NONE = { canReset: false } as SendStream;

function encoder(draft: Draft, alias: number, priority?: number): ObjectEncoder {
  const profile = profileOf(draft);
  return new ObjectEncoder({ codes: codesOf(profile), profile } as IetfContext, alias, priority);
}

function subgroup(draft: Draft, more: Partial<SubgroupHead> = {}, first = 0) {
  const head = objects(2, { layout: layoutOf(profileOf(draft)), properties: true, ...more });
  const group = Group.alone(new FramePool(), 3, 0, { head, startFrame: first });
  return { group, writer: new GroupWriter(group, LIMITS) };
}

function header(bytes: Uint8Array, draft: Draft): SubgroupHeader {
  const head = readStreamHead(bytes, profileOf(draft));
  assert.ok(head?.kind === "subgroup");
  return head.header;
}

Deno.test("viewers with one alias share the head of a stream, others get their own", () => {
  const { group, writer } = subgroup(18, { endOfGroup: true });
  const shared = encoder(18, 7).head(group, RESETS);
  assert.equal(encoder(18, 7).head(group, RESETS), shared);
  assert.notEqual(encoder(18, 8).head(group, RESETS), shared);
  assert.notEqual(encoder(19, 7).head(group, RESETS), encoder(18, 7).head(group, RESETS));
  // Without resets the end of the group is not known yet, and afterwards it is.
  assert.equal(header(encoder(18, 7).head(group, RESETS).bytes, 18).endOfGroup, true);
  assert.equal(header(encoder(18, 7).head(group, NONE).bytes, 18).endOfGroup, false);
  writer.finish();
  assert.equal(header(encoder(18, 7).head(group, NONE).bytes, 18).endOfGroup, true);
  group.release();
});

Deno.test("a head says what the subgroup's source said, as far as the draft can", () => {
  for (const draft of [14, 15, 16, 18, 22] as const) {
    const { group } = subgroup(draft, { publisherPriority: 200 });
    const { alias, group: sequence, subgroup: id, priority, properties, firstObject } = header(
      encoder(draft, 7).head(group, RESETS).bytes,
      draft,
    );
    assert.deepEqual([alias, sequence, id, priority, properties], [7, 3, 2, 55, true]);
    assert.equal(firstObject, draft >= 18 ? true : undefined);
    group.release();
    const plain = subgroup(draft, { properties: false }, 4).group;
    const own = header(encoder(draft, 7).head(plain, RESETS).bytes, draft);
    // Draft 14 has no way to leave the priority to the track.
    assert.deepEqual([own.priority, own.properties], [draft === 14 ? 128 : undefined, false]);
    assert.equal(own.firstObject, draft >= 18 ? false : undefined);
    assert.equal(header(encoder(draft, 7, 9).head(plain, RESETS).bytes, draft).priority, 9);
    plain.release();
  }
});

Deno.test("a part begins with the number of its first object, and ends behind the last", () => {
  const { group, writer } = subgroup(16);
  const objectWriter = new ObjectWriter(writer);
  for (const id of [0, 3, 4, 9]) objectWriter.object({ id, payload: Uint8Array.of(id, id) });
  const walk = new ObjectWalk(profileOf(16));
  while (walk.step(group) && walk.id < 3);
  const part = { position: walk.idEnd, first: { id: walk.id }, last: 5 };
  const one = encoder(16, 7);
  const { bytes } = one.head(group, RESETS, part);
  assert.equal(bytes.at(-1), 3);
  const body = one.body(part);
  const limit = body.limit(RESETS)!;
  assert.equal(limit.over(group), false);
  assert.equal(body.next(group).toHex(), "00020303" + "0000020404");
  assert.equal(limit.over(group), true);
  assert.equal(body.next(group).length, 0);
  group.release();
});

Deno.test("a track has one alias in all sessions, and a session uses it once", () => {
  const context = {
    pool: new FramePool(),
    clock: new ManualClock(),
    stats: newRelayStats(),
    limits: { groupCacheSize: 8, maxAgeMs: 1000, maxGroupBytes: 1000 },
  };
  const track = new Track("a", "v", context);
  const [one, other] = [new Aliases(), new Aliases()];
  const alias = one.take(track);
  assert.equal(other.take(track), alias);
  const used = new Set([alias]);
  for (let i = 0; i < 5000; i++) {
    const next = one.take(i % 2 === 0 ? track : new Track("a", `${i}`, context));
    assert.ok(!used.has(next));
    used.add(next);
  }
});
