import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Bridge,
  type BridgeObject,
  frames,
  headOf,
  OBJECT_LAYOUTS,
  objectsOf,
  pieces,
  plain,
  written,
} from "../../tests/support/fixtures/bridge.ts";
import { Subgroup } from "../../relay/group/group.ts";
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import { encodeProperties } from "../../wire/ietf/pairs.ts";
import { profileFor } from "./layouts.ts";
import { UNSEEN_MS } from "./objects_to_frames.ts";

const text = (payloads: readonly { payload: Uint8Array }[]) =>
  payloads.map(({ payload }) => new TextDecoder().decode(payload)).join(" ");
const got = (bytes: Uint8Array) => text(frames(bytes));
const timed = (id: number, payload: string, value: number) =>
  plain(id, payload, [{ type: 0x10, value }]);

for (const layout of OBJECT_LAYOUTS) {
  Deno.test(`the subgroups of a group of ${layout} become frames in the order of the ids, however their bytes come`, () => {
    fc.assert(
      fc.property(
        objectsOf(fc.constantFrom(0, 0, 0, 3)),
        fc.array(fc.nat({ max: 2 })),
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 40 }))),
        (list, whose, order) => {
          const bridge = new Bridge();
          const reader = bridge.read("frames");
          const lists = [0, 1, 2].map((of) => list.filter((_, i) => (whose[i] ?? 0) === of));
          const left = lists.map((one) => written(one, layout));
          const sources = lists.map((_, of) => bridge.open(1, headOf(layout, of)));
          const push = (of: number, bytes: number) => {
            sources[of]!.push(left[of]!.subarray(0, bytes));
            left[of] = left[of]!.subarray(bytes);
          };
          for (const [of, bytes] of order) push(of, bytes);
          sources.forEach((source, of) => {
            push(of, left[of]!.length);
            source.end();
          });
          bridge.open(2, headOf(layout)); // no more of group 1 is waited for
          const normal = list.filter(({ status }) => status === 0);
          assert.deepEqual(
            frames(reader.bytes()).map(({ payload }) => payload),
            normal.map(({ payload }) => payload),
          );
          assert.equal(reader.subgroups()[0]!.state, "complete");
        },
      ),
      { numRuns: 150 },
    );
  });
}

Deno.test("timestamps are those of the objects, in microseconds; without one it is the time of arrival", () => {
  for (const layout of OBJECT_LAYOUTS) {
    const bytes = encodeProperties([{ type: 8, value: 1000 }], profileFor(layout)).slice();
    const bridge = new Bridge({ timescale: 1_000_000, properties: { bytes, layout } });
    const reader = bridge.read("frames");
    const now = bridge.context.clock.wallMs() * 1000;
    bridge.open(1, headOf(layout)).push(
      written([timed(0, "a", 40), timed(1, "b", 20), plain(2, "c")], layout),
    );
    assert.deepEqual(frames(reader.bytes()).map((frame) => frame.timestamp), [40_000, 20_000, now]);
  }
});

Deno.test("an object waits for those below it while they may come, and not when they cannot", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const now = () => got(reader.bytes());
  const [base, more] = [0, 1].map((id) => bridge.open(1, headOf("objects16", id)));
  const layer = [plain(1, "b"), plain(3, "d"), plain(7, "h")];
  const bytes = layer.map((_, i) => written(layer.slice(0, i + 1), "objects16").length);
  const all = written(layer, "objects16");
  more!.push(all.subarray(0, bytes[0]));
  assert.equal(now(), "");
  base!.push(written([plain(0, "a")], "objects16"));
  assert.equal(now(), "a b");
  more!.push(all.subarray(bytes[0], bytes[1]));
  assert.equal(now(), "a b", "object 2 may come");
  const rest = written([plain(0, "a"), plain(4, "e")], "objects16").subarray(4);
  base!.push(rest.subarray(0, 2));
  assert.equal(now(), "a b", "which object comes is not known");
  base!.push(rest.subarray(2));
  assert.equal(now(), "a b d e", "4 has come, so 2 does not exist");
  more!.push(all.subarray(bytes[1]));
  assert.equal(now(), "a b d e");
  base!.end();
  assert.equal(now(), "a b d e h");
});

Deno.test("an object whose properties say that those below do not exist does not wait", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  bridge.open(1, headOf("objects18", 0)).push(written([plain(0, "a")], "objects18"));
  const gap = (n: number) => [{ type: 0x3e, value: n }];
  bridge.open(1, headOf("objects18", 1)).push(
    written([plain(4, "e", gap(3)), plain(6, "g", gap(0))], "objects18"),
  );
  assert.equal(got(reader.bytes()), "a e");
});

Deno.test("streams that overtake each other do not lose the beginning: each object in a subgroup of its own", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const now = () => [reader.subgroups()[0]?.state, got(reader.bytes())];
  const send = (id: number, endOfGroup = false) => {
    const source = bridge.open(1, headOf("objects16", id, { endOfGroup }), id);
    source.push(written([plain(id, `${id}`)], "objects16"));
    source.end();
  };
  send(1);
  assert.deepEqual(now(), ["open", ""]);
  assert.equal(reader.subgroups()[0]!.startFrame, 0);
  send(3, true);
  assert.deepEqual(now(), ["open", ""], "the end has overtaken the rest");
  send(0);
  assert.deepEqual(now(), ["open", "0 1"]);
  send(2);
  assert.deepEqual(now(), ["complete", "0 1 2 3"]);
});

