import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Bridge,
  frames,
  OBJECT_LAYOUTS,
  pieces,
  readBack,
} from "../../tests/support/fixtures/bridge.ts";
import { bytesOf } from "../../tests/support/fixtures/relay.ts";
import { Group } from "../../relay/group/group.ts";
import { GroupWriter } from "../../relay/group/group_writer.ts";
import { STATUS } from "../../wire/ietf/data/object_head.ts";
import { WHOLE_GROUP } from "../../relay/group/subgroup_head.ts";

const frame = fc.record({
  timestamp: fc.nat({ max: 2 ** 40 }),
  payload: fc.oneof(fc.uint8Array({ maxLength: 90 }), fc.uint8Array({ maxLength: 2 })),
});
const micros = (timestamp: number) => Math.round(timestamp * 1_000_000 / 90_000);

function writeFrames(
  writer: GroupWriter,
  list: readonly { timestamp: number; payload: Uint8Array }[],
) {
  for (const { timestamp, payload } of list) writer.frame(timestamp, payload);
}

for (const layout of OBJECT_LAYOUTS) {
  Deno.test(`frames as ${layout} and back: payloads and timestamps stay, however the bytes come`, () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat()), (list, cuts) => {
        const bridge = new Bridge({ timescale: 90_000 });
        const { bytes, subgroups } = bridge.read(layout);
        const { writer } = bridge.open(1, WHOLE_GROUP);
        for (const { timestamp, payload } of list) {
          writer.begin(timestamp, payload.length);
          for (const piece of pieces(payload, cuts)) {
            writer.payload(piece);
            writer.commit();
          }
          writer.commit();
        }
        writer.finish();
        const [copy] = subgroups();
        assert.deepEqual([copy!.state, copy!.frames, copy!.startFrame], [
          "complete",
          list.length + 1,
          0,
        ]);
        const head = { id: 0, endOfGroup: false, layout, properties: true, firstObject: true };
        assert.deepEqual(copy!.head, head);
        const objects = readBack(bytes(), layout);
        assert.deepEqual(objects.map(({ id }) => id), [...list, undefined].map((_, i) => i));
        assert.equal(objects.at(-1)!.status, STATUS.endOfGroup);

        const back = new Bridge({ timescale: 1_000_000 });
        const reader = back.read("frames");
        const source = back.open(1, head);
        for (const piece of pieces(bytes(), cuts)) source.push(piece);
        assert.equal(reader.subgroups()[0]!.state, "open");
        source.end();
        assert.equal(reader.subgroups()[0]!.state, "complete");
        assert.deepEqual(
          frames(reader.bytes()),
          list.map(({ timestamp, payload }) => ({ timestamp: micros(timestamp), payload })),
        );
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("a frame goes on as its bytes come, and is cut where its group is", () => {
  const bridge = new Bridge();
  const { bytes, subgroups } = bridge.read("objects16");
  const { writer } = bridge.open(1, WHOLE_GROUP);
  writer.begin(7, 4);
  writer.payload(Uint8Array.of(1, 2));
  writer.commit();
  // Id 0, 5 bytes of properties (0x06: 7000), 4 bytes of payload.
  assert.equal(bytes().toHex(), "0003065b58040102");
  assert.deepEqual([subgroups()[0]!.wholeBytes, subgroups()[0]!.lastId], [0, -1]);
  writer.cut();
  assert.equal(subgroups()[0]!.state, "cut");
});

Deno.test("frames of a version without timestamps get none, and empty ones are normal objects", () => {
  const bridge = new Bridge({ untimed: true });
  const { bytes } = bridge.read("objects18");
  writeFrames(bridge.open(1, WHOLE_GROUP).writer, [
    { timestamp: 99, payload: Uint8Array.of(5) },
    { timestamp: 99, payload: new Uint8Array() },
  ]);
  assert.equal(bytes().toHex(), "00000105" + "00000000");
});

Deno.test("frames wait until it is known what their timestamps mean", () => {
  const bridge = new Bridge({ untimed: true });
  bridge.track.infoComes = true;
  const { bytes } = bridge.read("objects18");
  const { writer } = bridge.open(1, WHOLE_GROUP);
  writeFrames(writer, [{ timestamp: 45_000, payload: Uint8Array.of(5) }]);
  assert.equal(bytes().length, 0);
  bridge.track.info = { priority: 1, maxAgeMs: 2, timescale: 90_000 };
  bridge.track.infoComes = false;
  const [object] = readBack(bytes(), "objects18");
  assert.deepEqual(object!.properties, [{ type: 0x10, value: 500_000 }]);
  writer.finish();
  assert.equal(bridge.read("objects18").subgroups()[0]!.state, "complete");
});

Deno.test("the head says that the group ends there if that is known, else an object does, and never both", () => {
  const bridge = new Bridge();
  const early = bridge.read("objects18");
  const { writer } = bridge.open(1, WHOLE_GROUP);
  writeFrames(writer, [{ timestamp: 1, payload: Uint8Array.of(5) }]);
  const before = early.bytes().length;
  writer.finish();
  assert.equal(early.bytes().subarray(before).toHex(), "00000003");
  assert.deepEqual(early.subgroups().map(({ head }) => head.endOfGroup), [false]);
  const late = bridge.read("objects16");
  assert.deepEqual(late.subgroups().map(({ head }) => head.endOfGroup), [true]);
  assert.deepEqual(readBack(late.bytes(), "objects16").map(({ status }) => status), [0]);
});

Deno.test("the rest of a group keeps the numbers of its frames", () => {
  const bridge = new Bridge();
  const { bytes, subgroups } = bridge.read("objects14");
  const { writer } = bridge.open(1, WHOLE_GROUP, 300);
  writeFrames(
    writer,
    [1, 2].map((timestamp) => ({ timestamp, payload: Uint8Array.of(timestamp) })),
  );
  assert.deepEqual(readBack(bytes(), "objects14").map(({ id }) => id), [300, 301]);
  const [{ startFrame, head, lastId }] = subgroups() as [ReturnType<typeof subgroups>[number]];
  assert.deepEqual([startFrame, head.firstObject, lastId], [300, false, 301]);
});

Deno.test("a copy takes what a group of its own would take", () => {
  const bridge = new Bridge();
  const list = Array.from({ length: 50 }, (_, i) => ({
    timestamp: i * 20,
    payload: new Uint8Array(i * 13 % 200),
  }));
  const plain = Group.alone(bridge.context.pool, 1, 0);
  writeFrames(new GroupWriter(plain, { maxGroupBytes: 1 << 20 }), list);
  const reader = bridge.read("objects18");
  const { writer } = bridge.open(1, WHOLE_GROUP);
  writeFrames(writer, list);
  assert.ok(reader.bytes().length - bytesOf(plain).length <= 50 * 8);
  bridge.track.clear();
});
