import assert from "node:assert/strict";
import {
  objectTrack,
  subscribeObjects,
  type TrackObject,
  trackProperties,
} from "../../client/objects/mod.ts";
import { launch, until } from "../support/server.ts";

const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
const shown = ({ group, subgroup, id, priority, status, payload, properties }: TrackObject) => ({
  at: `${group}/${subgroup}/${id}`,
  ...{ priority, status, payload: text(payload), properties },
});

for (
  const [from, to] of [
    ["moq-transport-16", "moq-transport-16"],
    ["moq-transport-18", "moq-transport-18"],
    ["moq-transport-18", "moq-transport-16"],
    ["moq-transport-16", "moq-transport-22"],
  ] as const
) {
  Deno.test(`objects, subgroups, properties, gaps, status and datagrams cross from ${from} to ${to} by the library`, async () => {
    await using relay = await launch();
    await using publisher = await relay.client("moqt", { versions: [from] });
    await using viewer = await relay.client("moqt", { versions: [to] });
    const properties = trackProperties([{ type: 0x08, value: 90_000 }]);
    const producer = publisher.publish("room").track("video", { properties });
    const track = objectTrack(producer);
    using subscription = subscribeObjects(viewer, "room", "video");
    const datagrams: TrackObject[] = [];
    subscription.ondatagram = (object) => void datagrams.push(object);
    await until(() => producer.subscribers > 0, "the relay to subscribe");

    const base = track.subgroup(7, { priority: 200 });
    const layer = track.subgroup(7, { id: 3, priority: 100 });
    const named = [{ type: 0x10, value: 180_000 }, { type: 0x0d, value: Uint8Array.of(1, 2) }];
    base.object({ payload: "a", properties: named });
    layer.object({ id: 5, payload: "l" });
    base.object({ id: 4, payload: "x".repeat(5000) });
    base.object({ payload: "" });
    base.object({ id: 9, status: "end-of-group" });
    layer.close();
    base.close();
    const read = async () => {
      const subgroup = (await subscription.subgroup())!;
      const { group, subgroup: id, priority } = subgroup;
      const objects: TrackObject[] = [];
      for await (const object of subgroup) objects.push(object);
      return { group, id, priority, objects: objects.map(shown) };
    };
    const both = [await read(), await read()].sort((a, b) => a.id - b.id);
    const common = { status: "normal", properties: [] } as const;
    const sorted = [...named].sort((a, b) => a.type - b.type);
    assert.deepEqual(both, [
      {
        ...{ group: 7, id: 0, priority: 200 },
        objects: [
          { at: "7/0/0", priority: 200, status: "normal", payload: "a", properties: sorted },
          { at: "7/0/4", priority: 200, ...common, payload: "x".repeat(5000) },
          { at: "7/0/5", priority: 200, ...common, payload: "" },
          { at: "7/0/9", priority: 200, ...common, payload: "", status: "end-of-group" },
        ],
      },
      {
        ...{ group: 7, id: 3, priority: 100 },
        objects: [{ at: "7/3/5", priority: 100, ...common, payload: "l" }],
      },
    ]);

    const gram = { id: 2, payload: "d", properties: sorted, priority: 9 };
    await until(() => {
      track.datagram(8, { ...gram, id: gram.id++ }); // one may be lost
      return datagrams.length > 0;
    }, "a datagram");
    const [datagram] = datagrams.map(shown);
    assert.match(datagram!.at, /^8\//);
    assert.deepEqual({ ...datagram, at: "" }, {
      ...{ at: "", priority: 9, status: "normal", payload: "d", properties: sorted },
    });
    producer.close();
    assert.equal(await subscription.subgroup(), undefined);
  });
}

Deno.test("objects reach viewers of moq-lite as frames, and frames come as objects", async () => {
  await using relay = await launch();
  await using publisher = await relay.client("moqt", { versions: ["moq-transport-18"] });
  await using viewer = await relay.client("moqt");
  const producer = publisher.publish("room").track("video");
  const track = objectTrack(producer);
  using subscription = viewer.subscribe("room", "video");
  await until(() => producer.subscribers > 0, "the relay to subscribe");
  const [base, layer] = [track.subgroup(1), track.subgroup(1, { id: 1 })];
  base.object({ payload: "a", properties: [{ type: 0x10, value: 40_000 }] });
  layer.object({ id: 1, payload: "b", properties: [{ type: 0x10, value: 80_000 }] });
  base.object({ id: 2, payload: "c", properties: [{ type: 0x10, value: 60_000 }] });
  base.object({ status: "end-of-group", id: 3 });
  base.close();
  layer.close();
  const group = (await subscription.group())!;
  const frames: string[] = [];
  for await (const { timestamp, payload } of group) frames.push(`${timestamp} ${text(payload)}`);
  assert.deepEqual(frames, ["40000 a", "80000 b", "60000 c"]);

  const back = viewer.publish("back").track("video", { timescale: 1000 });
  using objects = subscribeObjects(publisher, "back", "video");
  await until(() => back.subscribers > 0, "the relay to subscribe");
  const written = back.group();
  written.write("one", 5);
  written.close();
  const subgroup = (await objects.subgroup())!;
  const first = (await subgroup.object())!;
  assert.deepEqual({ ...shown(first), priority: 0 }, {
    ...{ at: "0/0/0", priority: 0, status: "normal", payload: "one" },
    properties: [{ type: 0x10, value: 5000 }],
  });
});

Deno.test("what is no object is refused before anything is sent; what is over takes none", async () => {
  await using relay = await launch();
  await using publisher = await relay.client("moqt", { versions: ["moq-transport-18"] });
  const producer = publisher.publish("room").track("video");
  const track = objectTrack(producer);
  const subgroup = track.subgroup(0);
  assert.throws(() => subgroup.object({ status: "end-of-group", payload: "x" }), RangeError);
  assert.throws(() => subgroup.object({ properties: [{ type: 2, value: Uint8Array.of(1) }] }));
  subgroup.object({ id: 3 });
  assert.throws(() => subgroup.object({ id: 3 }), RangeError);
  assert.throws(() => track.subgroup(0).object({}), RangeError);
  subgroup.close();
  assert.throws(() => subgroup.object({}), RangeError);
  producer.close();
  assert.throws(() => track.subgroup(1).object({}), RangeError);
  track.datagram(2, { payload: "nobody gets it" });
});

Deno.test("an object that cannot be sent is refused where it is written", async () => {
  await using relay = await launch();
  await using publisher = await relay.client("moqt", { versions: ["moq-transport-18"] });
  await using viewer = await relay.client("moqt", { versions: ["moq-transport-16"] });
  const producer = publisher.publish("room").track("video");
  const track = objectTrack(producer);
  using subscription = subscribeObjects(viewer, "room", "video");
  await until(() => producer.subscribers > 0, "the relay to subscribe");
  let group = 0;
  const wrong: (() => void)[] = [
    ...[-1, 1.5, NaN, 2 ** 53].flatMap((odd) => [
      () => void producer.group(odd),
      () => void track.subgroup(odd),
      () => void track.subgroup(group++, { id: odd }),
      () => track.subgroup(group++).object({ id: odd }),
      () => track.datagram(odd, {}),
      () => track.datagram(group++, { id: odd }),
      () => void viewer.subscribe("room", "video", { startGroup: odd }),
    ]),
    ...[-1, 1.5, NaN, 256].flatMap((priority) => [
      () => void track.subgroup(group++, { priority }),
      () => track.datagram(group++, { priority }),
      () => subscription.update({ priority }),
    ]),
    ...[
      { status: "over" as "normal" },
      { status: "end-of-group", payload: "x" } as const,
      { status: "end-of-group", properties: [{ type: 2, value: 1 }] } as const,
      { properties: [{ type: 3, value: 1 }] },
      { properties: [{ type: 3, value: new Uint8Array(16_384) }] },
    ].flatMap((object) => [
      () => track.subgroup(group++).object(object),
      () => track.datagram(group++, object),
    ]),
  ];
  wrong.push(() => void trackProperties([{ type: 3, value: new Uint8Array(16_384) }]));
  for (const write of wrong) assert.throws(write, RangeError, String(write));
  assert.throws(() => track.subgroup(1.5), {
    message:
      `Cannot use 1.5 as the number of a group: it is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
  });
  using subgroup = track.subgroup(group);
  subgroup.object({ payload: "fine" });
  const came = await (await subscription.subgroup())!.object();
  assert.equal(text(came!.payload), "fine");
});