Deno.test("what was never sent is not waited for once a newer group comes, or the track ends", () => {
  for (const how of ["group", "track"]) {
    const bridge = new Bridge();
    const reader = bridge.read("frames");
    for (const id of [0, 2]) {
      const source = bridge.open(1, headOf("objects16", id), id);
      source.push(written([plain(id, `${id}`)], "objects16"));
      source.end();
    }
    assert.equal(got(reader.bytes()), "0");
    if (how === "group") bridge.open(2, headOf("objects16"));
    else bridge.track.end({ kind: "ended" });
    assert.equal(got(reader.bytes()), "0 2");
    assert.equal(reader.subgroups()[0]!.state, "complete");
  }
});

Deno.test("of two subgroups the second may open after gaps have come in the first", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const base = bridge.open(1, headOf("objects18", 0));
  base.push(written([plain(0, "a"), plain(2, "c")], "objects18"));
  assert.equal(got(reader.bytes()), "a");
  bridge.context.clock.advance(UNSEEN_MS - 1);
  const layer = bridge.open(1, headOf("objects18", 1));
  layer.push(written([plain(1, "b"), plain(3, "d")], "objects18"));
  assert.equal(got(reader.bytes()), "a b c d");
});

Deno.test("an only subgroup with gaps is waited with once for each group", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const base = bridge.open(1, headOf("objects18", 0));
  const list = [plain(0, "a"), plain(2, "c"), plain(4, "e")];
  const bytes = written(list, "objects18");
  base.push(bytes.subarray(0, 2 * bytes.length / 3));
  bridge.context.clock.advance(UNSEEN_MS);
  assert.equal(got(reader.bytes()), "a c");
  base.push(bytes.subarray(2 * bytes.length / 3));
  assert.equal(got(reader.bytes()), "a c e");
});

Deno.test("what comes too late for its place is dropped, as an object that comes twice is", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const one = bridge.open(1, headOf("objects16", 0));
  one.push(written([plain(0, "a"), plain(3, "d")], "objects16"));
  assert.equal(got(reader.bytes()), "a", "another subgroup may be on its way");
  bridge.context.clock.advance(UNSEEN_MS);
  assert.equal(got(reader.bytes()), "a d");
  const two = bridge.open(1, headOf("objects16", 1));
  two.push(written([plain(1, "late"), plain(3, "twice"), plain(4, "e")], "objects16"));
  assert.equal(got(reader.bytes()), "a d e");
  one.end();
  two.end();
  bridge.open(2, headOf("objects16"));
  assert.equal(reader.subgroups()[0]!.state, "complete");
});

Deno.test("whoever joins in the middle of a group gets its rest at once", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  bridge.open(1, headOf("objects16"), 7).push(written([plain(7, "h"), plain(9, "j")], "objects16"));
  assert.equal(got(reader.bytes()), "h");
  bridge.context.clock.advance(UNSEEN_MS);
  assert.equal(got(reader.bytes()), "h j");
  assert.equal(reader.subgroups()[0]!.startFrame, 7);
});

Deno.test("status alone makes no frame; an empty object does", () => {
  const status = (id: number, status: number): BridgeObject => ({ ...plain(id, ""), status });
  const list = [
    plain(0, "a"),
    status(1, STATUS.doesNotExist),
    plain(2, ""),
    status(3, STATUS.endOfGroup),
  ];
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const source = bridge.open(1, headOf("objects14", 0, { endOfGroup: true }));
  source.push(written(list, "objects14"));
  source.end();
  assert.deepEqual(frames(reader.bytes()).map(({ payload }) => payload.length), [1, 0]);
  assert.equal(reader.subgroups()[0]!.state, "complete");
});

Deno.test("an object that is cut ends the copy where others follow it", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const [one, two] = [0, 1].map((id) => bridge.open(1, headOf("objects16", id)));
  one!.push(written([plain(0, "abcdef")], "objects16").subarray(0, 6));
  two!.push(written([plain(1, "b")], "objects16"));
  assert.equal(reader.subgroups()[0]!.state, "open");
  one!.end("cut");
  two!.push(new Uint8Array());
  two!.end();
  assert.equal(reader.subgroups()[0]!.state, "cut");
  assert.equal(bridge.context.pool.stats.inUse > 0, true);
  bridge.track.clear();
});

Deno.test("large payloads go on as their bytes come", () => {
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const source = bridge.open(1, headOf("objects18"));
  const bytes = written([plain(0, "x".repeat(5000))], "objects18");
  for (const piece of pieces(bytes, [10, 100, 3000])) {
    source.push(piece);
    assert.ok(reader.bytes().length > 0);
  }
  assert.equal(got(reader.bytes()).length, 5000);
});

Deno.test("a group of a thousand subgroups: what comes of one does not ask all others that wait", () => {
  const SUBGROUPS = 1000;
  const bridge = new Bridge();
  const reader = bridge.read("frames");
  const { slice } = Subgroup.prototype;
  let looks = 0;
  Subgroup.prototype.slice = function (position, most) {
    looks++;
    return slice.call(this, position, most);
  };
  try {
    const sources = Array.from(
      { length: SUBGROUPS },
      (_, id) => bridge.open(1, headOf("objects18", id)),
    );
    // The lowest id comes last: until then each waits.
    for (let id = SUBGROUPS - 1; id >= 0; id--) {
      sources[id]!.push(written([plain(id, "x")], "objects18"));
    }
    for (const source of sources) source.end();
    assert.equal(frames(reader.bytes()).length, SUBGROUPS);
    assert.ok(looks < 20 * SUBGROUPS, `${looks} looks`);
  } finally {
    Subgroup.prototype.slice = slice;
  }
});
